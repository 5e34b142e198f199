//! What a story needs of the cluster: a namespace of its own, kubectl as a person uses it, and
//! patience with a deadline.

use std::time::Duration;

use lab::cluster::{Cluster, Look, Output, Tool, until};
use serde_json::{Value, json};

use crate::pods::CANARY;

/// Starting a Pod takes seconds; what takes this long hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
pub(crate) const ROLE: &str = "acs:ram::1234567890123456:role/app";
/// The name of release, Deployment, Service and most other objects.
pub(crate) const RELEASE: &str = "alibabacloud-secrets-injector";
pub(crate) const RELEASE_NAMESPACE: &str = "secrets-injector";

/// The cluster that `hack/e2e` started.
pub(crate) fn cluster() -> Cluster {
    let name = std::env::var("SECRETS_LAB_CLUSTER").unwrap_or_else(|_| "default".to_owned());
    Cluster::attach(&name).unwrap()
}

pub(crate) fn kubectl(arguments: &[&str]) -> Tool {
    cluster().kubectl().args(arguments)
}

/// The minor version of the cluster's one kubelet.
pub(crate) fn kubelet_minor() -> u32 {
    let path = "jsonpath={.items[0].status.nodeInfo.kubeletVersion}";
    let version = kubectl(&["get", "nodes", "-o", path]).run().unwrap();
    version.split('.').nth(1).unwrap().parse().unwrap()
}

/// How our container ended.
pub(crate) struct Ended {
    pub(crate) code: u64,
    /// Its termination message.
    pub(crate) message: String,
}

/// A namespace for one story, gone with it.
pub(crate) struct Namespace {
    pub(crate) name: String,
}

impl Namespace {
    /// Opted in, with a ServiceAccount `app` that has the role `app`.
    pub(crate) fn opted_in(story: &str) -> Self {
        let namespace = Self::plain(story);
        kubectl(&["label", "namespace", &namespace.name, "kms.alibabacloud/injection=enabled"])
            .run()
            .unwrap();
        namespace
    }

