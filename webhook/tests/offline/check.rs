//! `secrets-webhook check`: what is wrong, and on which line of the file.

use std::fs;

use crate::support::{ACCOUNT, Run, TEMPLATE, indented, secrets_webhook};

fn check(text: &str) -> Run {
    secrets_webhook(&["check", "-f", "-"], text)
}

/// The lines of the file that problems and warnings are on.
fn lines(run: &Run) -> Vec<usize> {
    let findings = run.stdout.lines().filter_map(|line| line.strip_prefix("standard input:"));
    findings.map(|rest| rest.split(':').next().unwrap().parse().unwrap()).collect()
}

/// A Pod with this in place of its annotation, which begins on line 4.
fn pod(annotation: &str) -> String {
    let template =
        TEMPLATE.replace("    kms.alibabacloud/secrets: 'db.json: kms://db'\n", annotation);
    format!("kind: Pod\n{template}---\n{ACCOUNT}")
}

#[test]
fn good_manifests_are_counted() {
    let other = TEMPLATE.replace("kms.alibabacloud/", "example.com/");
    let text = format!(
        "kind: Deployment\nspec:\n  template:\n{}---\nkind: Pod\n{other}---\n{ACCOUNT}",
        indented(TEMPLATE, 4)
    );
    let run = check(&text);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(run.stdout, "2 Pod templates checked, 1 annotated\n");
}

#[test]
fn a_problem_names_the_line_it_is_on() {
    for (annotation, expected) in [
        ("    kms.alibabacloud/secrets: '{a: kms://a, db: \"s3://db\"}'\n", vec![4]),
        ("    kms.alibabacloud/secrets:\n      '{a: kms://a, db: \"s3://db\"}'\n", vec![5]),
        (
            "    kms.alibabacloud/secrets: | # files\n      a: kms://a\n      b: s3://b\n\n      c: s3://c\n",
            vec![6, 8],
        ),
        (
            "    kms.alibabacloud/secrets: |\n\n      # first\n      a: s3://a\n      b: kms://b\n",
            vec![7],
        ),
        (
            "    # a comment\n    kms.alibabacloud/secrets: >-\n      a: kms://a\n\n      b: s3://b\n",
            vec![8],
        ),
        ("    kms.alibabacloud/secrets: \"a: kms://a\n\n      b: s3://b\"\n", vec![6]),
        ("    kms.alibabacloud/secrets: \"a: kms://a\\nb: s3://b\"\n", vec![4]),
        (
            "    kms.alibabacloud/secrets: db\n    kms.alibabacloud/regionn: x\n    kms.alibabacloud/timeout: soon\n",
            vec![5, 6],
        ),
    ] {
        let run = check(&pod(annotation));
        assert_eq!(run.code, 1, "{annotation}");
        assert_eq!(lines(&run), expected, "{annotation}{}", run.stdout);
        assert!(
            run.stdout.contains("Pod/(no name): annotation kms.alibabacloud/"),
            "{}",
            run.stdout
        );
        assert!(run.stdout.ends_with("1 Pod template checked, 1 annotated\n"));
    }
}

#[test]
fn a_problem_in_json_names_the_line_of_the_string() {
    let text = "{\n \"kind\": \"Pod\",\n \"metadata\": {\"annotations\": {\n  \"kms.alibabacloud/secrets\":\n   \"a: kms://a\\nb: s3://b\"}},\n \"spec\": {\"containers\": [{\"name\": \"app\"}]}\n}\n{\"kind\": \"Pod\",\n \"metadata\": {\"annotations\": {\n  \"kms.alibabacloud/mode\": \"fast\"}}}\n";
    let run = check(text);
    assert_eq!(run.code, 1);
    let lines = lines(&run);
    assert!(lines.contains(&5) && lines.contains(&10), "{}", run.stdout);
}

#[test]
fn a_problem_of_a_container_names_its_line() {
    let text = pod("    kms.alibabacloud/secrets: db\n").replace(
        "      image: shop:1.10\n",
        "      image: shop:1.10\n    - name: kms-secrets-init\n",
    );
    let run = check(&text);
    assert_eq!(run.code, 1);
    let line = text.lines().position(|line| line.contains("kms-secrets-init")).unwrap() + 1;
    assert!(lines(&run).contains(&line), "{}", run.stdout);
}

