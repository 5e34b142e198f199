//! What may be written, and under which names.

use certs::{Lifetimes, Place};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

use crate::stage::{Stage, server, text};

#[tokio::test]
async fn the_secret_is_made_under_its_name_and_ends_with_the_configuration() {
    let Some(server) = server() else { return };
    let stage = Stage::complete(server, "rights-own").await;
    let state = stage.replica(1).until_ready().await;
    assert_eq!((state.counts.issued, state.counts.published, state.counts.promoted), (1, 1, 1));
    assert_eq!(state.counts.errors, 0);

    let secret = stage.secret().await.unwrap();
    assert_eq!(secret.type_.as_deref(), Some("kubernetes.io/tls"));
    let owners = secret.metadata.owner_references.unwrap();
    assert_eq!(owners.len(), 1);
    assert_eq!(Some(&owners[0].uid), stage.configuration().await.metadata.uid.as_ref());
    let data = secret.data.unwrap();
    assert_eq!(data.keys().collect::<Vec<_>>(), ["ca.crt", "tls.crt", "tls.key"]);
    assert_eq!(text(&data["ca.crt"]), stage.bundle().await);
    assert_eq!(text(&data["tls.crt"]), state.serving.unwrap().cert_pem);
}

#[tokio::test]
async fn under_another_name_nothing_is_made_and_nobody_is_ready() {
    let Some(server) = server() else { return };
    let stage = Stage::complete(server, "rights-other").await;
    let place = Place { secret: "another".to_owned(), ..stage.place.clone() };
    let mut replica = stage.replica_at(place, 1, Lifetimes::default());
    let state = replica.until("two errors", |state| state.counts.errors > 1).await;
    assert!(!state.ready() && state.serving.is_none());
    assert!(stage.secrets().get_opt("another").await.unwrap().is_none());
}

/// So that the two tests above say something about these rights.
#[tokio::test]
async fn the_rights_do_not_allow_to_make_it_in_the_usual_way() {
    let Some(server) = server() else { return };
    let stage = Stage::complete(server, "rights-post").await;
    let secrets = Api::<Secret>::namespaced(stage.client.clone(), &stage.place.namespace);
    let secret = serde_json::from_value(json!({"metadata": {"name": stage.place.secret}})).unwrap();
    let error = secrets.create(&PostParams::default(), &secret).await.unwrap_err();
    assert!(matches!(error, kube::Error::Api(status) if status.code == 403));
}
