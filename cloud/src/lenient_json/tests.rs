use allocation_counter::measure;
use secret::Sensitive;
use transport::Answer;
use transport::header::HeaderMap;

use crate::lookup::Subject;
use crate::{call, envelope, sts};

/// As large as an answer may be.
const SIZE: usize = 1 << 20;
/// Its strings are unescaped in a buffer that doubles, and then copied.
const MOST: u64 = 4 * SIZE as u64;

/// What memory of each kind costs most for its length.
fn shapes() -> Vec<(&'static str, String)> {
    let list = |item: &str| format!("[{}null]", format!("{item},").repeat(SIZE / (item.len() + 1)));
    vec![
        ("a list of lists", list("[0]")),
        ("a list of objects", list("{}")),
        ("a list of empty strings", list("\"\"")),
        ("a list of numbers", list("0")),
        ("lists within lists", format!("{}{}", "[".repeat(SIZE / 2), "]".repeat(SIZE / 2))),
        ("stages without end", format!("{{\"VersionStage\":{}}}", list("\"\""))),
        ("stages that are lists", format!("{{\"VersionStage\":{}}}", list("[[]]"))),
        ("members without end", format!("{{{}\"b\":0}}", "\"\":[],".repeat(SIZE / 6))),
        ("a string", format!("\"{}\"", "x".repeat(SIZE))),
        // Text of a library's error has six characters for each of these.
        ("a string of what is not printed", format!("\"{}\"", "\u{7f}".repeat(SIZE))),
        ("a string of escapes", format!("\"{}\"", "\\u007f".repeat(SIZE / 6))),
    ]
}

fn peak(run: impl FnOnce()) -> u64 {
    measure(run).bytes_max
}

fn assert_bounded(fields: &[&str], body: impl Fn(&str) -> String, read: impl Fn(&[u8])) {
    for (what, shape) in shapes() {
        for field in fields {
            let body = body(&format!("\"{field}\":{shape}"));
            let peak = peak(|| read(body.as_bytes()));
            assert!(peak <= MOST, "{field}, {what}: {peak} bytes for {}", body.len());
        }
        let peak = peak(|| read(shape.as_bytes()));
        assert!(peak <= MOST, "the whole, {what}: {peak} bytes for {}", shape.len());
    }
}

#[test]
fn an_answer_of_any_shape_takes_no_more_than_four_times_its_size() {
    let name = || String::from("db");
    let region = || String::from("cn-hangzhou");
    let secret = Subject::KmsSecret { name: name(), version_id: None, version_stage: None };
    assert_bounded(
        &[
            "SecretData",
            "SecretDataType",
            "VersionId",
            "RequestId",
            "Code",
            "SecretName",
            "SecretType",
            "VersionStages",
            "CreateTime",
            "AutomaticRotation",
            "LastRotationDate",
            "NextRotationDate",
            "RotationInterval",
            "Unknown",
        ],
        |field| format!("{{{field}}}"),
        |body| drop(call::read(&secret, body)),
    );
    let parameter = Subject::OosParameter { name: name(), region: region() };
    let read = |body: &[u8]| drop(call::read(&parameter, body));
    assert_bounded(&["Parameter", "RequestId", "Code"], |field| format!("{{{field}}}"), read);
    let within = |field: &str| format!("{{\"Parameter\":{{{field}}}}}");
    assert_bounded(&["Name", "Value", "ParameterVersion"], within, read);

    let times = sts::Times { date: None, expected: 0, here: 0 };
    let read = |body: &[u8]| drop(sts::read(body, ("role", "pod"), times));
    let fields = ["Credentials", "AssumedRoleUser", "Code"];
    assert_bounded(&fields, |field| format!("{{{field}}}"), read);
    let within = |field: &str| format!("{{\"Credentials\":{{{field}}}}}");
    let fields = ["AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"];
    assert_bounded(&fields, within, read);
    assert_bounded(&["Arn"], |field| format!("{{\"AssumedRoleUser\":{{{field}}}}}"), read);
}

#[test]
fn a_refusal_of_any_shape_takes_no_more_than_four_times_its_size() {
    assert_bounded(
        &[
            "Code",
            "Message",
            "RequestId",
            "Recommend",
            "Unknown",
            "SecretData",
            "Value",
            "AccessKeySecret",
            "SecurityToken",
        ],
        |field| format!("{{{field}}}"),
        |body| {
            let answer = Answer {
                status: 403,
                headers: HeaderMap::new(),
                body: Sensitive::new(body.to_vec()),
            };
            drop(envelope::open(answer, &[]));
        },
    );
}
