//! `secrets-webhook inject` on manifests as people write them.

use std::fs;

use serde_json::Value;

use crate::support::{ACCOUNT, Run, TEMPLATE, indented, secrets_webhook};

fn inject(text: &str) -> Run {
    secrets_webhook(&["inject", "-f", "-"], text)
}

/// The output of a run that must succeed, and must not change when it is injected again.
fn injected(text: &str) -> String {
    let Run { code, stdout, stderr } = inject(text);
    assert_eq!((code, stderr.as_str()), (0, ""), "{text}");
    let again = inject(&stdout);
    assert_eq!((again.code, again.stdout.as_str()), (0, stdout.as_str()), "{}", again.stderr);
    stdout
}

/// The documents of a YAML text.
fn values(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

fn assert_injected(spec: &Value) {
    assert_eq!(names(&spec["initContainers"]), ["kms-secrets-init"], "{spec:#}");
    assert_eq!(names(&spec["containers"]), ["app"]);
    assert_eq!(names(&spec["containers"][0]["volumeMounts"]), ["kms-secrets"]);
    assert_eq!(names(&spec["volumes"]), ["kms-secrets", "kms-rrsa-token"]);
}

/// The plan that a Pod's fetcher would get.
fn plan(spec: &Value) -> Value {
    let env = spec["initContainers"][0]["env"].as_array().unwrap();
    let variable = env.iter().find(|it| it["name"] == "SECRETS_INJECTOR_PLAN").unwrap();
    serde_json::from_str(variable["value"].as_str().unwrap()).unwrap()
}

/// Each line of `before` stands in `after`, in order.
fn assert_survives(before: &str, after: &str) {
    let mut lines = after.split_inclusive('\n');
    for line in before.split_inclusive('\n') {
        assert!(lines.any(|it| it == line), "{line:?} of\n{before}is not in\n{after}");
    }
}

#[test]
fn every_kind_of_workload_is_injected_in_its_template() {
    for (version, kind, path) in [
        ("v1", "Pod", ""),
        ("v1", "PodTemplate", "/template"),
        ("v1", "ReplicationController", "/spec/template"),
        ("apps/v1", "Deployment", "/spec/template"),
        ("apps/v1", "StatefulSet", "/spec/template"),
        ("apps/v1", "DaemonSet", "/spec/template"),
        ("apps/v1", "ReplicaSet", "/spec/template"),
        ("batch/v1", "Job", "/spec/template"),
        ("batch/v1", "CronJob", "/spec/jobTemplate/spec/template"),
        ("apps.kruise.io/v1alpha1", "CloneSet", "/spec/template"),
        ("argoproj.io/v1alpha1", "Rollout", "/spec/template"),
        ("serving.knative.dev/v1", "Service", "/spec/template"),
    ] {
        let mut text = format!("# a {kind}\napiVersion: {version}\nkind: {kind}\n");
        let depth = path.split('/').skip(1).enumerate().fold(0, |_, (depth, step)| {
            text.push_str(&format!("{}{step}:\n", "  ".repeat(depth)));
            depth + 1
        });
        text.push_str(&indented(TEMPLATE, 2 * depth));
        let text = format!("{text}---\n{ACCOUNT}");
        let output = injected(&text);
        assert_survives(&text, &output);
        let workload = &values(&output)[0];
        let spec = workload.pointer(&format!("{path}/spec")).unwrap();
        assert_injected(spec);
        assert_eq!(plan(spec)["identity"]["role"], "acs:ram::1234567890123456:role/shop");
        assert_eq!(spec["fieldOfTheFuture"], values(TEMPLATE)[0]["spec"]["fieldOfTheFuture"]);
    }
}

#[test]
fn documents_that_do_not_change_keep_every_byte() {
    let before = "%YAML 1.2\n---\n# settings,   oddly   written\n{ \"kind\" : ConfigMap,\n data: {a: ~} }\n...\n---\n# nothing here\n---\n\n";
    let after = "\n--- # the account\nkind:   Secret\nstringData: {\"a\": 'b'}\n---\n";
    let pod = format!("kind: Pod\n{TEMPLATE}");
    let output = injected(&format!("{before}{pod}{after}---\n{ACCOUNT}"));
    assert!(output.starts_with(before), "{output}");
    assert!(output.ends_with(&format!("{after}---\n{ACCOUNT}")), "{output}");
    assert_survives(&pod, &output);
}

#[test]
fn without_annotated_pods_the_output_is_the_input() {
    let plain = TEMPLATE.replace("kms.alibabacloud/", "example.com/");
    let opted_out = TEMPLATE
        .replace("annotations:", "labels: {kms.alibabacloud/injection: disabled}\n  annotations:");
    for text in [
        "",
        "\n",
        "# only a comment",
        "---\n---\n# two\n...\n",
        "just text\n",
        "- a list\n- of things\n",
        "a: b",
        "\u{feff}kind: Service\r\n",
        "kind: List\nitems: []\n",
        "{\"kind\": \"Pod\"}",
        &format!("kind: Pod\n{plain}"),
        &format!("kind: Pod\n{opted_out}"),
    ] {
        assert_eq!(injected(text), text);
    }
}

#[test]
fn items_of_lists_are_injected_in_place() {
    let item = |kind: &str, text: &str| {
        let text = indented(text, 2);
        format!("- kind: {kind}\n{text}")
    };
    let other = TEMPLATE.replace("kms.alibabacloud/", "example.com/");
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n{}{}# the last\n{}",
        item("Pod", TEMPLATE),
        item("Pod", &other),
        indented(ACCOUNT, 2).replacen("  ", "- ", 1),
    );
    for kind in ["kind: List", "kind: PodList"] {
        let list = list.replace("kind: List", kind);
        let output = injected(&list);
        assert_survives(&list, &output);
        let items = &values(&output)[0]["items"];
        assert_injected(&items[0]["spec"]);
        assert_eq!(items[1]["spec"], values(&other)[0]["spec"]);
    }
}

