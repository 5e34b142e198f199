//! A local agent answers before the application's first instruction, under load, and while its
//! secrets are rotated; nobody without its token hears anything.

use lab::cluster::{Look, until};
use serde_json::{Value, json};

use crate::cloud;
use crate::pods::{annotated, plain, sum, with};
use crate::stage::{Namespace, PATIENCE};

const FIRST: &str = "lab-canary-Ag7mRt2p";
const SECOND: &str = "lab-canary-Ag4xKw9c";

/// `ask NAME` prints the sum of the value that the agent answers; no value is printed.
pub(super) const ASK: &str = r#"ask() {
  answer=$(wget -q -O - --header "X-KMS-Token: $(cat /var/run/kmstoken/token)" \
    "http://127.0.0.1:2025/secretsmanager/get?secretId=$1") || return 1
  value=$(printf %s "$answer" | sed 's/.*"SecretData":"\([^"]*\)".*/\1/')
  printf %s "$value" | sha256sum | cut -d ' ' -f 1
}
"#;

pub(super) fn served(pod: Value, more: &[(&str, &str)]) -> Value {
    annotated(pod, &[&[("mode", "agent"), ("agent-secrets", "app/*")], more].concat())
}

#[test]
fn the_agent_answers_the_first_instruction_of_a_job_too() {
    let place = Namespace::opted_in("agent-first");
    let secret = cloud::secret("agent-first", FIRST);
    let script = format!("{ASK}test \"$(ask {secret})\" = {}", sum(FIRST));
    place.create(&served(plain("job", &script), &[]));
    place.succeeded("job");
    let log = place.logs("job", "kms-secrets");
    assert!(log.contains("the agent listens") && !log.contains("lab-canary"), "{log}");
}

#[test]
fn a_rotation_under_load_reaches_file_and_agent_and_no_request_fails() {
    let place = Namespace::opted_in("agent-load");
    let secret = cloud::secret("agent-load", FIRST);
    let script = format!(
        "{ASK}for client in 1 2 3 4; do\n  while :; do ask {secret} >/dev/null || touch /failed; \
         done &\ndone\nwait"
    );
    let files = format!("value: kms://{secret}");
    let more = [("secrets", files.as_str()), ("refresh-interval", "10s")];
    let pod = with(served(plain("app", &script), &more), "/spec/restartPolicy", json!("Always"));
    place.create(&pod);
    place.ready("app");
    // The file first: what it shows, the agent answers too.
    let both = format!(
        "{ASK}file=$(sha256sum /mnt/secrets-store/value | cut -d ' ' -f 1)\necho $file $(ask {secret})"
    );
    let seen = || place.exec("app", "app", &["/bin/sh", "-c", &both]).stdout;
    assert_eq!(seen().trim(), format!("{} {}", sum(FIRST), sum(FIRST)));
    cloud::rotate(&secret, SECOND);
    until("the agent to answer the new value", PATIENCE, || {
        let now = seen();
        let (file, agent) = now.trim().split_once(' ').unwrap_or_default();
        assert!(file != sum(SECOND) || agent == sum(SECOND), "the agent is behind the file: {now}");
        Ok(if file == sum(SECOND) { Look::Found(()) } else { Look::Missing(now) })
    })
    .unwrap();
    let failed = place.exec("app", "app", &["/bin/sh", "-c", "test ! -e /failed && echo none"]);
    assert_eq!(failed.stdout.trim(), "none");
    let status = place.get("pod/app")["status"].clone();
    for list in ["containerStatuses", "initContainerStatuses"] {
        assert_eq!(status[list][0]["restartCount"], 0, "{status}");
    }
}

#[test]
fn without_the_token_nobody_is_answered() {
    let place = Namespace::opted_in("agent-token");
    let secret = cloud::secret("agent-token", FIRST);
    let pod = served(plain("app", "exec sleep 1000"), &[]);
    place.create(&with(pod, "/spec/restartPolicy", json!("Always")));
    place.ready("app");
    let wget = format!(
        "wget -O - 'http://127.0.0.1:2025/secretsmanager/get?secretId={secret}' 2>&1; \
         wget -q -O - http://127.0.0.1:2025/ping; touch /var/run/kmstoken/x 2>&1"
    );
    let said = place.exec("app", "app", &["/bin/sh", "-c", &format!("{wget}; true")]).stdout;
    assert!(said.contains("403") && said.contains("healthy"), "{said}");
    assert!(said.contains("Read-only file system"), "{said}");
}
