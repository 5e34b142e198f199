//! An object as it changes: read it, watch it for two minutes, and again. A change arrives
//! within milliseconds; reading anew heals whatever a watch can miss.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use kube::ResourceExt;
use kube::api::WatchEvent;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use crate::api::{Error, NamedObject};
use crate::backoff::{Backoff, Jitter};

/// What was read last, if anything; `None` in it: there is no such thing.
pub(crate) type LastRead<T> = Option<Option<Arc<T>>>;

/// Puts every version into `found`, as `read` takes it. An error changes nothing there.
pub(crate) async fn follow<K, T>(
    object: &NamedObject<K>,
    read: impl Fn(K) -> Option<T>,
    found: &watch::Sender<LastRead<T>>,
    failed: impl Fn(&Error),
    mut jitter: Jitter,
) -> Infallible
where
    K: kube::Resource + Clone + DeserializeOwned,
{
    let start = Instant::now();
    let mut backoff = Backoff::new(FIRST, MOST, CALM);
    loop {
        let began = Instant::now();
        let seconds = WATCH + (f64::from(WATCH / 4) * jitter.draw()) as u32;
        let ended = round(object, &read, found, seconds).await;
        if let Err(error) = &ended {
            failed(error);
        }
        // A server that ends every watch at once is not to be asked all the time.
        if ended.is_err() || began.elapsed() < CALM {
            backoff.done(start.elapsed(), jitter.draw());
            sleep(backoff.pause(start.elapsed())).await;
        }
    }
}

async fn round<K, T>(
    object: &NamedObject<K>,
    read: impl Fn(K) -> Option<T>,
    found: &watch::Sender<LastRead<T>>,
    seconds: u32,
) -> Result<(), Error>
where
    K: kube::Resource + Clone + DeserializeOwned,
{
    let put = |object: Option<K>| {
        found.send_replace(Some(object.and_then(&read).map(Arc::new)));
    };
    let now = object.read().await?;
    let version = now.as_ref().and_then(ResourceExt::resource_version).unwrap_or_default();
    put(now);
    let mut events = pin!(object.watch(&version, seconds).await?);
    // A connection that died without a word is noticed then.
    let deadline = Instant::now() + Duration::from_secs(seconds.into()) + GRACE;
    loop {
        let Ok(event) = timeout_at(deadline, events.try_next()).await else {
            return Err(object.silent());
        };
        match event.map_err(|error| object.watch_error(error))? {
            Some(WatchEvent::Added(object) | WatchEvent::Modified(object)) => put(Some(object)),
            Some(WatchEvent::Deleted(_)) => put(None),
            Some(WatchEvent::Bookmark(_)) => {}
            Some(WatchEvent::Error(status)) if status.code == GONE => return Ok(()),
            Some(WatchEvent::Error(status)) => {
                return Err(object.watch_error(kube::Error::Api(status)));
            }
            None => return Ok(()),
        }
    }
}

/// In seconds, and up to a quarter more.
const WATCH: u32 = 120;
const GRACE: Duration = Duration::from_secs(10);
/// The version to watch from is no longer known.
const GONE: u16 = 410;
const FIRST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(60);
const CALM: Duration = Duration::from_secs(30);