#[test]
fn json_stays_json_in_its_own_layout() {
    let list = serde_json::json!({
        "kind": "List",
        "items": [values(ACCOUNT)[0], {"kind": "Deployment", "spec": {"template": values(TEMPLATE)[0]}}],
        "unknown": "\u{1}\u{e9}/",
    });
    let pretty = serde_json::to_string_pretty(&list).unwrap() + "\n";
    let wide = pretty.replace("  ", "    ");
    let tabs = pretty.replace("  ", "\t").replace('/', "\\/");
    let dense = list.to_string();
    for text in [&pretty, &wide, &tabs, &dense] {
        let output = injected(text);
        let value: Value = serde_json::from_str(&output).unwrap();
        assert_injected(&value["items"][1]["spec"]["template"]["spec"]);
        assert_eq!(value["unknown"], list["unknown"]);
        assert_eq!(output.ends_with('\n'), text.ends_with('\n'));
    }
    let standard = |text: &str| {
        let value: Value = serde_json::from_str(text).unwrap();
        serde_json::to_string_pretty(&value).unwrap() + "\n"
    };
    let output = injected(&pretty);
    assert_eq!(output, standard(&output));
    assert_eq!(injected(&wide), output.replace("  ", "    "));
    assert!(!injected(&dense).contains('\n'));
}

#[test]
fn json_objects_may_follow_each_other() {
    let account = values(ACCOUNT)[0].to_string();
    let mut pod = values(TEMPLATE)[0].clone();
    pod["kind"] = "Pod".into();
    let output = injected(&format!("{account}\n{pod}{account}\n"));
    assert!(output.starts_with(&format!("{account}\n{{")), "{output}");
    assert!(output.ends_with(&format!("}}{account}\n")), "{output}");
    let objects = serde_json::Deserializer::from_str(&output).into_iter::<Value>();
    assert_injected(&objects.map(Result::unwrap).nth(1).unwrap()["spec"]);
}

#[test]
fn line_ends_of_windows_stay() {
    let text = format!("kind: Pod\n{TEMPLATE}---\n{ACCOUNT}").replace('\n', "\r\n");
    let output = injected(&text);
    assert_survives(&text, &output);
    assert_eq!(output.matches('\n').count(), output.matches("\r\n").count());
    assert_injected(&values(&output)[0]["spec"]);
}

#[test]
fn anchors_aliases_and_merge_keys_keep_their_meaning() {
    let text = format!(
        "kind: List
items:
- kind: Deployment
  metadata: {{name: a, labels: &labels {{app: shop}}}}
  spec:
    selector: {{matchLabels: *labels}}
    template: &template
{}- kind: Deployment
  metadata: {{name: b}}
  spec: {{template: *template}}
- kind: Job
  spec:
    template:
      <<: *template
      extra: 1
---
{ACCOUNT}",
        indented(TEMPLATE, 6)
    );
    let list = &values(&injected(&text))[0];
    for index in 0..3 {
        assert_injected(&list["items"][index]["spec"]["template"]["spec"]);
    }
    assert_eq!(list["items"][0]["spec"]["selector"]["matchLabels"]["app"], "shop");
    assert_eq!(list["items"][2]["spec"]["template"]["extra"], 1);
}

