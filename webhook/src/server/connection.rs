//! One connection, from its handshake to its end.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Router;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::service::Service as _;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use super::activity::Activity;
use super::stream::Stream;
use super::{Phase, Shared};
use crate::metrics::Closed;

/// Serves until the client is done, a deadline passes or the server stops.
pub(super) async fn serve(
    tcp: TcpStream,
    activity: Activity,
    shared: Arc<Shared>,
    phase: watch::Receiver<Phase>,
) {
    let Some(tls) = &shared.tls else {
        return talk(tcp, false, activity, &shared, phase).await;
    };
    let deadline = Instant::now() + shared.limits.handshake;
    match timeout_at(deadline, tls.accept(tcp)).await {
        Ok(Ok(stream)) => {
            let framed = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            talk(stream, framed, activity, &shared, phase).await;
        }
        Ok(Err(_)) => shared.metrics.closed(Closed::HandshakeFailed),
        Err(_) => shared.metrics.closed(Closed::HandshakeTimeout),
    }
}

/// Speaks HTTP: version 2 if `framed`, else 1.1.
async fn talk<S>(
    stream: S,
    framed: bool,
    activity: Activity,
    shared: &Shared,
    mut phase: watch::Receiver<Phase>,
) where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let service = {
        let (activity, phase) = (activity.clone(), phase.clone());
        let router: TowerToHyperService<Router> = TowerToHyperService::new(shared.router.clone());
        hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            let in_flight = activity.request_begins();
            let answer = router.call(request);
            let phase = phase.clone();
            async move {
                let mut answer = answer.await;
                // HTTP/2 has said so already, for the whole connection.
                if !framed
                    && *phase.borrow() >= Phase::Draining
                    && let Ok(answer) = &mut answer
                {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                drop(in_flight);
                answer as Result<_, Infallible>
            }
        })
    };
    let http = if framed { &shared.http2 } else { &shared.http1 };
    let io = TokioIo::new(Stream::new(stream, activity.clone()));
    let mut connection = pin!(http.serve_connection(io, service));
    let mut timer = pin!(sleep_until(Instant::now()));
    let mut stop = pin!(async {
        let wanted = if framed { Phase::Draining } else { Phase::Stopping };
        // A server that is gone stops too.
        let _ = phase.wait_for(|phase| *phase >= wanted).await;
        if !framed {
            // HTTP/1.1 cannot refuse a request that was sent before the close arrived.
            tokio::time::sleep(shared.limits.linger).await;
        }
    });
    let mut stopping = false;
    // HTTP/2 is asked to end and may finish what is under way, a late head is answered.
    let mut end = None;
    poll_fn(|cx| {
        loop {
            // First, so that bytes that are here already are seen before the connection is closed.
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            if !stopping && stop.as_mut().poll(cx).is_ready() {
                stopping = true;
                connection.as_mut().graceful_shutdown();
                continue;
            }
            let due = activity.due(&shared.limits, framed);
            let at = match (due, end) {
                // Looked at again later: the end of a request may go unnoticed here.
                (None, _) => Instant::now() + shared.limits.idle,
                (Some((at, _)), None) => at,
                (Some(_), Some(end)) => end,
            };
            ready!(poll_until(timer.as_mut(), at, cx));
            if let Some((_, why)) = due {
                if end.is_none() {
                    shared.metrics.closed(why);
                }
                match why {
                    _ if end.is_some() => return Poll::Ready(()),
                    // The stream says so to the client when it is polled again.
                    Closed::HeaderTimeout => activity.head_is_late(),
                    _ if framed => connection.as_mut().graceful_shutdown(),
                    _ => return Poll::Ready(()),
                }
                end = Some(Instant::now() + shared.limits.head);
            }
        }
    })
    .await;
}

/// Waits for `at`, which may be another one each time. The timer is set early and looked at
/// late, so that a request costs no timer.
fn poll_until(mut timer: Pin<&mut Sleep>, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
    while at > Instant::now() {
        if timer.deadline() > at || timer.is_elapsed() {
            timer.as_mut().reset(at);
        }
        ready!(timer.as_mut().poll(cx));
    }
    Poll::Ready(())
}