    /// The same without the label that opts in.
    pub(crate) fn plain(story: &str) -> Self {
        let name = format!("{story}-{:05x}", fastrand::u32(..0x10_0000));
        kubectl(&["create", "namespace", &name]).run().unwrap();
        let namespace = Self { name };
        namespace.create(&json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {
                "name": "app",
                "annotations": { "ack.alibabacloud.com/role-arn": ROLE },
            },
        }));
        // Pods that name no account are refused until there is one.
        until("the namespace's own ServiceAccount", PATIENCE, || {
            Ok(namespace.kubectl(&["get", "serviceaccount", "default"]).run().into())
        })
        .unwrap();
        namespace
    }

    pub(crate) fn label(&self, label: &str) -> &Self {
        kubectl(&["label", "namespace", &self.name, label]).run().unwrap();
        self
    }

    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Tool {
        kubectl(&["--namespace", &self.name]).args(arguments)
    }

    /// `kubectl apply`, whatever comes of it.
    pub(crate) fn apply(&self, object: &Value) -> Output {
        self.kubectl(&["apply", "-f", "-"]).input(object.to_string()).output().unwrap()
    }

    /// `kubectl create` of something that must be accepted. Says what kubectl said, warnings too.
    #[track_caller]
    pub(crate) fn create(&self, object: &Value) -> String {
        let output =
            self.kubectl(&["create", "-f", "-"]).input(object.to_string()).output().unwrap();
        assert!(output.success, "creating {object}: {}", output.stderr);
        output.stdout + &output.stderr
    }

    /// An object as the API server would store it, and what it warns about.
    #[track_caller]
    pub(crate) fn admitted(&self, object: &Value) -> (Value, String) {
        let arguments = ["create", "--dry-run=server", "-o", "json", "-f", "-"];
        let output = self.kubectl(&arguments).input(object.to_string()).output().unwrap();
        assert!(output.success, "admitting {object}: {}", output.stderr);
        (serde_json::from_str(&output.stdout).unwrap(), output.stderr)
    }

    /// What kubectl says of an object that must be refused.
    #[track_caller]
    pub(crate) fn refused(&self, object: &Value) -> String {
        let output = self.apply(object);
        assert!(!output.success, "it was accepted: {}{}", output.stdout, output.stderr);
        output.stderr
    }

    pub(crate) fn get(&self, what: &str) -> Value {
        self.kubectl(&["get", what, "-o", "json"]).json().unwrap()
    }

    pub(crate) fn describe(&self, what: &str) -> String {
        self.kubectl(&["describe", what]).run().unwrap()
    }

    pub(crate) fn logs(&self, pod: &str, container: &str) -> String {
        self.kubectl(&["logs", pod, "--container", container]).run().unwrap()
    }

    /// Runs a command in a container of a running Pod.
    pub(crate) fn exec(&self, pod: &str, container: &str, command: &[&str]) -> Output {
        self.kubectl(&["exec", pod, "--container", container, "--"]).args(command).output().unwrap()
    }

    /// Waits until a JSON path of an object has this value.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, path: &str, wanted: &str) {
        let path = format!("jsonpath={{{path}}}");
        let waited = until(&format!("{what} to have {path} {wanted}"), PATIENCE, || {
            let now = self.kubectl(&["get", what, "-o", &path]).run()?;
            Ok(if now == wanted {
                Look::Found(())
            } else {
                Look::Missing(format!("it is {now:?}"))
            })
        });
        if let Err(error) = waited {
            panic!("{error:#}\n{}", self.story_so_far(what));
        }
    }

    #[track_caller]
    pub(crate) fn ready(&self, pod: &str) {
        let path = ".status.conditions[?(@.type==\"Ready\")].status";
        self.wait(&format!("pod/{pod}"), path, "True");
    }

    #[track_caller]
    pub(crate) fn succeeded(&self, pod: &str) {
        self.phase(pod, "Succeeded");
    }

    /// Waits for an end, and tells how it came about if it is another one.
    #[track_caller]
    pub(crate) fn phase(&self, pod: &str, wanted: &str) {
        let ended = until(&format!("pod {pod} to be {wanted}"), PATIENCE, || {
            let path = "jsonpath={.status.phase}";
            let phase = self.kubectl(&["get", "pod", pod, "-o", path]).run()?;
            let over = phase == "Succeeded" || phase == "Failed";
            Ok(match phase == wanted || over {
                true => Look::Found(phase),
                false => Look::Missing(format!("it is {phase}")),
            })
        });
        match ended {
            Ok(phase) if phase == wanted => {}
            Ok(phase) => panic!("{pod} is {phase}\n{}", self.story_so_far(&format!("pod/{pod}"))),
            Err(error) => panic!("{error:#}\n{}", self.story_so_far(&format!("pod/{pod}"))),
        }
    }

    /// How our init container of a Pod ended that has failed.
    #[track_caller]
    pub(crate) fn ended(&self, pod: &str) -> Ended {
        let pod = self.get(&format!("pod/{pod}"));
        let all = pod["status"]["initContainerStatuses"].as_array().unwrap();
        let ours = all.iter().find(|status| status["name"] == "kms-secrets-init").unwrap();
        let end = &ours["state"]["terminated"];
        Ended {
            code: end["exitCode"].as_u64().unwrap_or_else(|| panic!("it did not end: {ours}")),
            message: end["message"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// Waits for an event of an object of a kind, and returns its message.
    #[track_caller]
    pub(crate) fn event(&self, kind: &str, reason: &str) -> String {
        until(&format!("an event {reason} of a {kind}"), PATIENCE, || {
            let fields = format!("--field-selector=involvedObject.kind={kind},reason={reason}");
            let events = self.kubectl(&["get", "events", &fields, "-o", "json"]).json()?;
            Ok(events["items"][0]["message"].as_str().map(str::to_owned).into())
        })
        .unwrap()
    }

    /// What an on-call engineer would look at.
    fn story_so_far(&self, what: &str) -> String {
        let mut text = String::new();
        for arguments in [
            vec!["describe", what],
            vec!["logs", what, "--all-containers", "--prefix"],
            vec!["get", "events", "--sort-by=.lastTimestamp"],
        ] {
            if let Ok(output) = self.kubectl(&arguments).output() {
                text += &output.stdout;
                text += &output.stderr;
            }
        }
        text
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // A story that failed leaves its namespace to be looked at.
        if !std::thread::panicking() {
            // Logs go with their Pods, before `afterwards` could look at them.
            let telling = logs_with_values(&self.name);
            let _ = kubectl(&["delete", "namespace", &self.name, "--wait=false"]).output();
            assert!(telling.is_empty(), "the value of a secret is in\n{telling}");
        }
    }
}

/// The logs of a namespace's containers that contain a value of a secret, a line each.
fn logs_with_values(namespace: &str) -> String {
    let all = std::fs::read_dir(cluster().layout().pod_logs()).unwrap();
    let of_pods = all.map(|entry| entry.unwrap().path()).filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.split('_').next() == Some(namespace)
    });
    let search = ["--recursive", "--files-with-matches", "--text", "--no-messages", CANARY, "--"];
    // An empty file: without any it would search where it stands.
    Tool::new("grep").args(search).arg("/dev/null").args(of_pods).output().unwrap().stdout
}
