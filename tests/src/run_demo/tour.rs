//! The steps of the demo, in order.

use std::io::Write;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use lab::fetcher::{ACCOUNT, Ended, NAMESPACE};
use lab::kubelet::Sandbox;
use lab::stage::Stage;
use lab::{http, manifest};
use serde_json::{Value, json};

use super::changes::{Line, changes};
use super::listing::{APP, Listing};
use super::screen::Screen;
use super::{progress, refusals};

const POD: &str = include_str!("../../../examples/pod.yaml");

pub(crate) async fn take<W: Write>(screen: &mut Screen<W>) -> Result<()> {
    screen.title("Secrets of Alibaba Cloud in a Pod: from an annotation to a file")?;
    screen.say(
        "The webhook and the fetcher below are the real programs. The cloud is an emulator on \
         this machine that checks signatures, tokens and policies; nothing leaves the machine.",
    )?;
    let stage = start(screen).await.context("starting")?;
    let pod = written(screen)?;
    let injected = injected(screen, &stage, &pod).await.context("asking the webhook")?;
    let sandbox = Sandbox::new(&stage.cloud, &injected, NAMESPACE)?;
    let first = fetched(screen, &stage, &sandbox).await.context("fetching")?;
    let files = shown(screen, &sandbox, &first)?;
    identified(screen, &stage)?;
    let files = rotated(screen, &stage, &sandbox, &files).await.context("rotating")?;
    untouched(screen, &sandbox, &files).await.context("fetching again")?;
    refusals::denied(screen, &stage, &pod).await.context("asking for a denial")?;
    refusals::not_started(screen, &stage, &pod).await.context("asking for a failure")?;
    no_value_was_shown(screen, &sandbox)?;
    stage.webhook.terminate()?;
    let ended = stage.webhook.stopped().await?;
    ensure!(ended.code == Some(0), "the webhook ended with {:?}: {}", ended.code, ended.log);
    screen.summary()?;
    next(screen)
}

/// Commands as they can be typed here.
fn next<W: Write>(screen: &mut Screen<W>) -> Result<()> {
    let program = std::env::current_exe()?;
    let bin = program.parent().context("a program in no directory")?;
    let bin =
        std::env::current_dir().ok().and_then(|here| bin.strip_prefix(here).ok()).unwrap_or(bin);
    screen.line("")?;
    screen.say(
        "Next: what would be refused in a manifest, what the webhook makes of it, and the cloud \
         to try things by hand:",
    )?;
    for words in [
        "secrets-webhook check -f FILE",
        "secrets-webhook inject -f FILE",
        "secrets-lab cloud --out DIR",
    ] {
        screen.line(&format!("  {}", bin.join(words).display()))?;
    }
    screen.say("Manifests to begin with are in examples/.")?;
    Ok(())
}

async fn start<W: Write>(screen: &mut Screen<W>) -> Result<Stage> {
    let began = Instant::now();
    let stage = Stage::start().await?;
    let Stage { cloud, webhook } = &stage;
    screen.step("Start the webhook and a cloud", began.elapsed())?;
    let id = webhook.id().unwrap_or_default();
    screen.line(&format!("webhook  https://{}   process {id}", webhook.listen()))?;
    screen.line(&format!("cloud    https://{}   STS, KMS and OOS emulated", cloud.https()))?;
    Ok(stage)
}

/// What the application's owner writes.
fn written<W: Write>(screen: &mut Screen<W>) -> Result<Value> {
    let began = Instant::now();
    let documents = manifest::parse(POD).context("examples/pod.yaml")?;
    let pod = manifest::of_kind(&documents, "Pod").context("no Pod in examples/pod.yaml")?;
    screen.step("You write annotations on a Pod (examples/pod.yaml)", began.elapsed())?;
    for line in POD.lines().filter(|line| !line.trim_start().starts_with('#')) {
        screen.line(line)?;
    }
    Ok(pod.clone())
}

async fn injected<W: Write>(screen: &mut Screen<W>, stage: &Stage, pod: &Value) -> Result<Value> {
    let began = Instant::now();
    let verdict = stage.webhook.review(pod, NAMESPACE).await?;
    let took = began.elapsed();
    ensure!(verdict.warnings.is_empty(), "warned: {:?}", verdict.warnings);
    let injected = verdict.apply(pod)?;
    screen.step("The webhook answers the API server with a patch", took)?;
    for line in changes(pod, &injected) {
        match line {
            Line::Around(text) => screen.line(&text)?,
            Line::New(text) => screen.added(&text)?,
        }
    }
    screen.say(
        "One container that runs before yours, one volume in memory, one token for the role: \
         nothing else changes. The plan says what to fetch and holds no value.",
    )?;
    Ok(injected)
}

/// The part of the kubelet: volumes, token, environment, and our container run once.
async fn fetched<W: Write>(
    screen: &mut Screen<W>,
    stage: &Stage,
    sandbox: &Sandbox,
) -> Result<Ended> {
    stage.cloud.clear_requests();
    let ended = sandbox.run().await?;
    screen.step("The kubelet mounts the volumes and runs that container", ended.elapsed)?;
    ensure!(ended.code() == Some(0), "the fetcher ended with {:?}: {}", ended.code(), ended.said());
    screen.line(&format!("$ {}", sandbox.words()?.join(" ")))?;
    screen.say(
        "(and here --root, --ca and --connect-to, so that a directory is the container and the \
         emulator is the cloud)",
    )?;
    for line in progress::in_words(&ended.log) {
        screen.line(&line)?;
    }
    Ok(ended)
}

