//! The text of the metrics, and whether all is well. It is pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use secret::{Failure, Requests};

use super::{Counts, HookOutcome};
use crate::health::agent_counters::AgentCounters;
use crate::health::health_board::Snapshot;

/// Turns moments since boot into moments of the calendar.
#[derive(Clone, Copy)]
pub(super) struct Now {
    /// Seconds since 1970.
    pub(super) calendar: u64,
    pub(super) uptime: Duration,
}

pub(super) fn metrics(
    counts: &Counts,
    snapshot: &Snapshot,
    requests: &[Requests],
    agent: Option<&AgentCounters>,
    now: Now,
) -> String {
    let mut text = MetricsText(String::new());
    text.family("sources", "gauge", "The plan has this many sources.");
    text.value("sources", "", snapshot.sources.len());
    text.family(
        "failing_sources",
        "gauge",
        "This many sources could not be fetched when they were last asked for.",
    );
    for failing in Failure::ALL {
        text.value("failing_sources", &class(failing), of_class(snapshot, failing));
    }
    text.family("failing_templates", "gauge", "This many templates cannot be rendered.");
    text.value("failing_templates", "", snapshot.templates.len());
    text.family("removed_files", "gauge", "This many files and variables were taken away.");
    text.value("removed_files", "", snapshot.removed);
    let age = |confirmed: Duration| now.uptime.saturating_sub(confirmed).as_secs();
    let confirmed = || snapshot.sources.iter().filter_map(|source| source.confirmed);
    text.family(
        "last_success_timestamp_seconds",
        "gauge",
        "A source was last confirmed at this time, in seconds since 1970.",
    );
    if let Some(newest) = confirmed().max() {
        let at = now.calendar.saturating_sub(age(newest));
        text.value("last_success_timestamp_seconds", "", at);
    }
    text.family(
        "oldest_value_age_seconds",
        "gauge",
        "The oldest value that applications see was confirmed this long ago.",
    );
    // What a template shows is as old as what it was last rendered from.
    let rendered = snapshot.templates.iter().map(|(_, failed)| failed.rendered);
    if let Some(oldest) = confirmed().chain(rendered).min() {
        text.value("oldest_value_age_seconds", "", age(oldest));
    }
    text.family("failures", "counter", "A source could not be confirmed this many times.");
    for failing in Failure::ALL {
        text.value("failures_total", &class(failing), counted(&counts.failures, &failing));
    }
    text.family(
        "requests",
        "counter",
        "This many requests were sent to the cloud, by what came of them.",
    );
    for Requests { operation, failed, count } in requests {
        let outcome = failed.map_or("ok", Failure::word);
        let labels = format!("{{operation=\"{operation}\",outcome=\"{outcome}\"}}");
        text.value("requests_total", &labels, *count);
    }
    text.family(
        "changes",
        "counter",
        "The files were replaced by another generation this many times.",
    );
    text.value("changes_total", "", counts.changes);
    text.family(
        "generation_timestamp_seconds",
        "gauge",
        "The files were last replaced, or found by this process, at this time, in seconds since 1970.",
    );
    if let Some(generation) = counts.generation {
        text.value("generation_timestamp_seconds", "", generation);
    }
    text.family(
        "hook_calls",
        "counter",
        "The application was to be told of a change this many times, by what came of it.",
    );
    for (told, word) in [
        (HookOutcome::Delivered, "told"),
        (HookOutcome::Failed, "failed"),
        (HookOutcome::GivenUp, "given-up"),
    ] {
        let labels = format!("{{outcome=\"{word}\"}}");
        text.value("hook_calls_total", &labels, counted(&counts.hooks, &told));
    }
    if let Some(agent) = agent {
        text.family(
            "agent_requests",
            "counter",
            "The agent got this many requests, by their outcome.",
        );
        for (count, outcome) in [
            (&agent.hits, "hit"),
            (&agent.misses, "miss"),
            (&agent.stale, "stale"),
            (&agent.failures, "failed"),
            (&agent.refused, "refused"),
        ] {
            let labels = format!("{{outcome=\"{outcome}\"}}");
            text.value("agent_requests_total", &labels, count.get());
        }
        text.family(
            "agent_failures",
            "counter",
            "KMS did not answer this many questions of the agent.",
        );
        for (failing, count) in agent.unanswered() {
            text.value("agent_failures_total", &class(failing), count.get());
        }
    }
    text.family("build", "info", "The version of the fetcher.");
    let labels = concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
    text.value("build_info", labels, 1);
    text.0.push_str("# EOF\n");
    text.0
}

/// Says why not all is well, with a line for each reason. `filled` is whether the files were ever
/// there.
pub(super) fn unready(filled: bool, snapshot: &Snapshot) -> Option<String> {
    let mut reasons = String::new();
    if !filled {
        reasons.push_str("the files are not there yet\n");
    }
    for failing in Failure::ALL {
        let (failed, all) = (of_class(snapshot, failing), snapshot.sources.len());
        if failed > 0 {
            let _ = writeln!(reasons, "{}: {failed} of {all} sources", failing.word());
        }
    }
    if !snapshot.templates.is_empty() {
        let _ =
            writeln!(reasons, "templates that cannot be rendered: {}", snapshot.templates.len());
    }
    if snapshot.removed > 0 {
        let _ = writeln!(reasons, "files and variables that were removed: {}", snapshot.removed);
    }
    (!reasons.is_empty()).then_some(reasons)
}

fn of_class(snapshot: &Snapshot, failing: Failure) -> usize {
    snapshot.sources.iter().filter(|source| source.failing == Some(failing)).count()
}

fn class(failing: Failure) -> String {
    format!("{{class=\"{}\"}}", failing.word())
}

