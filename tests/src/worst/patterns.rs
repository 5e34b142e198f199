//! Names and patterns that are made for each other: a name of one letter meets a pattern nearly
//! everywhere, and at each place only its last letter says that it does not.

use webhook::settings::Settings;

use super::axis::Axis;
use super::operator::set;
use super::pod::Pod;

/// As many letters as a secret's name has at most.
const LETTERS: usize = 192;

pub(super) fn axes() -> Vec<Axis> {
    let agent = |name, most, fill| Axis { name, most, fill, settings: other_names };
    vec![
        agent("names before patterns of the agent that the policy may allow", 250, |pod, n| {
            served(pod, n, LETTERS, |n| starred("", n, LETTERS, "a"));
        }),
        agent("letters of names and of patterns of the agent", LETTERS, |pod, n| {
            served(pod, 250, n, |_| last(n, "*"));
        }),
        agent("letters of patterns of the agent with question marks", LETTERS, |pod, n| {
            served(pod, 250, n, |_| last(n, "*").replace("aa", "a?"));
        }),
        agent("names in templates before patterns of the agent", 150, |pod, n| {
            served(pod, 100, LETTERS, |_| last(LETTERS, "*"));
            for (file, start) in (0..n).step_by(70).enumerate() {
                let names = (start..n.min(start + 70)).map(|n| repeated(n + 1000, LETTERS, "a"));
                let calls = names.map(|name| format!("{{{{secret('{name}')}}}}"));
                pod.annotate(&format!("template.t{file}"), calls.collect::<String>());
            }
        }),
        Axis {
            name: "starred rules of the policy before names of one letter",
            most: 100,
            fill: |pod, _| pod.annotate("secrets", names(250, LETTERS)),
            settings: |n| secrets_allowed(n, LETTERS),
        },
        Axis {
            name: "letters of names and of rules of the policy",
            most: LETTERS,
            fill: |pod, n| pod.annotate("secrets", names(250, n)),
            settings: |n| secrets_allowed(8, n),
        },
        Axis {
            name: "starred rules for roles before roles of one letter",
            most: 200,
            fill: |pod, _| {
                let line = |n| {
                    let role = repeated(n, 64, "a");
                    format!(
                        "f{n}: {{source: s, crossAccountRoleArn: \"acs:ram::1:role/{role}\"}}\n"
                    )
                };
                pod.annotate("secrets", (0..250).map(line).collect::<String>());
            },
            settings: |n| {
                let rule = |n| {
                    let pattern = starred("a", n, 64, "a");
                    format!("{{name: r{n}, namespaces: [shop], roles: ['acs:ram::{pattern}']}},")
                };
                let rules = (0..n.max(1)).map(rule).collect::<String>();
                set("policy", &format!("[{rules}]"))
            },
        },
        Axis {
            name: "starred names of variables that alone are set",
            most: 100,
            fill: |pod, _| {
                let line = |n| format!("{}: kms://shop/db\n", repeated(n, 128, "A"));
                pod.annotate("env", (0..256).map(line).collect::<String>());
            },
            settings: |n| {
                let names =
                    (0..n.max(1)).map(|n| starred("A", n, 128, "A") + ",").collect::<String>();
                set("onlyVariables", &names)
            },
        },
    ]
}

/// A name of so many letters with a number behind them.
fn repeated(number: usize, letters: usize, letter: &str) -> String {
    format!("{}{number:04}", letter.repeat(letters.max(8) - 4))
}

/// A pattern half as long as a name, that no such name fits.
fn starred(first: &str, number: usize, letters: usize, letter: &str) -> String {
    format!("{first}*{}B{number}*", letter.repeat(letters / 2))
}

/// The name that comes last of all, and with something in its middle a pattern that only it fits.
fn last(letters: usize, middle: &str) -> String {
    format!("a{middle}{}z", "a".repeat(letters / 4 * 2))
}

fn names(count: usize, letters: usize) -> String {
    (0..count).map(|n| format!("f{n}: {}\n", repeated(n, letters, "a"))).collect()
}

fn served(pod: &mut Pod, count: usize, letters: usize, pattern: impl Fn(usize) -> String) {
    pod.annotate("mode", "agent");
    pod.annotate("secrets", format!("{}last: {}\n", names(count, letters), last(letters, "")));
    let patterns = (0..64).map(|n| pattern(n) + "\n");
    pod.annotate("agent-secrets", patterns.collect::<String>());
}

/// Allows names that are of another form than any of those here.
fn other_names(_: usize) -> Settings {
    set("policy", "[{name: r, namespaces: [shop], roles: ['*'], secrets: ['shop/*']}]")
}

fn secrets_allowed(rules: usize, letters: usize) -> Settings {
    let rule = |n| {
        let pattern = starred("a", n, letters, "a");
        format!("{{name: r{n}, namespaces: [shop], roles: ['*'], secrets: ['{pattern}']}},")
    };
    let rules = (0..rules.max(1)).map(rule).collect::<String>();
    set("policy", &format!("[{rules}]"))
}

#[cfg(test)]
mod tests {
    use super::super::operator::ordinary;
    use super::*;

    #[test]
    fn what_is_measured_is_accepted_by_the_settings_and_about_names_that_are_none_of_theirs() {
        for axis in axes() {
            assert_ne!((axis.settings)(axis.most), ordinary(0), "{}", axis.name);
        }
        let matches = |pattern: &str, name: &str| plan::Glob::parse(pattern).unwrap().matches(name);
        let name = repeated(7, LETTERS, "a");
        assert!(name.len() == LETTERS && !matches(&starred("a", 7, LETTERS, "a"), &name));
        let question = last(LETTERS, "*").replace("aa", "a?");
        for pattern in [last(LETTERS, "*"), question] {
            assert!(matches(&pattern, &last(LETTERS, "")) && !matches(&pattern, &name));
        }
    }
}
