//! What others do to Secret and configuration, and what becomes of it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use certs::Lifetimes;

use crate::stage::{Stage, server, server_alone, text};

#[tokio::test]
async fn a_stripped_ca_bundle_is_put_back() {
    let Some(server) = server() else { return };
    let stage = Stage::complete(server, "recovery-stripped").await;
    let mut replica = stage.replica(1);
    replica.until_ready().await;
    let before = stage.bundle().await;
    stage.set_bundle("").await;
    replica.until("caBundle written again", |state| state.counts.published == 2).await;
    assert_eq!(stage.bundle().await, before);
    replica.until_ready().await;
}

#[tokio::test]
async fn what_others_put_into_the_ca_bundle_stays() {
    let Some(server) = server() else { return };
    let stage = Stage::complete(server, "recovery-foreign").await;
    let mut replica = stage.replica(1);
    replica.until_ready().await;
    let ours = stage.bundle().await;
    let names = ["foreign.example".to_owned()];
    let foreign = certs::issue(&names, SystemTime::now(), Duration::from_secs(3600)).unwrap();
    // A CA of somebody else does not carry our name.
    stage.set_bundle(&foreign.cert_pem).await;
    replica.until("caBundle written again", |state| state.counts.published == 2).await;
    let bundle = stage.bundle().await;
    assert!(bundle.contains(ours.trim()) && bundle.contains(foreign.cert_pem.trim()), "{bundle}");
}

#[tokio::test]
async fn replicas_that_start_together_agree_on_one_certificate() {
    let Some(server) = server() else { return };
    let stage = Stage::complete(server, "recovery-together").await;
    let mut replicas = [1, 2, 3].map(|seed| stage.replica(seed));
    let mut served = Vec::new();
    for replica in &mut replicas {
        let state = replica.until_ready().await;
        served.push(state.serving.unwrap().cert_pem.clone());
    }
    assert!(served.iter().all(|cert| *cert == served[0]));
    let issued: u64 = replicas.iter().map(|replica| replica.now().counts.issued).sum();
    assert_eq!(issued, 1);
}

#[tokio::test]
async fn a_deleted_secret_is_made_anew_while_the_old_certificate_serves_on() {
    let Some(server) = server() else { return };
    let stage = Stage::complete(server, "recovery-deleted").await;
    let mut replica = stage.replica(1);
    let first = replica.until_ready().await.serving.unwrap();
    stage.delete_secret().await;
    let state = replica.until("another certificate", |state| state.counts.issued == 2).await;
    // The CA of the new one is not in caBundle long enough yet.
    assert!(state.ready() && Arc::ptr_eq(&state.serving.unwrap(), &first));
    stage
        .until("both CAs in caBundle", async || {
            stage.bundle().await.matches("BEGIN CERTIFICATE").count() == 2
        })
        .await;
    let data = stage.secret().await.unwrap().data.unwrap();
    assert!(text(&data["next.crt"]) != first.cert_pem);
}

#[tokio::test]
async fn certificates_of_seconds_follow_each_other_without_a_moment_unready() {
    let Some(server) = server() else { return };
    let stage = Stage::complete(server, "recovery-rotation").await;
    let lifetimes = Lifetimes::of(Duration::from_secs(30)).unwrap();
    let mut replica = stage.replica_for(1, lifetimes);
    let first = replica.until_ready().await.serving.unwrap();
    let other = |state: &certs::State| {
        // Seen at every change: it would show.
        assert!(state.ready(), "{state:?}");
        state.serving.as_ref().is_some_and(|now| now.cert_pem != first.cert_pem)
    };
    let state = replica.until("another certificate", other).await;
    assert_eq!(state.counts.promoted, 2);
    let served = state.serving.unwrap();
    assert!(served.not_after > first.not_after);
}

#[tokio::test]
async fn an_api_server_that_is_gone_for_a_while_changes_nothing() {
    let Some(server) = server_alone() else { return };
    let stage = Stage::complete(server, "recovery-restart").await;
    let mut replica = stage.replica(1);
    replica.until_ready().await;
    stage.restart_server().await;
    assert!(replica.now().ready());
    stage.set_bundle("").await;
    replica.until("caBundle written again", |state| state.counts.published == 2).await;
    replica.until_ready().await;
}

#[tokio::test]
async fn without_a_configuration_nothing_is_stored() {
    let Some(server) = server() else { return };
    let stage = Stage::set(server, "recovery-late").await;
    let mut replica = stage.replica(1);
    // It has read that there is none.
    stage.install("https://localhost:1/mutate").await;
    replica.until_ready().await;
    stage.uninstall().await;
    replica.until("not ready without a configuration", |state| !state.ready()).await;
}
