//! The steps that show what goes wrong: a mistake in an annotation, and a role without permission.

use std::io::Write;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use lab::fetcher::NAMESPACE;
use lab::stage::Stage;
use serde_json::{Value, json};

use super::listing::APP;
use super::screen::Screen;

const SECRETS: &str = "kms.alibabacloud/secrets";
const MISTAKES: &str = "db-password: {source: kms://shop/db#password, fileMode: 0400}\n\
                        api-token: oss://shop-api-token\n";
const NOT_OURS: &str = "password: kms://billing/db\n";

/// The exit code for a role that may not read a secret.
const DENIED: i32 = 12;

pub(crate) async fn denied<W: Write>(
    screen: &mut Screen<W>,
    stage: &Stage,
    pod: &Value,
) -> Result<()> {
    let mut mistaken = with_secrets(pod, MISTAKES)?;
    annotations(&mut mistaken)?.insert("kms.alibabacloud/mount-pth".to_owned(), json!("/secrets"));
    let began = Instant::now();
    let verdict = stage.webhook.review(&mistaken, NAMESPACE).await?;
    screen
        .step("Mistakes in an annotation end at `kubectl apply`, all at once", began.elapsed())?;
    for line in MISTAKES.lines().chain(["kms.alibabacloud/mount-pth: /secrets"]) {
        screen.line(line)?;
    }
    let reason = verdict.status.get("reason").and_then(Value::as_str).unwrap_or_default();
    screen.quote(&format!(
        "Error from server ({reason}): error when creating \"pod.yaml\": admission webhook \
         \"pods.kms.alibabacloud\" denied the request: {}",
        verdict.message()
    ))?;
    ensure!(!verdict.allowed && verdict.patch.is_none(), "the webhook let mistakes pass");
    for words in ["fileMode: \"0400\"", "oss://", "did you mean kms.alibabacloud/mount-path?"] {
        ensure!(verdict.message().contains(words), "no {words:?} in {}", verdict.message());
    }
    Ok(())
}

pub(crate) async fn not_started<W: Write>(
    screen: &mut Screen<W>,
    stage: &Stage,
    pod: &Value,
) -> Result<()> {
    let began = Instant::now();
    let (sandbox, ended) = stage.run(&with_secrets(pod, NOT_OURS)?).await?;
    screen
        .step("A role that may not read a secret keeps the Pod from starting", began.elapsed())?;
    screen.line(NOT_OURS.trim_end())?;
    let code = ended.code().context("the fetcher was killed")?;
    screen.line(&format!("Init:Error, exit code {code}; `kubectl describe pod` says:"))?;
    screen.quote(ended.message.as_deref().unwrap_or_default())?;
    ensure!(code == DENIED, "exit code {code} and not {DENIED}");
    ensure!(ended.headline().contains("kms://billing/db"), "the message names no source");
    ensure!(sandbox.files(APP)?.is_empty(), "files in spite of a failure");
    Ok(())
}

fn with_secrets(pod: &Value, secrets: &str) -> Result<Value> {
    let mut pod = pod.clone();
    annotations(&mut pod)?.insert(SECRETS.to_owned(), json!(secrets));
    Ok(pod)
}

fn annotations(pod: &mut Value) -> Result<&mut serde_json::Map<String, Value>> {
    let annotations = pod.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
    annotations.context("the Pod has no annotations")
}