#[test]
fn what_an_alias_stands_for_may_change_without_it_at_the_cost_of_comments() {
    let head = "# before\nkind: Deployment # a comment\nspec:\n  template: &template\n";
    let template = indented(TEMPLATE, 4);
    let text = format!("{head}{template}copy: *template\n# behind\n---\n{ACCOUNT}");
    let Run { code, stdout, stderr } = inject(&text);
    assert_eq!(code, 0, "{stderr}");
    let warning = "standard input:2: warning: the document is written anew, without its comments";
    assert!(stderr.starts_with(warning), "{stderr}");
    assert_eq!(injected(&stdout), stdout);
    assert!(stdout.starts_with("# before\nkind: Deployment\n"), "{stdout}");
    assert!(stdout.ends_with(&format!("\n# behind\n---\n{ACCOUNT}")), "{stdout}");
    let deployment = &values(&stdout)[0];
    assert_injected(&deployment["spec"]["template"]["spec"]);
    assert_eq!(deployment["copy"], values(TEMPLATE)[0]);
}

#[test]
fn a_document_that_would_not_be_read_behind_its_neighbour_is_a_problem() {
    // A carriage return alone ends the line that divides them.
    let template = indented(TEMPLATE, 4);
    let deployment = format!("kind: Deployment\nspec:\n  template: &a\n{template}copy: *a\n");
    let run = inject(&format!("{ACCOUNT}---\r{deployment}"));
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    let problem = "standard input:1: the document cannot be written again with the same meaning";
    assert!(run.stderr.contains(problem), "{}", run.stderr);
}

#[test]
fn an_alias_elsewhere_costs_no_comment() {
    let text = format!(
        "kind: Pod # a Pod\nx-labels: &labels {{a: b}}\ny: *labels # again\n{TEMPLATE}---\n{ACCOUNT}"
    );
    assert_survives(&text, &injected(&text));
}

#[test]
fn namespace_and_account_are_found_in_the_manifests() {
    let namespaced = |namespace: &str| {
        let pod =
            TEMPLATE.replacen("metadata:", &format!("metadata:\n  namespace: {namespace}"), 1);
        let account = ACCOUNT
            .replacen("metadata:", &format!("metadata:\n  namespace: {namespace}"), 1)
            .replace("role/shop", &format!("role/{namespace}"));
        format!("kind: Pod\n{pod}---\n{account}")
    };
    let text =
        format!("{}---\n{}---\nkind: Pod\n{TEMPLATE}", namespaced("blue"), namespaced("red"));
    let run = secrets_webhook(&["inject", "-n", "red", "-f", "-"], text);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let documents = values(&run.stdout);
    let identity = |index: usize| plan(&documents[index]["spec"])["identity"].clone();
    for (index, namespace) in [(0, "blue"), (2, "red"), (4, "red")] {
        assert_eq!(identity(index)["role"], format!("acs:ram::1234567890123456:role/{namespace}"));
        assert!(identity(index)["session"].as_str().unwrap().contains(namespace));
    }
}

#[test]
fn files_directories_and_standard_input_come_out_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::create_dir(path("all")).unwrap();
    for (name, text) in [
        ("all/b.yml", "kind: B"),
        ("all/a.yaml", "kind: A\n"),
        ("all/c.json", "{\"kind\": \"C\"}\n"),
        ("all/notes.txt", "kind: [\n"),
        ("d.json", "{\"kind\": \"D\"}\n"),
    ] {
        fs::write(path(name), text).unwrap();
    }
    let [all, d] = [path("all"), path("d.json")].map(|path| path.to_str().unwrap().to_owned());
    let run = secrets_webhook(&["inject", "-f", &all, "-f", "-", "-f", &d], "---\nkind: E\n");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(
        run.stdout,
        "kind: A\n---\nkind: B\n---\n{\"kind\": \"C\"}\n---\nkind: E\n---\n{\"kind\": \"D\"}\n"
    );
    let run = secrets_webhook(&["inject", "-f", &d, "-f", &d], "");
    assert_eq!(run.stdout, "{\"kind\": \"D\"}\n{\"kind\": \"D\"}\n");
}

