//! A Pod whose secrets cannot be fetched, as people are told of it: an exit code for each kind of
//! failure, and in `kubectl describe` and `kubectl logs` what failed, on which source, and what to
//! check. The application never starts.

use serde_json::{Value, json};

use crate::pods::{annotated, app, with};
use crate::stage::Namespace;

/// A source, what else the Pod says, and what it must come to.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) pod: Value,
    pub(crate) code: u64,
    /// All of them in the termination message, and so in the description and in the log.
    pub(crate) words: Vec<String>,
}

pub(crate) fn asking(source: &str, more: &[(&str, &str)]) -> Value {
    let pod = app("", "echo the application started");
    annotated(annotated(pod, &[("secrets", &format!("file: {source}"))]), more)
}

/// A case of one source.
pub(crate) fn case(
    name: &'static str,
    source: &str,
    more: &[(&str, &str)],
    code: u64,
    words: &[&str],
) -> Case {
    let words = words.iter().map(ToString::to_string).collect();
    Case { name, pod: asking(source, more), code, words }
}

/// Creates all Pods, waits for their ends, and compares what people are told with what they need.
pub(crate) fn tell(story: &str, cases: &[Case]) {
    let place = Namespace::opted_in(story);
    for case in cases {
        place.create(&with(case.pod.clone(), "/metadata/name", json!(case.name)));
    }
    for case in cases {
        place.phase(case.name, "Failed");
        told(&place, case);
    }
}

pub(crate) fn told(place: &Namespace, case: &Case) {
    let Case { name, code, words, .. } = case;
    let ended = place.ended(name);
    println!("{name}: exit code {}\n{}\n", ended.code, ended.message);
    assert_eq!(ended.code, *code, "{name}: {}", ended.message);
    let described = place.describe(&format!("pod/{name}"));
    let logged = place.logs(name, "kms-secrets-init");
    assert!(described.contains(&format!("Exit Code:    {code}")), "{described}");
    for words in words {
        assert!(
            ended.message.contains(words.as_str()),
            "{name}: {words:?} is not in: {}",
            ended.message
        );
        assert!(described.contains(words.as_str()), "{name}: {words:?} is not in: {described}");
    }
    // The log ends with the same, as a field of JSON.
    let last: Value = serde_json::from_str(logged.lines().last().unwrap()).unwrap();
    assert_eq!((&last["level"], &last["exit_code"]), (&json!("ERROR"), &json!(code)), "{last}");
    assert_eq!(last["message"], ended.message);
    for text in [&ended.message, &described, &logged] {
        assert!(!text.contains("lab-canary"), "{name}: a value is in: {text}");
    }
    let application = place.kubectl(&["logs", name, "--container", "app"]).output().unwrap();
    assert!(!application.stdout.contains("the application started"), "{name}");
}