fn counted<K: Ord>(counts: &BTreeMap<K, u64>, key: &K) -> u64 {
    counts.get(key).copied().unwrap_or_default()
}

struct MetricsText(String);

impl MetricsText {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let name = format!("secrets_injector_{name}");
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "secrets_injector_{name}{labels} {value}");
    }
}

#[cfg(test)]
mod tests {
    use secret::Failure;

    use super::*;
    use crate::health::health_board::FailedTemplate;
    use crate::health::health_board::SourceHealth;

    const NOW: Now = Now { calendar: 1_800_000_000, uptime: Duration::from_secs(1000) };

    fn source(confirmed: u64, failing: Option<Failure>) -> SourceHealth {
        let confirmed = Some(Duration::from_secs(confirmed));
        SourceHealth { confirmed, failing, removed: false }
    }

    fn of_sources(sources: &[SourceHealth]) -> Snapshot {
        Snapshot { sources: sources.to_vec(), ..Snapshot::default() }
    }

    fn template(rendered: u64) -> (String, FailedTemplate) {
        let rendered = Duration::from_secs(rendered);
        ("SECRET".to_owned(), FailedTemplate { rendered, removed: false })
    }

    #[test]
    fn what_is_known_is_a_number_and_what_is_not_is_left_out() {
        let snapshot = of_sources(&[source(700, None), source(400, Some(Failure::Denied))]);
        let mut counts =
            Counts { changes: 3, generation: Some(1_799_999_000), ..Counts::default() };
        counts.failures.insert(Failure::Denied, 7);
        counts.hooks.insert(HookOutcome::Failed, 2);
        let operation = "KMS GetSecretValue";
        let agent = AgentCounters::default();
        agent.stale.add();
        agent.count_unanswered(Failure::Identity);
        let requests = [
            Requests { operation, failed: None, count: 5 },
            Requests { operation, failed: Some(Failure::Refused), count: 1 },
        ];
        let text = metrics(&counts, &snapshot, &requests, Some(&agent), NOW);
        for line in [
            "sources 2",
            "failing_sources{class=\"denied\"} 1",
            "failing_sources{class=\"local\"} 0",
            "last_success_timestamp_seconds 1799999700",
            "oldest_value_age_seconds 600",
            "failures_total{class=\"denied\"} 7",
            "requests_total{operation=\"KMS GetSecretValue\",outcome=\"ok\"} 5",
            "requests_total{operation=\"KMS GetSecretValue\",outcome=\"refused\"} 1",
            "changes_total 3",
            "agent_requests_total{outcome=\"stale\"} 1",
            "agent_requests_total{outcome=\"hit\"} 0",
            "agent_failures_total{class=\"identity\"} 1",
            "agent_failures_total{class=\"not-found\"} 0",
            "generation_timestamp_seconds 1799999000",
            "hook_calls_total{outcome=\"failed\"} 2",
            "hook_calls_total{outcome=\"told\"} 0",
        ] {
            assert!(text.contains(&format!("\nsecrets_injector_{line}\n")), "{line}: {text}");
        }
        assert!(text.ends_with("\n# EOF\n"));
        let nothing =
            metrics(&Counts::default(), &of_sources(&[SourceHealth::default()]), &[], None, NOW);
        assert!(!nothing.contains("\nsecrets_injector_oldest"), "{nothing}");
    }

    #[test]
    fn a_template_that_fails_is_counted_and_as_old_as_what_it_was_rendered_from() {
        let templates = vec![template(100), template(900)];
        let snapshot = Snapshot { templates, removed: 3, ..of_sources(&[source(990, None)]) };
        let text = metrics(&Counts::default(), &snapshot, &[], None, NOW);
        for line in
            ["failing_templates 2", "removed_files 3", "oldest_value_age_seconds 900", "sources 1"]
        {
            assert!(text.contains(&format!("\nsecrets_injector_{line}\n")), "{line}: {text}");
        }
        assert!(!text.contains("SECRET"), "{text}");
    }

    #[test]
    fn every_sample_belongs_to_the_family_above_it() {
        let snapshot = of_sources(&[source(1, None)]);
        let text =
            metrics(&Counts::default(), &snapshot, &[], Some(&AgentCounters::default()), NOW);
        let (mut family, mut kind) = (String::new(), String::new());
        for line in text.lines() {
            if let Some(declared) = line.strip_prefix("# TYPE ") {
                let (name, of) = declared.split_once(' ').unwrap();
                (family, kind) = (name.to_owned(), of.to_owned());
            } else if !line.starts_with('#') {
                let name = line.split(['{', ' ']).next().unwrap();
                let suffix = match kind.as_str() {
                    "counter" => "_total",
                    "info" => "_info",
                    _ => "",
                };
                assert_eq!(name, format!("{family}{suffix}"), "{line}");
            }
        }
    }

    #[test]
    fn all_is_well_when_the_files_are_there_and_nothing_fails() {
        assert_eq!(unready(true, &of_sources(&[source(1, None)])), None);
        assert_eq!(unready(false, &of_sources(&[])).unwrap(), "the files are not there yet\n");
        let snapshot = of_sources(&[source(1, Some(Failure::Throttled)), source(1, None)]);
        assert_eq!(unready(true, &snapshot).unwrap(), "throttled: 1 of 2 sources\n");
        let well = of_sources(&[source(1, None)]);
        let snapshot = Snapshot { templates: vec![template(1)], removed: 2, ..well };
        assert_eq!(
            unready(true, &snapshot).unwrap(),
            "templates that cannot be rendered: 1\nfiles and variables that were removed: 2\n"
        );
    }
}
