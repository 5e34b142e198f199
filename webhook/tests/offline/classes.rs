//! `check` and `inject` with SecretProviderClasses in their input.

use std::fs;

use crate::support::{ACCOUNT, Run, secrets_webhook};

const READ: [&str; 2] = ["--setting", "secretProviderClasses=read"];

const POD: &str = "\
kind: Pod
metadata:
  name: web
  annotations:
    kms.alibabacloud/secret-provider-class: db
spec:
  serviceAccountName: shop
  containers:
    - {name: app, image: 'shop:1.10'}
";

const CLASS: &str = "\
apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: db
spec:
  provider: alibabacloud
  parameters:
    objects: |
      - objectName: shop/db
        objectAlias: db
";

fn check(text: &str) -> Run {
    let args = [&["check", "-f", "-"][..], &READ].concat();
    secrets_webhook(&args, text)
}

#[test]
fn a_class_of_the_input_stands_for_annotations() {
    let text = format!("{POD}---\n{CLASS}---\n{ACCOUNT}");
    let run = check(&text);
    assert_eq!((run.code, run.stdout.as_str()), (0, "1 Pod template checked, 1 annotated\n"));
    let args = [&["inject", "-f", "-"][..], &READ].concat();
    let run = secrets_webhook(&args, &text);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.contains("kms-secrets-init") && run.stdout.matches("shop/db").count() == 2);
    assert!(run.stdout.contains(CLASS), "{}", run.stdout);
}

#[test]
fn a_problem_in_a_class_names_its_file_and_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    fs::write(path("pod.yaml"), format!("{POD}---\n{ACCOUNT}")).unwrap();
    let (pod, class) = (path("pod.yaml"), path("class.yaml"));
    for (from, to, line, told) in [
        (
            "        objectAlias: db\n",
            "        objectAlias: ../db\n",
            10,
            "SecretProviderClass db, parameters.objects, item 1, objectAlias: ",
        ),
        ("alibabacloud", "vault", 6, "SecretProviderClass db, provider: it is not alibabacloud"),
        (
            "    objects:",
            "    region: CN\n    objects:",
            8,
            "SecretProviderClass db, parameters.region: ",
        ),
        (
            "    objects: |",
            "    objects:",
            8,
            "SecretProviderClass db, parameters.objects: the value is a list",
        ),
        ("    objects: |", "    region: |", 8, "SecretProviderClass db, parameters.region: "),
    ] {
        fs::write(&class, CLASS.replace(from, to)).unwrap();
        let args = [&["check", "-f", &pod, "-f", &class][..], &READ].concat();
        let run = secrets_webhook(&args, "");
        assert_eq!(run.code, 1, "{}", run.stdout);
        let told = format!("{class}:{line}: Pod/web: {told}");
        assert!(run.stdout.contains(&told), "{told}\n{}", run.stdout);
    }
}

#[test]
fn a_class_counts_for_its_own_namespace_and_of_its_own_kind() {
    let elsewhere = CLASS.replace("  name: db\n", "  name: db\n  namespace: other\n");
    let unlike = CLASS.replace("secrets-store.csi.x-k8s.io", "example.com");
    for class in [elsewhere, unlike, String::new()] {
        let run = check(&format!("{POD}---\n{ACCOUNT}---\n{class}"));
        assert_eq!(run.code, 1);
        let told = "standard input:5: Pod/web: annotation kms.alibabacloud/secret-provider-class: SecretProviderClass db is not known here";
        assert!(run.stdout.contains(told), "{}", run.stdout);
    }
}

#[test]
fn settings_with_which_no_cluster_reads_classes_are_warned_about() {
    let text = format!("{POD}---\n{CLASS}---\n{ACCOUNT}");
    let run = secrets_webhook(&["check", "-f", "-"], &text);
    assert_eq!(run.code, 0);
    let told = "standard input:5: Pod/web: warning: with these settings the webhook of a cluster reads no SecretProviderClass";
    assert!(run.stdout.contains(told), "{}", run.stdout);
}
