use super::*;
use crate::input::entry::entries;
use crate::render::render;
use secret::Sensitive;

/// All keys of each of these sources, in the plan's order, beside the file `literal` of another one.
fn plan_of(all_keys: &serde_json::Value, sources: usize) -> Plan {
    let lookup = |index: usize| serde_json::json!({"source": format!("kms://s{index}"), "region": "cn-hangzhou"});
    serde_json::from_value(serde_json::json!({
        "version": plan::VERSION, "mode": {"refresh": {"interval": 300}}, "mount": "/mnt/secrets-store",
        "identity": {"kind": "rrsa", "role": "acs:ram::1:role/app",
            "provider": "acs:ram::1:oidc-provider/ack-rrsa-c1",
            "session": "shop.app", "duration": 3600, "region": "cn-hangzhou"},
        "lookups": (0..=sources).map(lookup).collect::<Vec<_>>(),
        "files": [{"name": "literal", "from": sources, "mode": "0444"}],
        "allKeys": all_keys, "env": {"mode": "0444", "variables": []}, "variableRules": {},
        "timeout": 300, "consumers": [],
    }))
    .unwrap()
}

fn files(sources: usize) -> Plan {
    let group = |from: usize| serde_json::json!({"from": from, "mode": "0444"});
    plan_of(&(0..sources).map(group).collect(), sources)
}

fn variables(sources: usize) -> Plan {
    let group = |from: usize| serde_json::json!({"from": from, "exec": ["app", "web"]});
    plan_of(&(0..sources).map(group).collect(), sources)
}

/// Which of the sources are refused, where their values have these keys. `owned` are the names that
/// each has already.
fn refused(plan: &Plan, keys: &[Option<&[&str]>], owned: &[&[&str]]) -> Vec<usize> {
    let value = |keys: &[&str]| {
        let object: serde_json::Map<_, _> =
            keys.iter().map(|key| ((*key).to_owned(), "1".into())).collect();
        Sensitive::from(serde_json::to_string(&object).unwrap())
    };
    let values: Vec<_> = keys.iter().map(|keys| keys.map(value)).collect();
    let literal = Sensitive::from("1".to_owned());
    let entries = entries(plan);
    let made = render(plan, &entries, |index| match index {
        index if index == keys.len() => Some(&literal),
        index => values[index].as_ref(),
    });
    let owned: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            let (Form::AllKeys(_), Some(from)) = (entry.form, entry.sources().next()) else {
                return Vec::new();
            };
            let names = owned.get(from).copied().unwrap_or_default();
            names.iter().map(|name| entry.file_of(name)).collect()
        })
        .collect();
    let made = without_twins(plan, &entries, made, |at| owned[at].as_slice());
    made.iter().filter_map(refused_source).collect()
}

#[test]
fn a_name_that_is_shown_stays_with_its_secret_whatever_stands_first_in_the_plan() {
    for plan in [files(2), variables(2)] {
        let owned: [&[&str]; 2] = [&["one"], &["two"]];
        let keys: [Option<&[&str]>; 2] = [Some(&["one", "two"]), Some(&["two"])];
        assert_eq!(refused(&plan, &keys, &owned), [0]);
        // Nobody has them yet.
        assert_eq!(refused(&plan, &keys, &[]), [1]);
    }
}

#[test]
fn names_of_what_gave_no_value_stay_its_own() {
    let owned: [&[&str]; 2] = [&["one"], &["two"]];
    assert_eq!(refused(&files(2), &[Some(&["one", "two"]), None], &owned), [0]);
    assert_eq!(refused(&files(2), &[Some(&["one"]), None], &owned), [0; 0]);
}

#[test]
fn what_is_refused_takes_no_name() {
    let owned: [&[&str]; 2] = [&["one"], &["two"]];
    let keys: [Option<&[&str]>; 2] = [Some(&["new", "literal"]), Some(&["two", "new"])];
    assert_eq!(refused(&files(2), &keys, &owned), [0]);
    assert_eq!(refused(&files(2), &keys, &[]), [0]);
}

#[test]
fn a_name_that_is_given_up_in_the_same_look_is_free() {
    let owned: [&[&str]; 2] = [&["one", "two"], &["three"]];
    assert_eq!(refused(&files(2), &[Some(&["one"]), Some(&["two", "three"])], &owned), [0; 0]);
    // But not where its owner is refused for another reason, and stays as it was.
    let keys: [Option<&[&str]>; 2] = [Some(&["one", "literal"]), Some(&["two", "three"])];
    assert_eq!(refused(&files(2), &keys, &owned), [0, 1]);
    // Nor where that is found only after others were accepted.
    let owned: [&[&str]; 3] = [&["x"], &["y"], &["z"]];
    let keys: [Option<&[&str]>; 3] = [Some(&["y"]), Some(&["n", "z"]), Some(&["z"])];
    assert_eq!(refused(&files(3), &keys, &owned), [0, 1]);
}

#[test]
fn no_secret_has_one_name_twice() {
    let slash = plan_of(&serde_json::json!([{"from": 0, "mode": "0444", "slash": "_"}]), 1);
    assert_eq!(refused(&slash, &[Some(&["a/b", "a_b"])], &[&["a_b"]]), [0]);
    assert_eq!(refused(&files(1), &[Some(&["a", "a/b"])], &[&["a"]]), [0]);
}
