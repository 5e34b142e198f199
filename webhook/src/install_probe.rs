//! `probe`: does the API server send annotated Pods to a webhook that answers? Asks it to create
//! one, as a dry run, and looks at what would have become of it.

use std::io::Write;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::args::ProbeArgs;
use crate::cluster::client;
use crate::failure::Failure;
use plan::contract::INIT_CONTAINER;

/// What a creation said about the installation.
#[derive(Debug, PartialEq, Eq)]
enum ProbeVerdict {
    Injected,
    /// The webhook answered, and its settings refuse a Pod like this one.
    Denied(String),
    /// Why secrets would be missing. It may be too early: policies and configurations take effect
    /// some seconds after they are written.
    Broken(String),
}

/// Prints one line. Fails where Pods of the namespace would not get their secrets.
pub fn run(args: &ProbeArgs, mut out: impl Write) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    let verdict = runtime.block_on(async {
        let connection =
            client::connect(args.kubeconfig.as_deref()).await.map_err(Failure::Usage)?;
        Ok(ask(connection.client, &args.namespace, Duration::from_secs(args.timeout)).await)
    })?;
    let line = match verdict {
        ProbeVerdict::Injected => "a Pod with secrets is injected".to_owned(),
        ProbeVerdict::Denied(text) => {
            format!("the webhook answers, and refuses a test Pod: {text}")
        }
        ProbeVerdict::Broken(text) => return Err(Failure::Problems(text)),
    };
    writeln!(out, "{line}").map_err(Failure::internal)
}

/// Asks again until it works or the time is over.
async fn ask(client: Client, namespace: &str, patience: Duration) -> ProbeVerdict {
    let pods: Api<Pod> = Api::namespaced(client, namespace);
    let until = Instant::now() + patience;
    loop {
        let verdict = once(&pods).await;
        if !matches!(verdict, ProbeVerdict::Broken(_)) || Instant::now() + PAUSE > until {
            return verdict;
        }
        sleep(PAUSE).await;
    }
}

async fn once(pods: &Api<Pod>) -> ProbeVerdict {
    let Ok(pod) = serde_json::from_value(pod()) else {
        return ProbeVerdict::Broken("the test Pod cannot be written".to_owned());
    };
    let params = PostParams { dry_run: true, ..PostParams::default() };
    match timeout(DEADLINE, pods.create(&params, &pod)).await {
        Ok(Ok(created)) => of_created(&created),
        Ok(Err(kube::Error::Api(status))) => of_refusal(&status.message),
        Ok(Err(error)) => ProbeVerdict::Broken(format!("asking the API server failed: {error}")),
        Err(_) => {
            ProbeVerdict::Broken(format!("the API server did not answer within {DEADLINE:?}"))
        }
    }
}

fn of_created(pod: &Pod) -> ProbeVerdict {
    let spec = pod.spec.iter();
    let mut init = spec.flat_map(|spec| spec.init_containers.iter().flatten());
    if init.any(|found| found.name == INIT_CONTAINER) {
        return ProbeVerdict::Injected;
    }
    ProbeVerdict::Broken(
        "a Pod with secrets would start without them: the API server did not ask the webhook; \
         look at its MutatingWebhookConfiguration and at the label of the namespace"
            .to_owned(),
    )
}

fn of_refusal(message: &str) -> ProbeVerdict {
    let message: String =
        message.chars().filter(|c| printable::is_printable(*c)).take(1000).collect();
    match message.contains("admission webhook") && message.contains(" denied the request") {
        true => ProbeVerdict::Denied(message),
        false => ProbeVerdict::Broken(message),
    }
}

/// Complete in itself, so that it needs neither settings nor a ServiceAccount's role, and it
/// passes Pod Security `restricted`.
fn pod() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "probe",
            "annotations": {
                "kms.alibabacloud/secrets": "probe: kms://probe",
                "kms.alibabacloud/region": "cn-hangzhou",
                "kms.alibabacloud/role-arn": "acs:ram::1234567890123456:role/probe",
                "kms.alibabacloud/oidc-provider-arn":
                    "acs:ram::1234567890123456:oidc-provider/ack-rrsa-probe",
            },
        },
        "spec": {
            "automountServiceAccountToken": false,
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": 65532,
                "seccompProfile": { "type": "RuntimeDefault" },
            },
            "containers": [{
                "name": "probe",
                "image": "probe",
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "capabilities": { "drop": ["ALL"] },
                },
            }],
        },
    })
}

const PAUSE: Duration = Duration::from_secs(1);
/// More than the API server waits for a webhook.
const DEADLINE: Duration = Duration::from_secs(35);

#[cfg(test)]
mod tests {
    use super::*;

    fn created(init: &Value) -> ProbeVerdict {
        let mut value = pod();
        value["spec"]["initContainers"] = init.clone();
        of_created(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn a_pod_with_our_container_is_injected() {
        assert_eq!(created(&json!([{ "name": "kms-secrets-init" }])), ProbeVerdict::Injected);
    }

    #[test]
    fn a_pod_without_it_would_start_without_secrets() {
        for init in [json!([]), json!([{ "name": "other" }])] {
            let ProbeVerdict::Broken(text) = created(&init) else { panic!("{init}") };
            assert!(text.contains("did not ask the webhook"), "{text}");
        }
    }

    #[test]
    fn a_denial_of_the_webhook_is_an_answer_of_it() {
        let text =
            "admission webhook \"pods.kms.alibabacloud\" denied the request: no rule allows it";
        assert_eq!(of_refusal(text), ProbeVerdict::Denied(text.to_owned()));
    }

    #[test]
    fn a_webhook_that_cannot_be_called_is_none() {
        let text = "Internal error occurred: failed calling webhook \"pods.kms.alibabacloud\"";
        assert_eq!(of_refusal(text), ProbeVerdict::Broken(text.to_owned()));
    }

    #[test]
    fn the_test_pod_would_be_injected_whatever_the_settings_say() {
        use crate::decide::inject::{Injection, inject};
        use crate::facts::Subject;
        let facts = crate::facts::Facts::default();
        let subject = Subject { namespace: "probe", facts: &facts };
        let settings = crate::settings::Settings::default();
        let injected = inject(&pod().to_string(), &subject, &settings).unwrap();
        assert!(matches!(injected, Injection::Patched { .. }), "{injected:?}");
    }
}
