//! The fetcher's log lines, which are JSON for machines, in words.

use serde_json::Value;

/// One line for each line of the log.
pub(crate) fn in_words(log: &str) -> Vec<String> {
    log.lines()
        .map(|line| {
            serde_json::from_str(line).map_or_else(|_| line.to_owned(), |line| words(&line))
        })
        .collect()
}

/// The fields of the only line with this message.
pub(crate) fn line(log: &str, message: &str) -> Option<Value> {
    let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.find(|line| line.get("message").is_some_and(|found| found == message))
}

fn words(line: &Value) -> String {
    let field = |name: &str| match line.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "-".to_owned(),
    };
    match field("message").as_str() {
        "fetching" => format!(
            "fetching  {} sources for {} files as {}",
            field("sources"),
            field("files"),
            field("role")
        ),
        "fetched" => format!(
            "fetched   {:<34} {:>5} bytes {:>4} ms   request {:.8}…",
            field("source"),
            field("bytes"),
            field("duration_ms"),
            field("request_id")
        ),
        "done" => {
            let changed =
                if field("changed") == "true" { "files written" } else { "nothing to change" };
            format!(
                "done      {changed}: {} files, {} bytes, {} ms",
                field("files"),
                field("bytes"),
                field("duration_ms")
            )
        }
        message => format!("{:<9} {message}", field("level").to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_a_log_becomes_one_line_of_words() {
        let log = concat!(
            r#"{"level":"INFO","message":"fetched","source":"kms://a","bytes":3,"duration_ms":7,"request_id":"R1234567-89"}"#,
            "\nnot json\n",
            r#"{"level":"WARN","message":"odd"}"#,
        );
        let words = in_words(log);
        assert!(words[0].starts_with("fetched   kms://a "), "{words:?}");
        assert!(words[0].ends_with("3 bytes    7 ms   request R1234567…"), "{words:?}");
        assert_eq!(words[1..], ["not json", "warn      odd"]);
        assert_eq!(line(log, "fetched").unwrap()["bytes"], 3);
        assert_eq!(line(log, "gone"), None);
    }
}
