//! Letters that are escaped, in JSON or in YAML: each costs what many others do.

use serde_json::json;

use super::axis::Axis;
use super::operator::ordinary;
use super::pod::{Pod, container};

/// A little less than a Pod may have.
const BACKSLASHES: usize = 28_000;

pub(super) fn axes() -> Vec<Axis> {
    let axis = |name, most, fill| Axis { name, most, fill, settings: ordinary };
    vec![
        axis("quotes in a word of a command", BACKSLASHES / 2, |pod, n| word(pod, &"\"".repeat(n))),
        axis("control characters in a word of a command", BACKSLASHES / 4, |pod, n| {
            word(pod, &"\u{1}".repeat(n));
        }),
        axis("quotes in values of variables", BACKSLASHES, |pod, n| {
            let value = "\"".repeat(n / 100);
            let variable = |n| json!({"name": format!("Q{n}"), "value": value});
            pod.annotate("env", "A: kms://s");
            pod.extend("env", (0..100).map(variable));
        }),
        axis("quotes in a comment", BACKSLASHES, |pod, n| {
            pod.annotate("secrets", format!("a: kms://s # {}", "\"".repeat(n)));
        }),
        axis("quotes in a container with a name of ours", BACKSLASHES, |pod, n| {
            let mut ours = container("kms-secrets-init");
            if let Some(fields) = ours.as_object_mut() {
                let plan = json!([{"name": "SECRETS_INJECTOR_PLAN", "value": "\"".repeat(n)}]);
                fields.insert("env".to_owned(), plan);
            }
            pod.init.push(ours);
        }),
        axis("carriage returns in a list of sources, which is read twice", 2000, |pod, n| {
            pod.annotate("secrets", format!("a{}\n# c\nb", "\r".repeat(n)));
        }),
        axis("escaped blanks in a quoted text", BACKSLASHES / 2, |pod, n| {
            pod.annotate("secrets", format!("a: \"x{}\"", "\\_".repeat(n)));
        }),
        axis("escaped tabs in a plain text", BACKSLASHES / 3, |pod, n| {
            pod.annotate("secrets", format!("a: x{}x", "\\\t".repeat(n)));
        }),
    ]
}

/// A command is repeated in the answer where a program of ours starts it.
fn word(pod: &mut Pod, word: &str) {
    pod.annotate("env", "A: kms://s");
    pod.first().insert("command".to_owned(), json!(["/app", word]));
}
