//! The annotations: each that holds a list or a text.

use webhook::settings::Settings;

use super::axis::Axis;
use super::lists::variables;
use super::operator::{ordinary, with};
use super::pod::{Pod, container};

pub(super) fn axes() -> Vec<Axis> {
    let axis = |name, most, fill| Axis { name, most, fill, settings: ordinary };
    let mut axes = vec![
        axis("unknown annotations", 126, |pod, n| {
            for n in 0..n {
                pod.annotate(&format!("{}{n:03}", "resources.requests.memori"), "x");
            }
        }),
        axis("annotations of others", 4096, |pod, n| {
            for n in 0..n {
                pod.foreign.insert(format!("example.com/annotation-{n}"), "x".repeat(50));
            }
        }),
        axis("files", 256, |pod, n| {
            pod.annotate("secrets", lines(n, |n| format!("f{n}: kms://s/{n}")));
        }),
        axis("files with five fields", 256, |pod, n| {
            pod.annotate("secrets", lines(n, |n| format!(
                "f{n}: {{source: s/{n}, region: cn-beijing, fileMode: \"0444\", onMissing: skip, \
                 crossAccountRoleArn: \"acs:ram::1:role/r{n}\"}}"
            )));
        }),
        axis("files in regions that are none", 256, |pod, n| {
            pod.annotate(
                "secrets",
                lines(n, |n| format!("f{n}: {{source: s/{n}, region: cn-bejing-{n}}}")),
            );
        }),
        axis("sources in one scalar", 256, |pod, n| pod.annotate("secrets", "a,".repeat(n))),
        axis("sources in a list", 256, |pod, n| {
            pod.annotate("secrets", lines(n, |n| format!("- a{n}")));
        }),
        axis("extracts without names", 3199, |pod, n| {
            pod.annotate("secrets", lines(n, |n| format!("- a{n}#b")));
        }),
        axis("objects", 256, |pod, n| {
            pod.annotate(
                "secrets",
                lines(n, |n| format!("- {{objectName: a{n}, objectAlias: f{n}}}")),
            );
        }),
        axis("extracts of one object", 255, |pod, n| {
            let extracts = lines(n, |n| format!("    - {{path: a, objectAlias: f{n}}}"));
            pod.annotate("secrets", format!("- objectName: a\n  kmsEndpoint: kms.cn-beijing.aliyuncs.com\n  jmesPath:\n{extracts}"));
        }),
        axis("unknown fields", 1597, |pod, n| {
            let fields = (0..n).map(|n| format!("sourc{n}: x, ")).collect::<String>();
            pod.annotate("secrets", format!("a: {{{fields} source: x}}"));
        }),
        axis("nested lists", 3192, |pod, n| {
            pod.annotate("secrets", format!("a: [[[[[[{}]]]]]]", "x,".repeat(n)));
        }),
        axis("comments", 60_000, |pod, n| {
            pod.annotate("secrets", format!("{}a: b", "#12345678901234\n".repeat(n / 16)));
        }),
        axis("lines in a list of sources, which is read twice", 2000, |pod, n| {
            pod.annotate("secrets", format!("a\n# c\n{}b", "\n".repeat(n)));
        }),
        axis("one quoted text", 56_000, |pod, n| {
            pod.annotate("secrets", format!("a: \"{}\"", "\\x41".repeat(n / 4)));
        }),
        axis("roles of other accounts", 256, |pod, n| {
            pod.annotate(
                "secrets",
                lines(n, |n| {
                    format!("f{n}: {{source: s, crossAccountRoleArn: \"acs:ram::{n}:role/r\"}}")
                }),
            );
        }),
        axis("variables", 256, |pod, n| pod.annotate("env", variables(n))),
        axis("variables for each of sixteen containers", 16, |pod, n| {
            pod.containers = (0..16).map(|n| container(&format!("c{n}"))).collect();
            pod.annotate("env", variables(n));
        }),
        axis("names behind variables", 1024, |pod, n| {
            let names = (0..n.div_ceil(4)).map(|n| format!("ap{n:03},")).collect::<String>();
            pod.containers = (0..256).map(|n| container(&format!("app{n}"))).collect();
            pod.annotate(
                "env",
                lines(4, |n| format!("A{n}: {{source: x, containers: [{names}]}}")),
            );
        }),
        axis("keys and values of many annotations", 3188, |pod, n| {
            for (at, start) in (0..n).step_by(1000).enumerate() {
                let list = "x,".repeat((n - start).min(1000));
                pod.annotate(&format!("env.c{at}"), format!("A: [{list}]"));
            }
        }),
        axis("comments of many annotations", 64_000, |pod, n| {
            for (at, start) in (0..n).step_by(25_000).enumerate() {
                let comments = "#12345678901234\n".repeat((n - start).min(25_000) / 16);
                pod.annotate(&format!("env.c{at}"), format!("{comments}A{at}: b"));
            }
        }),
        axis("annotations for variables", 126, |pod, n| {
            for n in 0..n {
                pod.annotate(&format!("env.ap{n}"), variables(2));
            }
        }),
        axis("names of containers that are not there", 256, |pod, n| {
            let long = "y".repeat(55);
            let names = (0..n).map(|n| format!("{n:03}{long}z,")).collect::<String>();
            pod.containers = (0..n).map(|n| container(&format!("{n:03}{long}{n:03}"))).collect();
            pod.annotate("containers", names);
        }),
        axis("names of containers that are not there, beside one that is", 250, |pod, n| {
            let long = "y".repeat(58);
            let names = (0..n).map(|n| format!("{long}{n:03}zz,")).collect::<String>();
            pod.containers = (0..n).map(|n| container(&format!("{long}{n:03}aa"))).collect();
            pod.containers.push(container("app"));
            pod.annotate("containers", format!("app,{names}"));
        }),
        axis("patterns of the agent", 64, |pod, n| {
            pod.annotate("mode", "agent");
            pod.annotate("agent-secrets", lines(n, |n| format!("shop/{n}-*")));
        }),
        axis("patterns of the agent, far too many", 100_000, |pod, n| {
            pod.annotate("mode", "agent");
            pod.annotate("agent-secrets", "a,".repeat(n));
        }),
        axis("a long endpoint", 100_000, |pod, n| {
            pod.annotate("secrets", lines(256, |n| format!("f{n}: x")));
            pod.annotate("kms-endpoint", "{region}".repeat(n / 8));
        }),
        axis("bytes of expressions, nested", 4_000, |pod, n| expressions(pod, n, "[")),
        axis("bytes of expressions, called", 4_000, |pod, n| expressions(pod, n, "not_null(a,")),
        axis("bytes of expressions, projected", 4_000, |pod, n| {
            let one = format!("{}a", "*|".repeat(60));
            pod.annotate("env", lines(n / one.len(), |n| format!("A{n}: \"x#{one}\"")));
        }),
        axis("values in templates", 500, |pod, n| {
            for part in 0..4 {
                let calls = (0..n / 4).map(|n| format!("{{{{secret(\"s{n}\")}}}}"));
                pod.annotate(&format!("template.f{part}"), calls.collect::<String>());
            }
        }),
        axis("templates", 120, |pod, n| {
            for n in 0..n {
                pod.annotate(&format!("template.f{n}"), "{{ secret(\"x\") }}");
            }
        }),
    ];
    axes.extend([
        axis("bytes of templates, plain", 32_000, |pod, n| templates(pod, n, ["", "x", ""])),
        axis("bytes of templates, quotes", 6_500, |pod, n| templates(pod, n, ["", "\"", ""])),
        axis("bytes of templates, unknown filters", 12_000, |pod, n| {
            templates(pod, n, ["", "{{ \"a\" | quote_shel }}", ""]);
        }),
        axis("bytes of templates, one long condition", 9_300, |pod, n| {
            templates(pod, n, ["", "{% if \"a\" == \"b\" %}x{% endif %}", ""]);
        }),
        axis("bytes of templates, names that are set", 8_550, |pod, n| {
            templates(pod, n, ["", "{% set a = \"b\" %}", ""]);
        }),
        axis("bytes of templates, branches below names", 8_475, |pod, n| {
            templates(
                pod,
                n,
                ["{% if true %}", "{% set a = \"b\" %}{% if a %}{{ a }}{% endif %}", "{% endif %}"],
            );
        }),
        axis("bytes of templates, numbers", 24_000, |pod, n| {
            templates(pod, n, ["", "{{ 1.1000000000001e300 }}", ""]);
        }),
        axis("bytes of templates, numbers of JSON", 7_275, |pod, n| {
            let numbers = format!("{{% set l = json(\"[{}]\") %}}", [HALF_WAY; 10].join(","));
            templates(pod, n, [&numbers, "{{ 1 in l }}", ""]);
        }),
        axis("bytes of templates, operations that fail", 7_575, |pod, n| {
            let open = format!("{{% set a = {:?} %}}{{% if secret(\"x\") %}}", "x".repeat(700));
            templates(pod, n, [&open, r#"{{ a | replace("x", a) }}"#, "{% endif %}"]);
        }),
        axis("bytes of templates, truths of a long number", 8_325, |pod, n| {
            let open = format!("{{% set v = json(\"0.{}\") %}}", "0".repeat(2_000));
            templates(pod, n, [&open, "{{ not v }}", ""]);
        }),
        axis("bytes of templates, formats of a small mapping", 7_275, |pod, n| {
            let members = ('a'..='z').map(|key| format!("\"{key}\":\"\","));
            let mapping = format!("{{{}\"A\":\"\"}}", members.collect::<String>());
            let open = format!("{{% set m = json('{mapping}') %}}");
            templates(pod, n, [&open, "{{m|dotenv}}", ""]);
        }),
        axis("words and signs of templates", 3_000, |pod, n| {
            for (at, start) in (0..n).step_by(4000).enumerate() {
                let items = "a<1,".repeat((n - start).min(4000) / 4 - 4);
                let text = format!("{{{{[{items}secret(\"x\")]|length}}}}");
                pod.annotate(&format!("template.f{at}"), format!("{{% set a = 1 %}}{text}"));
            }
        }),
        axis("bytes of templates, escapes", 27_000, |pod, n| {
            let open = format!("{{% set v = {:?} %}}", "\u{2028}".repeat(200));
            templates(pod, n, [&open, "{{ v | urlencode }}{{ v | quote_yaml }}", ""]);
        }),
        axis("bytes of templates, filters", 10_000, |pod, n| {
            templates(pod, n, ["", "{{ \"a\" | upper | trim }}", ""]);
        }),
    ]);
    axes.push(Axis {
        settings: auto,
        ..axis("containers without commands", 256, |pod, n| {
            let bare = |n| serde_json::json!({"name": format!("c{n}"), "image": "x"});
            pod.containers = (0..n).map(bare).collect();
            pod.annotate("env", "A: x");
        })
    });
    axes
}

fn auto(_: usize) -> Settings {
    with(&["fileKeyRef=auto", "oldestKubelet=1.35"])
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|n| line(n) + "\n").collect()
}

/// Expressions of the longest kind, with as many bytes together.
fn expressions(pod: &mut Pod, bytes: usize, open: &str) {
    let close = if open == "[" { "]" } else { ")" };
    let depth = 500 / (open.len() + 1);
    let one = format!("{}a{}", open.repeat(depth), close.repeat(depth));
    let count = bytes / one.len();
    pod.annotate("secrets", lines(count, |n| format!("f{n}: \"x#{one}\"")));
}

/// It lies half way between two numbers of a machine, and is dear to read as one of them.
const HALF_WAY: &str = "1.1000000000000001321061e300";

/// Templates as long as one may be, with as many bytes together.
fn templates(pod: &mut Pod, bytes: usize, [open, part, close]: [&str; 3]) {
    const ONE: usize = 9_000;
    for (n, start) in (0..bytes).step_by(ONE).enumerate() {
        let length = (bytes - start).min(ONE);
        let text = part.repeat(length / part.len());
        pod.annotate(
            &format!("template.f{n}"),
            format!("{open}{{{{ secret(\"x\") }}}}{text}{close}"),
        );
    }
}
