//! Where variables may go by files that the kubelet reads, they do so by themselves only if no
//! kubelet of the cluster is too old: that one would start the application with empty variables.

use lab::cluster::{Output, until};
use serde_json::Value;

use crate::install::helm;
use crate::pods::{annotated, plain, with};
use crate::release::{at_work, ours, pods_that_are_there};
use crate::stage::{Namespace, PATIENCE, RELEASE, kubelet_minor};

/// A container of which nobody says how it is started, and nobody how its variable gets there.
fn bare() -> Value {
    let env = [("env", "PASSWORD: kms://app/db#password\n")];
    let pod = annotated(plain("bare", ""), &env);
    with(pod, "/spec/containers/0/command", Value::Null)
}

fn asks(place: &Namespace) -> Output {
    let create = place.kubectl(&["create", "--dry-run=server", "-o", "json", "-f", "-"]);
    create.input(bare().to_string()).output().unwrap()
}

/// All replicas have these settings: they were started with them, and no other answers any more.
fn operated_with(place: &Namespace, settings: &[&str]) {
    let set: Vec<_> = settings.iter().flat_map(|set| ["--set-string", set]).collect();
    helm("upgrade", &set).run().unwrap();
    ours(&["rollout", "restart", "deployment", RELEASE]).run().unwrap();
    at_work(place);
    until("replicas with other settings to end", PATIENCE, || {
        Ok((pods_that_are_there() == 2).then_some(()).into())
    })
    .unwrap();
}

#[test]
fn by_itself_unless_the_operator_knows_of_none() {
    const AUTO: &str = "settings.fileKeyRef=auto";
    let place = Namespace::opted_in("old-kubelet");
    if kubelet_minor() >= 35 {
        operated_with(&place, &[AUTO]);
        let admitted = asks(&place);
        assert!(admitted.success, "{}", admitted.stderr);
        let pod: Value = serde_json::from_str(&admitted.stdout).unwrap();
        let variable = &pod["spec"]["containers"][0]["env"][0];
        assert_eq!(variable["name"], "PASSWORD", "{pod}");
        assert!(variable["valueFrom"]["fileKeyRef"].is_object(), "{variable}");
    }
    for old in ["1.34", ""] {
        operated_with(&place, &[AUTO, &format!("settings.oldestKubelet={old}")]);
        let refused = asks(&place);
        assert!(!refused.success, "with {old:?}: {}", refused.stdout);
        for words in ["container \"app\"", "write the image's entrypoint as its command"] {
            assert!(refused.stderr.contains(words), "with {old:?}: {}", refused.stderr);
        }
    }
    operated_with(&place, &[]);
}