#[test]
fn one_problem_keeps_everything_back() {
    let good = format!("kind: Pod\n{TEMPLATE}---\n{ACCOUNT}");
    let bad = TEMPLATE.replace("'db.json: kms://db'", "'{a: kms://a, b: \"s3://b\"}'");
    let run = inject(&format!("{good}---\nkind: Pod\n{bad}"));
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    let lines: Vec<_> = run.stderr.lines().collect();
    assert!(lines[0].starts_with("standard input:22: Pod/(no name): annotation"), "{lines:?}");
    assert_eq!(lines[1..], ["secrets-webhook: 1 problem, nothing was written"]);
}

#[test]
fn an_unreadable_document_is_the_only_problem_of_good_neighbours() {
    let good = format!("{ACCOUNT}---\nkind: Pod\n{TEMPLATE}");
    let run = inject(&format!("{good}---\na: [\n---\n{good}"));
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.starts_with("standard input:19: not YAML"), "{}", run.stderr);
    assert!(run.stderr.ends_with("1 problem, nothing was written\n"), "{}", run.stderr);
    let run = inject(&format!("{good}---\na: ["));
    assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
}

#[test]
fn a_warning_does_not_keep_anything_back() {
    let text = "kind: Deployment\nmetadata:\n  name: web\n  annotations:\n    kms.alibabacloud/secrets: db\n";
    let run = inject(text);
    assert_eq!((run.code, run.stdout.as_str()), (0, text));
    assert!(run.stderr.contains("standard input:5: Deployment/web: warning:"), "{}", run.stderr);
}

#[test]
fn input_that_cannot_be_read_is_refused_with_its_place_and_never_quoted() {
    let bomb = {
        let level = |index: usize| {
            let names = vec![format!("*a{}", index - 1); 10].join(", ");
            format!("a{index}: &a{index} [{names}]\n")
        };
        let levels: String = (1..9).map(level).collect();
        format!("a0: &a0 [canary]\n{levels}")
    };
    let chain: String = (1..2_000).map(|i| format!("b{i}: &b{i} [*b{}]\n", i - 1)).collect();
    for (text, line, what) in [
        ("a: 1\nb: [canary\n".to_owned(), 2, "bracket"),
        ("a: \"canary\n".to_owned(), 2, "quote"),
        ("a: \"\\canary\"\n".to_owned(), 1, "backslash"),
        ("a:\n\tb: canary\n".to_owned(), 2, "tab"),
        ("a: 1\n  canary: 2\n".to_owned(), 2, "not YAML"),
        ("a: *canary\n".to_owned(), 1, "anchor"),
        ("canary: 1\nb: 2\ncanary: 3\n".to_owned(), 3, "twice"),
        ("{\"canary\": 1, \"canary\": 2}".to_owned(), 1, "twice"),
        ("? [canary]\n: 1\n".to_owned(), 1, "key"),
        ("<<: canary\n".to_owned(), 1, "merge"),
        ("a: &a [*a]\n".to_owned(), 1, "alias"),
        ("[".repeat(100_000), 1, "100 levels"),
        ("- ".repeat(10_000), 1, "100 levels"),
        (bomb, 7, "million"),
        (format!("b0: &b0 [canary]\n{chain}"), 100, "100 levels"),
        ("a: 1\n---\nkind: {{ canary }}\n".to_owned(), 3, "not rendered"),
    ] {
        let run = inject(&text);
        let start = text.chars().take(40).collect::<String>();
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{start}");
        let place = format!("standard input:{line}: ");
        assert!(run.stderr.starts_with(&place), "{start}: {}", run.stderr);
        assert!(run.stderr.contains(what), "{start}: {}", run.stderr);
        assert!(!run.stderr.contains("canary"), "{}", run.stderr);
    }
}

#[test]
fn input_that_is_not_text_or_too_much_of_it_is_refused() {
    let run = secrets_webhook(&["inject", "-f", "-"], b"a: 1\nb: \xff\n");
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert_eq!(run.stderr, "secrets-webhook: standard input:2: not UTF-8\n");
    let run = secrets_webhook(&["inject", "-f", "-"], vec![b'#'; (16 << 20) + 1]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert_eq!(run.stderr, "secrets-webhook: standard input is larger than 16 MiB\n");
    let run = inject(&"- a\n".repeat(2_000_000));
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.contains("million"), "{}", run.stderr);
    let run = secrets_webhook(&["inject", "-f", "/nowhere/at/all.yaml"], "");
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.contains("reading /nowhere/at/all.yaml"), "{}", run.stderr);
}