#[test]
fn a_value_of_a_wrong_type_is_named_with_its_field_and_line() {
    for (wrong, words) in [
        ("command: /app", "spec.containers[0].command: it is a string, and"),
        ("command: [5]", "spec.containers[0].command[0]: it is a number, and"),
        ("ports: {http: 80}", "spec.containers[0].ports: it is a mapping, and"),
        ("env: [{name: A, value: true}]", "spec.containers[0].env[0].value: it is a boolean, and"),
        (
            "volumeMounts: x",
            "correct it as `kubectl explain pod.spec.containers.volumeMounts` says",
        ),
    ] {
        let text = pod("    kms.alibabacloud/secrets: 'db: kms://db'\n")
            .replace("shop:1.10\n", &format!("shop:1.10\n      {wrong}\n"));
        let run = check(&text);
        assert_eq!(run.code, 1, "{}", run.stdout);
        let line = text.lines().position(|line| line.contains(wrong)).unwrap() + 1;
        assert_eq!(lines(&run), [line], "{}", run.stdout);
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
}

#[test]
fn annotations_beside_the_template_are_a_warning() {
    let ours = "metadata:\n  name: web\n  annotations:\n    kms.alibabacloud/mode: init\n";
    let template = indented(TEMPLATE, 4);
    let text = format!("kind: StatefulSet\n{ours}spec:\n  template:\n{template}---\n{ACCOUNT}");
    let run = check(&text);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.starts_with("standard input:5: StatefulSet/web: warning: annotation kms.alibabacloud/mode: it does nothing here; move it"), "{}", run.stdout);

    let template = indented(TEMPLATE, 8);
    let job = indented(ours, 4);
    let text = format!(
        "kind: CronJob\n{ours}spec:\n  jobTemplate:\n{job}    spec:\n      template:\n{template}---\n{ACCOUNT}"
    );
    let run = check(&text);
    assert_eq!((run.code, lines(&run)), (0, vec![5, 11]), "{}", run.stdout);

    let run = check(&format!("kind: Service\n{ours}"));
    assert_eq!((run.code, lines(&run)), (0, vec![5]), "{}", run.stdout);
}

#[test]
fn documents_behind_an_unreadable_one_are_checked_too() {
    let bad = pod("    kms.alibabacloud/secrets: '{a: kms://a, db: \"s3://db\"}'\n");
    let run = check(&format!("a: [\n---\na: 1\na: 2\n---\n{bad}"));
    assert_eq!((run.code, lines(&run)), (1, vec![1, 4, 9]), "{}", run.stdout);
    assert_eq!(run.stderr, "secrets-webhook: 3 problems\n");
}

#[test]
fn findings_name_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let [good, bad] = [path("good.yaml"), path("bad.yaml")];
    fs::write(&good, pod("    kms.alibabacloud/secrets: db\n")).unwrap();
    fs::write(&bad, pod("    kms.alibabacloud/secrets: '{a: kms://a, db: \"s3://db\"}'\n"))
        .unwrap();
    let run = secrets_webhook(&["check", "-f", &good, "-f", &bad], "");
    assert_eq!(run.code, 1);
    assert!(run.stdout.starts_with(&format!("{bad}:4: Pod/")), "{}", run.stdout);
    assert!(run.stdout.ends_with("2 Pod templates checked, 2 annotated\n"), "{}", run.stdout);
}

#[test]
fn names_cannot_command_the_terminal() {
    let text = pod("    kms.alibabacloud/secrets: '{a: kms://a, db: \"s3://db\"}'\n")
        .replace("kind: Pod\nmetadata:", "kind: Pod\nmetadata:\n  name: \"a\\e[2J\\nb\"");
    let run = check(&text);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("Pod/a[2Jb: annotation"), "{}", run.stdout);
}

#[test]
fn wrong_usage_and_wrong_settings_end_with_64() {
    for args in [
        vec!["check"],
        vec!["check", "-f"],
        vec!["check", "-f", "-", "--setting", "regoin=x"],
        vec!["check", "-f", "-", "--setting", "network=moon"],
        vec!["inject", "-f", "-", "--settings", "/nowhere/settings.yaml"],
    ] {
        let run = secrets_webhook(&args, "");
        assert_eq!((run.code, run.stdout.as_str()), (64, ""), "{args:?}: {}", run.stderr);
        assert!(!run.stderr.is_empty());
    }
}

#[test]
fn several_files_are_given_behind_one_flag_or_none() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let one = write("one.yaml", &format!("kind: Pod\n{TEMPLATE}"));
    let two = write("two.yaml", ACCOUNT);
    let three = write("three.yaml", &format!("kind: Pod\n{TEMPLATE}"));
    let (one, two, three) = (one.as_str(), two.as_str(), three.as_str());
    for args in [
        &["check", "-f", one, two, three][..],
        &["check", "-f", one, two, "--filename", three],
        &["check", one, two, three],
        &["check", "--namespace", "default", one, "-f", two, three],
    ] {
        let run = secrets_webhook(args, "");
        assert_eq!(run.code, 0, "{args:?}: {}{}", run.stdout, run.stderr);
        assert_eq!(run.stdout, "2 Pod templates checked, 2 annotated\n", "{args:?}");
    }
    let run = secrets_webhook(&["inject", "-f", one, two, three], "");
    assert_eq!((run.code, run.stdout.matches("kms-secrets-init").count() > 1), (0, true));
    assert_eq!(secrets_webhook(&["check"], "").code, 64);
}

