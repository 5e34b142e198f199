//! A small HTTP/1 server for clients near by: connections, heads and time are bounded, bodies are
//! never read, and nothing of it outlives its owner.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Future as _, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet, yield_now};
use tokio::time::{Instant, sleep, timeout};

use crate::http::deadlines::{Deadlines, Watched};
use crate::http::handler::{Answer, Handler, HttpRequest};
use crate::http::limits::Limits;

/// Connections beyond the limit that are answered so, while all others are being answered. Further
/// clients wait in the kernel's queue.
const SPARE: usize = 16;
/// A request line with all headers has at most so many bytes; beyond it the answer is 431 or 414.
const HEAD: usize = 8 * 1024;
const HEADERS: usize = 64;
/// Connections that were sent away and whose tasks have not ended.
const ENDING: usize = 16;
/// The pause when the process has no file descriptors left.
const PAUSE: Duration = Duration::from_millis(50);

/// The buffer of one connection and one direction; the kernel keeps twice as much, and counts it as
/// our memory.
const BUFFER: u32 = 8 * 1024;
/// Connections that wait to be accepted.
const QUEUE: u32 = 64;

/// A socket whose connections keep little for clients that do not read.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // The port may be that of a process that has just ended.
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(BUFFER)?;
    socket.set_recv_buffer_size(BUFFER)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// Serves until it is dropped.
pub(crate) async fn serve(
    listeners: &[TcpListener],
    limits: Limits,
    handler: Arc<impl Handler>,
) -> Infallible {
    let mut crowd = Crowd::default();
    let mut turn: usize = 0;
    loop {
        let has_room = crowd.has_room(&limits);
        tokio::select! {
            // What has ended is released first: it takes memory until then, and in a flood there is
            // always one more to accept.
            biased;
            Some(ended) = crowd.tasks.join_next_with_id() => crowd.forget(&ended),
            // A client has its answer, and its connection can be ended if need be.
            () = crowd.freed.notified(), if !has_room => {}
            stream = accept(listeners, turn), if has_room => match stream {
                Ok(stream) => {
                    if crowd.is_full(&limits) {
                        // A client that has sent its request by now is seen to have done so.
                        yield_now().await;
                    }
                    crowd.admit(stream, limits, Arc::clone(&handler));
                    turn = turn.wrapping_add(1);
                }
                Err(_) => {
                    crowd.displace();
                    sleep(PAUSE).await;
                }
            },
        }
    }
}

/// The open connections. Dropping it ends them.
#[derive(Default)]
struct Crowd {
    tasks: JoinSet<()>,
    open: HashMap<Id, (Deadlines, AbortHandle)>,
    freed: Arc<Notify>,
}

impl Crowd {
    /// Whether one more connection can be taken, perhaps in the place of another.
    fn has_room(&self, limits: &Limits) -> bool {
        let most = limits.connections + SPARE;
        self.tasks.len() < most + ENDING && (self.open.len() < most || self.dispensable().is_some())
    }

    fn is_full(&self, limits: &Limits) -> bool {
        self.open.len() >= limits.connections
    }

    /// Admits a connection. When all places are taken, one that waits for nothing makes way:
    /// connections that ask for nothing, in any number, keep nobody from being answered.
    fn admit(&mut self, stream: TcpStream, limits: Limits, handler: Arc<impl Handler>) {
        // Small answers are not worth waiting for more.
        let _ = stream.set_nodelay(true);
        // What a client has not taken when its connection ends goes with it: the kernel would keep
        // it for minutes, as memory of our container's, and in any number.
        let _ = stream.set_zero_linger();
        if self.is_full(&limits) {
            self.displace();
        }
        let crowded = self.is_full(&limits);
        let deadlines = Deadlines::new(Arc::clone(&self.freed));
        let task = self.tasks.spawn(talk(stream, crowded, limits, handler, deadlines.clone()));
        self.open.insert(task.id(), (deadlines, task));
    }

    fn displace(&mut self) {
        if let Some((_, task)) = self.dispensable().and_then(|id| self.open.remove(&id)) {
            task.abort();
        }
    }

    fn dispensable(&self) -> Option<Id> {
        let ranked =
            self.open.iter().filter_map(|(id, (deadlines, _))| Some((deadlines.rank()?, *id)));
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, id)| id)
    }

    /// Forgets a connection, however it ended.
    fn forget(&mut self, ended: &Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        self.open.remove(&id);
    }
}

/// Accepts from the listener that has a client; where all have one, each gets its turn.
async fn accept(listeners: &[TcpListener], turn: usize) -> io::Result<TcpStream> {
    let first = turn.checked_rem(listeners.len()).unwrap_or_default();
    let poll = |cx: &mut Context<'_>| {
        let mut all = listeners.iter().cycle().skip(first).take(listeners.len());
        let ready = all.find_map(|listener| match listener.poll_accept(cx) {
            Poll::Ready(accepted) => Some(accepted.map(|(stream, _)| stream)),
            Poll::Pending => None,
        });
        ready.map_or(Poll::Pending, Poll::Ready)
    };
    poll_fn(poll).await
}

/// Serves one connection until its client is done or does nothing for too long.
async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    crowded: bool,
    limits: Limits,
    handler: Arc<impl Handler>,
    deadlines: Deadlines,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let (handler, mut answering) = (Arc::clone(&handler), deadlines.answering());
        async move {
            let (head, body) = request.into_parts();
            let has_body = !body.is_end_stream();
            let asked = HttpRequest { head, has_body, crowded };
            let answer = timeout(limits.answer, handler.answer(asked)).await;
            if answer.as_ref().is_ok_and(|answer| !answer.is_anybodys) {
                answering.serves();
            }
            drop(answering);
            let answer = answer.unwrap_or_else(|_| {
                Answer::text(StatusCode::GATEWAY_TIMEOUT, "the answer took too long")
            });
            Ok::<_, Infallible>(response(answer, has_body || crowded))
        }
    });
    let mut http = http1::Builder::new();
    http.max_buf_size(HEAD).max_headers(HEADERS).keep_alive(!crowded);
    // A half-closed client is treated as gone, and its place is freed.
    http.half_close(false);
    let stream = Watched::new(stream, deadlines.clone());
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut timer = pin!(sleep(limits.head));
    poll_fn(|cx| {
        if connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let Some(due) = deadlines.due(&limits) else { return Poll::Pending };
        // A time that has moved away is looked at when the timer ends, not at each request.
        if due < timer.deadline() {
            timer.as_mut().reset(due);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if due <= Instant::now() {
                return Poll::Ready(());
            }
            timer.as_mut().reset(due);
        }
        Poll::Pending
    })
    .await;
}

fn response(answer: Answer, last: bool) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if last {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

#[cfg(test)]
mod tests;
