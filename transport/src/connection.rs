//! One connection to one host. It carries one request at a time over a client whose pool holds a
//! single connection, and lets that client connect again only when the connection is gone.
//!
//! The client gives a connection back to its pool a moment after the last byte of an answer. A
//! request that starts in between would open a second connection, which the service counts.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Method, Request, Response, Url};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tower_layer::Layer;
use tower_service::Service;

#[derive(Clone)]
pub(crate) struct Connection {
    client: Client,
    gate: Gate,
}

impl Connection {
    pub(crate) fn new(builder: ClientBuilder) -> reqwest::Result<Self> {
        let gate = Gate::default();
        let client = builder.pool_max_idle_per_host(1).connector_layer(gate.clone()).build()?;
        Ok(Self { client, gate })
    }

    /// Sends a request and returns when the head of the answer is here.
    pub(crate) async fn send(&self, request: Request) -> reqwest::Result<Response> {
        let waiting = self.gate.wait();
        let answer = self.client.execute(request).await;
        drop(waiting);
        answer
    }

    /// Begins to connect, and returns at once. Whether that could be begun.
    pub(crate) async fn open_ahead(&self, address: Url) -> bool {
        let begun = self.gate.ahead();
        // This request is given up before it could be sent.
        tokio::select! {
            _ = self.client.execute(Request::new(Method::POST, address)) => false,
            () = begun.notified() => true,
        }
    }

    /// To be called when an answer was read to its end and its connection stays open.
    pub(crate) fn finished(&self) {
        self.gate.state().back_by = Some(Instant::now() + GRACE);
    }
}

/// A layer before the connector of one client.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<ConnectionState>>);

#[derive(Default)]
struct ConnectionState {
    /// Number of the current request.
    request: u64,
    /// Whether that request still waits for the head of its answer.
    waiting: bool,
    /// Until when the previous connection may still come back to the pool.
    back_by: Option<Instant>,
    /// The next connection is opened for a request that is not there yet; who asked hears of it.
    ahead: Option<Arc<Notify>>,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, ConnectionState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self) -> AwaitedAnswer {
        let mut state = self.state();
        state.request += 1;
        state.waiting = true;
        AwaitedAnswer(self.clone())
    }

    fn ahead(&self) -> Arc<Notify> {
        Arc::clone(self.state().ahead.insert(Arc::default()))
    }

    fn needs(&self, request: u64) -> bool {
        let state = self.state();
        state.waiting && state.request == request
    }
}

/// Ends the wait when the request is answered, failed or dropped.
struct AwaitedAnswer(Gate);

impl Drop for AwaitedAnswer {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.waiting = false;
        state.back_by = None;
    }
}

impl<S> Layer<S> for Gate {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated { gate: self.clone(), inner, opening: Opening::default() }
    }
}

#[derive(Clone)]
struct Gated<S> {
    gate: Gate,
    inner: S,
    opening: Opening,
}

/// A connection that is opened ahead, in a task that ends with its owner. A layer does not know what the
/// service below it gives, so that the type of the task's result is known to the calls alone.
#[derive(Clone, Default)]
struct Opening(Arc<Mutex<Option<Box<dyn Any + Send>>>>);

impl Opening {
    fn begin<C: Send + 'static>(&self, connecting: impl Future<Output = C> + Send + 'static) {
        let mut task = JoinSet::new();
        task.spawn(async move { timeout(LONGEST_AHEAD, connecting).await.ok() });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(task));
    }

    /// What came of it; `None` where nothing was begun, or it took too long.
    async fn take<C: Send + 'static>(&self) -> Option<C> {
        let task = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let mut task = task.downcast::<JoinSet<Option<C>>>().ok()?;
        task.join_next().await?.ok()?
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the connection is not needed any more")]
struct NotNeeded;

impl<S, T> Service<T> for Gated<S>
where
    S: Service<T, Error = Box<dyn std::error::Error + Send + Sync>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Response: Send + 'static,
    T: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, target: T) -> Self::Future {
        let (request, back_by, ahead) = {
            let mut state = self.gate.state();
            (state.request, state.back_by, state.ahead.take())
        };
        let (gate, opening) = (self.gate.clone(), self.opening.clone());
        // The service that was polled ready is the one to call.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        if let Some(begun) = ahead {
            opening.begin(inner.call(target));
            begun.notify_one();
            // The request that led here is given up now.
            return Box::pin(std::future::pending());
        }
        Box::pin(async move {
            if let Some(back_by) = back_by {
                tokio::time::sleep_until(back_by).await;
                // The old connection came back and served the request; this future was left to
                // run in the background.
                if !gate.needs(request) {
                    return Err(NotNeeded.into());
                }
            }
            match opening.take::<Result<S::Response, S::Error>>().await {
                Some(Ok(connection)) => Ok(connection),
                Some(Err(_)) | None => inner.call(target).await,
            }
        })
    }
}

/// Long against the moment that the client needs, short against a request; it is waited for only
/// when a server closes a connection at once without having said so.
const GRACE: Duration = Duration::from_millis(50);

/// A connection that was not opened by then is opened by the request that needs it.
const LONGEST_AHEAD: Duration = Duration::from_secs(5);
