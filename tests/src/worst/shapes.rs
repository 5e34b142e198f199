//! Bodies of any size that are filled with one thing: what somebody sends who is no API server.

use super::Pod;

/// A body that is filled with one thing.
pub struct Body {
    pub name: &'static str,
    /// About this many bytes.
    pub bytes: fn(usize) -> Vec<u8>,
}

#[must_use]
pub fn bodies() -> Vec<Body> {
    let body = |name, bytes| Body { name, bytes };
    vec![
        body("empty containers", |n| listed("containers", "{},", n)),
        body("empty init containers", |n| listed("initContainers", "{},", n)),
        body("empty volumes", |n| listed("volumes", "{},", n)),
        body("containers of empty containers", |n| {
            listed("containers", "{\"env\":[{},{},{},{}]},", n)
        }),
        body("empty env", |n| inner("env", "{},", n)),
        body("env of one letter", |n| inner("env", "{\"name\":\"a\",\"value\":\"b\"},", n)),
        body("env from files", |n| inner("env", "{\"valueFrom\":{\"fileKeyRef\":{}}},", n)),
        body("empty mounts", |n| inner("volumeMounts", "{},", n)),
        body("empty ports", |n| inner("ports", "{},", n)),
        body("empty args", |n| inner("args", "\"\",", n)),
        body("args of one letter", |n| inner("command", "\"a\",", n)),
        body("escaped args", |n| inner("args", "\"\\n\",", n)),
        body("capabilities", |n| {
            inside(&format!(
                "\"securityContext\":{{\"capabilities\":{{\"add\":[{}\"x\"]}}}}",
                repeat("\"\",", n)
            ))
        }),
        body("a resource of empty lists", |n| {
            inside(&format!("\"resources\":{{\"limits\":{{\"cpu\":[{}1]}}}}", repeat("[],", n)))
        }),
        body("a field that nobody reads", |n| inside(&format!("\"x\":[{}1]", repeat("{},", n)))),
        body("deep nesting", |n| {
            inside(&format!("\"x\":{}1{}", repeat("[", n / 2), repeat("]", n / 2)))
        }),
        body("one long name", |n| inside(&format!("\"name\":\"{}\"", repeat("a", n)))),
        body("one long name with escapes", |n| {
            inside(&format!("\"name\":\"{}\"", repeat("\\n", n)))
        }),
        body("one long mount path", |n| {
            inside(&format!("\"volumeMounts\":[{{\"mountPath\":\"{}\"}}]", repeat("/a", n)))
        }),
        body("one long arg without ends of references", |n| {
            inside(&format!("\"args\":[\"{}\"]", repeat("$(", n)))
        }),
        body("affinity of empty entries", |n| {
            spec(&format!("\"affinity\":{{\"x\":[{}1]}}", repeat("{},", n)))
        }),
        body("a container of our name", |n| {
            spec(&format!(
                "\"initContainers\":[{{\"name\":\"kms-secrets-init\",\"x\":[{}1]}}]",
                repeat("{},", n)
            ))
        }),
        body("many annotations", |n| annotations("\"kms.alibabacloud/a\":\"\",", n)),
        body("many annotations of others", |n| annotations("\"a\":\"\",", n)),
        body("one long annotation", |n| {
            annotations(&format!("\"kms.alibabacloud/secrets\":\"{}\",", repeat("a,", n)), 1)
        }),
        body("one long annotation with escapes", |n| {
            annotations(&format!("\"kms.alibabacloud/secrets\":\"{}\",", repeat("\\n", n)), 1)
        }),
        body("one long key of an annotation", |n| {
            annotations(&format!("\"kms.alibabacloud/env.{}\":\"A: b\",", repeat("a", n)), 1)
        }),
        body("one long key without a text", |n| {
            annotations(&format!("\"kms.alibabacloud/{}\":1,", repeat("a", n)), 1)
        }),
        body("one long namespace", |n| {
            replaced("\"namespace\":\"shop\"", &format!("\"namespace\":\"{}\"", repeat("a", n)))
        }),
        body("one long ServiceAccount", |n| {
            spec(&format!("\"serviceAccountName\":\"{}\"", repeat("\u{301}", n)))
        }),
        body("a long name of the review that does not show", |n| {
            replaced(
                "\"operation\":",
                &format!("\"name\":\"{}\",\"operation\":", repeat(HIDDEN, n)),
            )
        }),
        body("a long name of the Pod that does not show", |n| {
            replaced("\"name\":\"worst\"", &format!("\"name\":\"{}\"", repeat(HIDDEN, n)))
        }),
        body("a long name of a Pod that wants nothing", |n| {
            let review =
                replaced("\"name\":\"worst\"", &format!("\"name\":\"{}\"", repeat(HIDDEN, n)));
            let review = String::from_utf8(review).unwrap_or_default();
            review.replace("kms.alibabacloud/", "example.com/").into_bytes()
        }),
        body("a long label that does not show", |n| {
            let label =
                format!("\"labels\":{{\"kms.alibabacloud/injection\":\"{}\"}}", repeat(HIDDEN, n));
            replaced("\"annotations\":{", &format!("{label},\"annotations\":{{"))
        }),
        body("no review", |n| repeat("{},", n).into_bytes()),
        body("nothing but brackets", |n| repeat("[", n).into_bytes()),
    ]
}

/// A format character late in the tables of Unicode.
const HIDDEN: &str = "\u{fff9}";

fn repeat(part: &str, bytes: usize) -> String {
    part.repeat(bytes / part.len())
}

fn replaced(old: &str, new: &str) -> Vec<u8> {
    let review = String::from_utf8(Pod::default().review()).unwrap_or_default();
    review.replacen(old, new, 1).into_bytes()
}

fn listed(list: &str, entry: &str, bytes: usize) -> Vec<u8> {
    let other = if list == "containers" { "x" } else { list };
    let entries = repeat(entry, bytes);
    match list {
        "containers" => {
            replaced("\"containers\":", &format!("\"containers\":[{entries}{{}}],\"{other}\":"))
        }
        _ => spec(&format!("\"{list}\":[{entries}{{}}]")),
    }
}

fn spec(field: &str) -> Vec<u8> {
    replaced("\"containers\":", &format!("{field},\"containers\":"))
}

fn inside(field: &str) -> Vec<u8> {
    replaced("\"containers\":[{", &format!("\"containers\":[{{{field},\"y\":1,"))
}

fn inner(list: &str, entry: &str, bytes: usize) -> Vec<u8> {
    let entries = repeat(entry, bytes);
    inside(&format!("\"{list}\":[{}]", entries.strip_suffix(',').unwrap_or_default()))
}

fn annotations(entry: &str, bytes: usize) -> Vec<u8> {
    let entries = if bytes == 1 { entry.to_owned() } else { repeat(entry, bytes) };
    replaced("\"annotations\":{", &format!("\"annotations\":{{{entries}"))
}
