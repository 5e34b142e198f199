//! Listeners and connections: accept, handshake, HTTP/1.1, within limits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::answer::{CloudAnswer, Delivery};
use super::call::Call;
use super::config::Rules;
use super::refusal::Refusal;
use super::serve;
use super::state::State;
use super::wire::{Cut, Paced, Scissors, Socket};

/// After a failed accept (out of descriptors, say): long enough not to spin.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) places: Arc<Semaphore>,
    /// Absent on the plain listener.
    pub(crate) tls: Option<TlsAcceptor>,
}

/// Counts a connection as open for as long as it lives.
struct Open {
    state: Arc<Mutex<State>>,
    host: String,
    number: u64,
    _place: OwnedSemaphorePermit,
}

impl Front {
    /// Ends when its task is aborted, and its connections with it.
    pub(crate) async fn run(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.admit(stream, &mut connections),
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    fn admit(&self, stream: TcpStream, connections: &mut JoinSet<()>) {
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            self.state().journal.refused();
            return;
        };
        let number = self.state().journal.next_connection();
        connections.spawn(self.clone().connection(stream, number, place));
    }

    async fn connection(self, stream: TcpStream, number: u64, place: OwnedSemaphorePermit) {
        let _ = stream.set_nodelay(true);
        let scissors = Scissors::default();
        let socket = Socket::new(stream, scissors.clone());
        let Some(acceptor) = &self.tls else {
            let open = Open::new(&self.state, "(plain)", number, place);
            return self.talk(socket, &open, &scissors).await;
        };
        let Ok(Ok(stream)) = timeout(self.rules.patience, acceptor.accept(socket)).await else {
            return;
        };
        let host = stream.get_ref().1.server_name().unwrap_or("(no name)").to_ascii_lowercase();
        let open = Open::new(&self.state, &host, number, place);
        self.talk(stream, &open, &scissors).await;
    }

    async fn talk(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        open: &Open,
        scissors: &Scissors,
    ) {
        let service = service_fn(|request| self.answer(request, open.number, scissors));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.rules.patience)
            .auto_date_header(false);
        // Errors are the client's: it went away, or sent no HTTP.
        let _ = http.serve_connection(TokioIo::new(stream), service).await;
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        connection: u64,
        scissors: &Scissors,
    ) -> Result<Response<Paced>, Cut> {
        let (head, body) = request.into_parts();
        let body = match timeout(
            self.rules.patience,
            Limited::new(body, self.rules.largest_body).collect(),
        )
        .await
        {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                let refusal =
                    Refusal::new(413, "RequestEntityTooLarge", "The request body is too large.");
                return self.response(CloudAnswer::refusal(&refusal, "", false), scissors);
            }
            _ => return Err(Cut),
        };
        let call = Call::new(head.method, &head.uri, head.headers, body, self.tls.is_some());
        let served = serve::serve(&mut self.state(), &self.rules, &call, connection);
        sleep(served.latency).await;
        self.response(served.answer, scissors)
    }

    fn response(&self, answer: CloudAnswer, scissors: &Scissors) -> Result<Response<Paced>, Cut> {
        if answer.delivery == Delivery::Reset {
            scissors.cut();
            return Err(Cut);
        }
        if answer.delivery == Delivery::Truncated {
            scissors.cut();
        }
        let mut response = Response::builder()
            .status(answer.status)
            .header("content-type", answer.content_type)
            .header("date", self.state().clock.http_date());
        for (name, value) in answer.headers {
            response = response.header(name, value);
        }
        response.body(Paced::new(answer.body, answer.delivery)).map_err(|_| Cut)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn new(
        state: &Arc<Mutex<State>>,
        host: &str,
        number: u64,
        place: OwnedSemaphorePermit,
    ) -> Self {
        state.lock().unwrap_or_else(PoisonError::into_inner).journal.opened(host);
        Self { state: state.clone(), host: host.to_owned(), number, _place: place }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).journal.closed(&self.host);
    }
}
