use allocation_counter::measure;

use super::*;
use crate::input::entry::entries;
use crate::render::select::Document;

const MANY: usize = 8;
/// As large as a value may be, and nothing but small objects: nothing takes more memory.
fn dense() -> Sensitive {
    let part = r#"{"":0},"#;
    let parts = part.repeat(64 * 1024 / part.len() - 4);
    Sensitive::from(format!(r#"{{"a":"1","b":[{parts}0]}}"#))
}

/// Two parts of each of many sources, so that each document is wanted again after all others, and
/// a template of all of them.
fn plan() -> Plan {
    let lookup = |index: usize| serde_json::json!({"source": format!("kms://s{index}"), "region": "cn-hangzhou"});
    let file = |index: usize| {
        serde_json::json!({"name": format!("f{index}"), "from": index % MANY, "mode": "0444",
            "select": "b[?@ == `1`] && a || a"})
    };
    let secret = |from: usize| serde_json::json!({"written": format!("kms://s{from}#a"), "from": from, "select": "a"});
    let text = |from: usize| format!("{{{{ secret(\"kms://s{from}#a\") }}}}");
    let template = serde_json::json!({"name": "t", "mode": "0444", "template": {
        "text": (0..MANY).map(text).collect::<String>(),
        "secrets": (0..MANY).map(secret).collect::<Vec<_>>(),
    }});
    let json = serde_json::json!({
        "version": plan::VERSION, "mode": {"refresh": {"interval": 300}}, "mount": "/mnt/secrets-store",
        "identity": {"kind": "rrsa", "role": "acs:ram::1:role/app",
            "provider": "acs:ram::1:oidc-provider/ack-rrsa-c1",
            "session": "shop.app", "duration": 3600, "region": "cn-hangzhou"},
        "lookups": (0..MANY).map(lookup).collect::<Vec<_>>(),
        "files": (0..2 * MANY).map(file).chain([template]).collect::<Vec<_>>(),
        "timeout": 300, "consumers": [],
    });
    serde_json::from_value(json).unwrap()
}

#[test]
fn of_all_documents_one_is_in_memory_at_a_time_and_once() {
    let (plan, value) = (plan(), dense());
    let entries = entries(&plan);
    let contents = |entries: &[Entry<'_>]| {
        let mut written = Vec::new();
        for rendered in render(&plan, entries, |_| Some(&value)) {
            written.push(
                rendered
                    .map(|file| file.files().next().unwrap().content.to_vec())
                    .map_err(|no| no.problem.headline()),
            );
        }
        written
    };
    let mut written = Vec::new();
    let all = measure(|| written = contents(&entries)).bytes_max;
    let expected = (0..2 * MANY).map(|_| Ok(b"1".to_vec())).chain([Ok(vec![b'1'; MANY])]);
    assert_eq!(written, expected.collect::<Vec<_>>());
    let one = measure(|| drop(contents(&entries[..1]))).bytes_max;
    let document = measure(|| drop(Document::parse(&value))).bytes_max;
    assert!(all < one + one / 8, "{all} for all, {one} for one");
    assert!(one < document + document / 4, "{one} for a file, {document} for a document");
}

/// One template of so many sources, whose text comes from the first.
fn template_of(count: usize) -> Plan {
    let mut json = serde_json::to_value(plan()).unwrap();
    let source = |index: usize| format!("kms://s{index}");
    let lookup = |index| serde_json::json!({"source": source(index), "region": "cn-hangzhou"});
    let secret = |from| serde_json::json!({"written": source(from), "from": from});
    let others: String =
        (1..count).map(|from| format!("{{% set a = secret(\"{}\") %}}", source(from))).collect();
    json["lookups"] = (0..count).map(lookup).collect();
    json["files"] = serde_json::json!([{"name": "t", "mode": "0444", "template": {
        "text": format!("{{{{ secret(\"kms://s0\") | length }}}}{others}"),
        "secrets": (0..count).map(secret).collect::<Vec<_>>(),
    }}]);
    serde_json::from_value(json).unwrap()
}

#[test]
fn values_that_one_template_names_are_bounded_together() {
    let largest = Sensitive::from("x".repeat(64 * 1024));
    let rendered = |count: usize| {
        let plan = template_of(count);
        let entries = entries(&plan);
        let mut made = render(&plan, &entries, |_| Some(&largest));
        let made = made.pop().unwrap();
        made.map(|file| file.files().next().unwrap().content.to_vec())
            .map_err(|no| no.problem.headline())
    };
    assert_eq!(rendered(64), Ok(b"65536".to_vec()));
    let headline = rendered(65).unwrap_err();
    assert!(
        headline.contains("more than 4194304 bytes together; wanted for file \"t\""),
        "{headline}"
    );
    let few = measure(|| drop(rendered(1))).bytes_max;
    for count in [64, 250] {
        let memory = measure(|| drop(rendered(count))).bytes_max;
        assert!(memory < few + (6 << 20), "{memory} bytes for {count} values, {few} for one");
    }
}