fn shown<W: Write>(screen: &mut Screen<W>, sandbox: &Sandbox, ended: &Ended) -> Result<Listing> {
    let began = Instant::now();
    let files = Listing::of(&sandbox.mount(APP)?)?;
    let took = began.elapsed();
    let done = progress::line(&ended.log, "done").context("the fetcher did not say done")?;
    ensure!(done.get("files") == Some(&json!(files.files.len())), "not the files that it told of");
    screen.step("Your container finds the files in /mnt/secrets-store", took)?;
    list(screen, &files)?;
    screen.say("Values are never shown here; the digest is there to see a change.")?;
    let modes: Vec<_> = files.files.iter().map(|(name, file)| (name.as_str(), file.mode)).collect();
    let wanted = [
        ("api-token", 0o400),
        ("db-password", 0o400),
        ("db-user", 0o400),
        ("flags.json", 0o400),
        ("partner-key", 0o400),
        ("tls.key", 0o440),
    ];
    ensure!(modes == wanted, "other files or modes: {modes:?}");
    Ok(files)
}

fn list<W: Write>(screen: &mut Screen<W>, files: &Listing) -> Result<()> {
    for (name, file) in &files.files {
        screen.line(&file.row(name))?;
    }
    Ok(())
}

/// What the cloud says about who asked.
fn identified<W: Write>(screen: &mut Screen<W>, stage: &Stage) -> Result<()> {
    let began = Instant::now();
    let (requests, counters) = (stage.cloud.requests(), stage.cloud.counters());
    screen.step("The cloud knows the Pod by its own role", began.elapsed())?;
    for entry in &requests {
        screen.line(&format!(
            "{:<20} {:<52} {}",
            entry.action,
            entry.subject.as_deref().unwrap_or("-"),
            entry.status.map_or("cut".to_owned(), |status| status.to_string()),
        ))?;
    }
    let mut principals: Vec<_> =
        requests.iter().filter_map(|entry| entry.principal.as_deref()).collect();
    principals.sort_unstable();
    principals.dedup();
    screen.line("")?;
    for principal in &principals {
        screen.line(&format!("asked as  {principal}"))?;
    }
    let count = |name: &str| counters.requests.get(name).copied().unwrap_or_default();
    ensure!(
        count("sts.AssumeRoleWithOIDC") == 1 && count("sts.AssumeRole") == 1,
        "more exchanges than identities: {:?}",
        counters.requests
    );
    let session = format!("acs:ram::{ACCOUNT}:role/demo-app/shop.checkout");
    ensure!(principals.contains(&session.as_str()), "{session} never asked: {principals:?}");
    ensure!(requests.iter().all(|entry| entry.secure), "something came without TLS");
    ensure!(count("kms.GetSecretValue") == 3, "a secret was asked for twice");
    screen.say(
        "One exchange of the Pod's token for its role, one more for the role of the other \
         account. Six files took five calls: two of them come from one secret.",
    )?;
    Ok(())
}

async fn rotated<W: Write>(
    screen: &mut Screen<W>,
    stage: &Stage,
    sandbox: &Sandbox,
    before: &Listing,
) -> Result<Listing> {
    let value = json!({ "username": "shop", "password": "demo-third-password!", "port": 5432 });
    let rotation = json!({
        "account": ACCOUNT,
        "name": "shop/db",
        "version": { "text": value.to_string() },
    });
    let began = Instant::now();
    let stream = http::connect(stage.cloud.admin()).await?;
    let answer = http::post(stream, "/secrets/rotate", rotation.to_string().into_bytes()).await?;
    ensure!(answer.status == 200, "the emulator did not rotate: {}", answer.text());
    let ended = sandbox.run().await?;
    let took = began.elapsed();
    ensure!(ended.code() == Some(0), "the fetcher ended with {:?}: {}", ended.code(), ended.said());
    let after = Listing::of(&sandbox.mount(APP)?)?;
    screen.step("The password is rotated in KMS, and the container runs again", took)?;
    let changed = after.changed_since(before);
    for (name, file) in &after.files {
        let row = file.row(name);
        if changed.contains(&name.as_str()) {
            screen.added(&format!("{row}   new"))?;
        } else {
            screen.line(&format!("{row}   as before"))?;
        }
    }
    screen.line(&format!("..data        {} -> {}", before.generation, after.generation))?;
    screen.say("All files changed over at one instant, when the link ..data was replaced.")?;
    ensure!(changed == ["db-password"], "other files changed: {changed:?}");
    ensure!(after.generation != before.generation, "the link ..data was not replaced");
    Ok(after)
}

async fn untouched<W: Write>(
    screen: &mut Screen<W>,
    sandbox: &Sandbox,
    before: &Listing,
) -> Result<()> {
    let ended = sandbox.run().await?;
    ensure!(ended.code() == Some(0), "the fetcher ended with {:?}: {}", ended.code(), ended.said());
    let after = Listing::of(&sandbox.mount(APP)?)?;
    screen.step("Nothing is rotated, and it runs once more", ended.elapsed)?;
    if let Some(last) = progress::in_words(&ended.log).last() {
        screen.line(last)?;
    }
    screen.say("Not a file was touched: same inodes, same times.")?;
    ensure!(&after == before, "files were touched");
    Ok(())
}

/// Checks this demo: what the files hold must not have been on the screen.
fn no_value_was_shown<W: Write>(screen: &Screen<W>, sandbox: &Sandbox) -> Result<()> {
    for (name, seen) in sandbox.files(APP)? {
        let content = String::from_utf8_lossy(&seen.content);
        // The user's name is the namespace's too, which is everywhere.
        ensure!(
            name == "db-user" || !screen.said().contains(&*content),
            "the value of {name} was shown"
        );
    }
    Ok(())
}
