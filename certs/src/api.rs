//! One object of the Kubernetes API: reading, watching and patching it, each with a deadline.
//! Errors never hold what an object holds: one of the two is a Secret.

use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

use futures_util::Stream;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Patch, PatchParams, WatchEvent, WatchParams};
use kube::core::Request;
use kube::core::params::GetParams;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An object by its name, there or not.
#[derive(Clone)]
pub(crate) struct NamedObject<K> {
    client: Client,
    request: Request,
    name: String,
    /// For messages: kind and name.
    called: String,
    kind: PhantomData<fn() -> K>,
}

#[derive(Debug, thiserror::Error)]
#[error("{attempt} {called}: {cause}")]
pub(crate) struct Error {
    attempt: &'static str,
    called: String,
    pub(crate) cause: Cause,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error("no answer within {}s", DEADLINE.as_secs())]
    Late,
    /// Somebody changed it first, or it cannot be so at all.
    #[error("{0}")]
    Invalid(String),
    #[error("{0}; look at the Role and ClusterRole of the webhook and their bindings")]
    Forbidden(String),
    #[error("{0}")]
    Refused(String),
    /// The library's own words might quote it.
    #[error("the answer cannot be read")]
    Unreadable,
    #[error("{0}")]
    Unreachable(String),
}

impl NamedObject<Secret> {
    pub(crate) fn secret(client: Client, namespace: &str, name: &str) -> Self {
        let path = format!("/api/v1/namespaces/{namespace}/secrets");
        Self::new(client, path, name, format!("Secret {namespace}/{name}"))
    }
}

impl NamedObject<MutatingWebhookConfiguration> {
    pub(crate) fn configuration(client: Client, name: &str) -> Self {
        let path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
        Self::new(client, path.into(), name, format!("MutatingWebhookConfiguration {name}"))
    }
}

impl<K: Clone + DeserializeOwned> NamedObject<K> {
    fn new(client: Client, path: String, name: &str, called: String) -> Self {
        let request = Request::new(path);
        Self { client, request, name: name.into(), called, kind: PhantomData }
    }

    /// As it is now, not as some cache has it.
    pub(crate) async fn read(&self) -> Result<Option<K>, Error> {
        let answer = self.call(async {
            let request = self.request.get(&self.name, &GetParams::default());
            self.client.request_text(request.map_err(kube::Error::BuildRequest)?).await
        });
        match answer.await {
            Ok(text) => self.parse("reading", &text).map(Some),
            Err(CallFailure::Api(status)) if status.code == 404 => Ok(None),
            Err(failure) => Err(self.error("reading", failure)),
        }
    }

    /// Changes after this version, or from now on if it is empty, for so many seconds.
    pub(crate) async fn watch(
        &self,
        version: &str,
        seconds: u32,
    ) -> Result<impl Stream<Item = Result<WatchEvent<K>, kube::Error>> + use<K>, Error> {
        let fields = format!("metadata.name={}", self.name);
        let params = WatchParams::default().fields(&fields).timeout(seconds);
        let answer = self.call(async {
            let request = self.request.watch(&params, version);
            self.client.request_events(request.map_err(kube::Error::BuildRequest)?).await
        });
        answer.await.map_err(|failure| self.error("watching", failure))
    }

    pub(crate) fn watch_error(&self, error: kube::Error) -> Error {
        self.error("watching", error.into())
    }

    /// A watch that was not ended in its time.
    pub(crate) fn silent(&self) -> Error {
        self.error("watching", CallFailure::Late)
    }

    /// Makes the object; refused if there is one that another manager made.
    pub(crate) async fn create(&self, object: &Value, manager: &str) -> Result<K, Error> {
        self.patch("creating", &Patch::Apply(object), manager).await
    }

    pub(crate) async fn merge(&self, patch: &Value) -> Result<K, Error> {
        self.patch("changing", &Patch::Merge(patch), MANAGER).await
    }

    pub(crate) async fn change(&self, operations: Value) -> Result<K, Error> {
        let unreadable = |_| self.error("changing", CallFailure::Unreadable);
        let patch = serde_json::from_value(operations).map_err(unreadable)?;
        self.patch("changing", &Patch::Json::<()>(patch), MANAGER).await
    }

    async fn patch<P: serde::Serialize>(
        &self,
        attempt: &'static str,
        patch: &Patch<P>,
        manager: &str,
    ) -> Result<K, Error> {
        let params = PatchParams { field_manager: Some(manager.into()), ..Default::default() };
        let answer = self.call(async {
            let request = self.request.patch(&self.name, &params, patch);
            self.client.request_text(request.map_err(kube::Error::BuildRequest)?).await
        });
        let text = answer.await.map_err(|failure| self.error(attempt, failure))?;
        self.parse(attempt, &text)
    }

    async fn call<T>(
        &self,
        answer: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, CallFailure> {
        match tokio::time::timeout(DEADLINE, answer).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(CallFailure::Late),
        }
    }

    /// Here and not in the library, which logs what it cannot read.
    fn parse(&self, attempt: &'static str, text: &str) -> Result<K, Error> {
        serde_json::from_str(text).map_err(|_| self.error(attempt, CallFailure::Unreadable))
    }

    fn error(&self, attempt: &'static str, failure: CallFailure) -> Error {
        Error { attempt, called: self.called.clone(), cause: failure.into() }
    }
}

enum CallFailure {
    Late,
    Unreadable,
    Api(Box<kube::core::Status>),
    Other(kube::Error),
}

impl From<kube::Error> for CallFailure {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Api(status),
            kube::Error::SerdeError(_) => Self::Unreadable,
            error => Self::Other(error),
        }
    }
}

impl From<CallFailure> for Cause {
    fn from(failure: CallFailure) -> Self {
        match failure {
            CallFailure::Late => Self::Late,
            CallFailure::Unreadable => Self::Unreadable,
            CallFailure::Api(status) => {
                let said = bounded(&format!("{} ({})", status.message, status.code));
                match status.code {
                    409 | 422 => Self::Invalid(said),
                    401 | 403 => Self::Forbidden(said),
                    _ => Self::Refused(said),
                }
            }
            CallFailure::Other(error) => Self::Unreachable(chain(&error)),
        }
    }
}

/// An error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !said.contains(&more) {
            said = format!("{said}: {more}");
        }
        source = error.source();
    }
    bounded(&said)
}

fn bounded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MOST_SAID).collect()
}

const DEADLINE: Duration = Duration::from_secs(10);
const MANAGER: &str = "secrets-webhook";
const MOST_SAID: usize = 400;
