//! One object read from the API server as it answers, for a Pod that waits for it. What kind of object it
//! is, only who asks knows.

use std::sync::Arc;
use std::time::Duration;

use flight::Flights;
use hyper::Request;
use hyper::header::ACCEPT;
use kube::Client;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::bounded::is_too_large;
use super::error::describe;

/// Reads with a deadline, few at a time, and each object once for all who ask.
pub(crate) struct ObjectReader {
    client: Client,
    patience: Patience,
    flights: Flights<ObjectQuestion, ObjectAnswer>,
    permits: Semaphore,
}

/// How long a read may take. `Default` is what is shipped.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long one attempt may take; short enough that a dead connection leaves time for a second one.
    pub attempt: Duration,
    /// How long all attempts may take; the API server gives up on us after 5 seconds, in which two
    /// objects may have to be read.
    pub whole: Duration,
    /// How long a SecretProviderClass is known that was read.
    pub kept: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempt: Duration::from_millis(900),
            whole: Duration::from_millis(2300),
            kept: Duration::from_secs(1),
        }
    }
}

/// The path of an object, and how much of it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ObjectQuestion {
    pub(super) path: String,
    pub(super) extent: Extent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Extent {
    Metadata,
    Whole,
}

/// What the API server has.
#[derive(Clone, Debug)]
pub(super) enum ObjectAnswer {
    /// As JSON.
    Object(Arc<str>),
    Missing,
    /// More than its bound, and not read.
    TooLarge,
    /// For this reason, which is the end of a sentence.
    Unreadable(String),
}

impl ObjectReader {
    pub(crate) fn new(client: Client, patience: Patience) -> Self {
        Self { client, patience, flights: Flights::default(), permits: Semaphore::new(AT_ONCE) }
    }

    /// Names in the path are for who asks to check. An answer that may be older than the question counts
    /// if it `lasts`.
    pub(super) async fn read(
        &self,
        question: ObjectQuestion,
        lasts: impl Fn(&ObjectAnswer) -> bool,
    ) -> ObjectAnswer {
        let answer = self.flights.ask(&question, || self.attempts(&question), lasts);
        timeout(self.patience.whole, answer)
            .await
            .unwrap_or_else(|_| ObjectAnswer::Unreadable(self.too_late()))
    }

    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    pub(super) fn too_late(&self) -> String {
        let seconds = self.patience.whole.as_secs_f64();
        format!("the API server did not answer within {seconds} s")
    }

    async fn attempts(&self, question: &ObjectQuestion) -> ObjectAnswer {
        let Ok(_permit) = self.permits.acquire().await else {
            return ObjectAnswer::Unreadable("the webhook is stopping".to_owned());
        };
        let mut failure = String::new();
        for pause in PAUSES {
            sleep(pause).await;
            failure = match timeout(self.patience.attempt, self.attempt(question)).await {
                Ok(Ok(text)) => return ObjectAnswer::Object(text.into()),
                // Where the API has no such kind of object, it says so by its status alone.
                Ok(Err(kube::Error::Api(status))) if status.code == NOT_FOUND => {
                    return ObjectAnswer::Missing;
                }
                Ok(Err(error)) if is_too_large(&error) => return ObjectAnswer::TooLarge,
                Ok(Err(error)) => {
                    let why = format!("the API server could not be asked ({})", describe(&error));
                    if !passes(&error) {
                        return ObjectAnswer::Unreadable(why);
                    }
                    why
                }
                Err(_) => "the API server did not answer in time".to_owned(),
            };
        }
        ObjectAnswer::Unreadable(failure)
    }

    async fn attempt(&self, question: &ObjectQuestion) -> kube::Result<String> {
        let accept = match question.extent {
            Extent::Metadata => METADATA,
            Extent::Whole => "application/json",
        };
        let request = Request::get(&question.path).header(ACCEPT, accept).body(Vec::new());
        self.client.request_text(request.map_err(kube::Error::HttpError)?).await
    }
}

/// Whether trying again may help.
fn passes(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => status.code == 429 || status.code >= 500,
        kube::Error::HyperError(_) | kube::Error::Service(_) => true,
        _ => false,
    }
}

const NOT_FOUND: u16 = 404;
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
/// The API server counts us as one client; a stampede of ours must not slow others.
pub(crate) const AT_ONCE: usize = 16;
/// Before each attempt.
const PAUSES: [Duration; 3] =
    [Duration::ZERO, Duration::from_millis(50), Duration::from_millis(200)];