#[test]
fn a_namespace_that_is_not_opted_in_is_a_warning_on_its_annotated_templates() {
    let namespace = |name: &str, label: &str| {
        format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{{label}}}}}\n"
        )
    };
    let pod = pod("    kms.alibabacloud/secrets: 'db.json: kms://db'\n");
    let enabled = "kms.alibabacloud/injection: enabled";
    let disabled = "kms.alibabacloud/injection: disabled";
    for (namespace, expected) in [
        (namespace("default", enabled), vec![]),
        (namespace("default", disabled), vec![4]),
        (namespace("default", "team: shop"), vec![4]),
        (namespace("elsewhere", "team: shop"), vec![]),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n".to_owned(), vec![4]),
    ] {
        let run = check(&format!("{pod}---\n{namespace}"));
        assert_eq!((run.code, lines(&run)), (0, expected), "{namespace}{}", run.stdout);
    }
    let run = check(&format!("{pod}---\n{}", namespace("default", disabled)));
    assert!(
        run.stdout.starts_with(
            "standard input:4: Pod/(no name): warning: nothing is injected in namespace default: \
             set the label kms.alibabacloud/injection: enabled on it\n"
        ),
        "{}",
        run.stdout
    );
    // A template that asks for nothing lacks nothing.
    let other = pod.replace("kms.alibabacloud/", "example.com/");
    let run = check(&format!("{other}---\n{}", namespace("default", disabled)));
    assert_eq!((run.code, lines(&run)), (0, vec![]), "{}", run.stdout);
}

#[test]
fn the_operators_policy_counts_offline_too() {
    let text = pod("    kms.alibabacloud/secrets: 'db.json: kms://db'\n");
    let rule = |namespace: &str| {
        format!("policy=[{{name: one, namespaces: [{namespace}], roles: ['*']}}]")
    };
    for command in ["check", "inject"] {
        let run = |namespace: &str| {
            let rule = rule(namespace);
            secrets_webhook(&[command, "-f", "-", "-n", "shop", "--setting", &rule], &text)
        };
        assert_eq!(run("shop").code, 0, "{:?}", run("shop"));
        let refused = run("other");
        assert_eq!(refused.code, 1, "{refused:?}");
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(said.contains("by rrsa: no rule names this namespace"), "{said}");
    }
}

#[test]
fn a_problem_of_a_template_names_the_line_in_it() {
    let run = check(&pod("    kms.alibabacloud/template.f: \"a\\n{{ secret('x') * 2 }}\"\n"));
    assert_eq!(lines(&run), [4], "{}", run.stdout);
    assert!(
        run.stdout.contains("template.f, template line 2: a template does not"),
        "{}",
        run.stdout
    );
}

#[test]
fn what_looks_like_ours_and_is_not_is_told() {
    let text = "\
kind: Pod
metadata:
  name: one
  annotations: {kms.alibabacloud.com/secrets: 'db: kms://db'}
  labels:
    kms.alibabacloud/secrets: shop
    kms.alibabacloud/injection: 'false'
spec: {containers: [{name: app, image: b}]}
---
kind: Namespace
metadata: {name: shop, labels: {kms.alibabacloud/injection: 'true'}}
---
kind: Deployment
metadata: {name: two, labels: {kms.aliyun.com/injection: disabled}}
spec: {template: {metadata: {labels: {app: kms, example.com/kms: x}}, spec: {containers: [{name: a}]}}}
";
    let run = check(text);
    assert_eq!((run.code, lines(&run)), (0, vec![4, 6, 7, 11, 14]), "{}", run.stdout);
    for words in [
        "annotation kms.alibabacloud.com/secrets: it means nothing here, and nothing is injected for it; did you mean kms.alibabacloud/secrets?",
        "label kms.alibabacloud/secrets: labels mean nothing here; write it as an annotation",
        "label kms.alibabacloud/injection: false opts nothing out; write disabled",
        "label kms.alibabacloud/injection: true opts nothing in; write kms.alibabacloud/injection: enabled",
        "label kms.aliyun.com/injection: it means nothing here; did you mean kms.alibabacloud/injection?",
    ] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
}
