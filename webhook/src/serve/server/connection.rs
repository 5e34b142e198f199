//! One connection, from its handshake to its end.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
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
use super::answer::AnswerBody;
use super::arrival::Arrival;
use super::bounded::Bounded;
use super::peers::Peer;
use super::phase::Phase;
use super::shared::Shared;
use super::stream::Stream;
use crate::metrics::Closed;

/// Serves until the client is done, a deadline passes or the server stops.
pub(super) async fn serve(
    tcp: Arc<TcpStream>,
    peer: Peer,
    activity: Activity,
    shared: Arc<Shared>,
    mut phase: watch::Receiver<Phase>,
) {
    let deadline = Instant::now() + shared.limits.handshake;
    tokio::select! {
        _ = tcp.readable() => {}
        // What follows knows what to do about these.
        () = sleep_until(deadline.min(Instant::now() + shared.limits.head)) => {}
        _ = phase.wait_for(|phase| *phase >= Phase::Stopping) => {}
    }
    let Some(tcp) = activity.is_read(tcp) else { return };
    let Some(tls) = &shared.tls else {
        return talk(tcp, peer, activity, &shared, phase).await;
    };
    match timeout_at(deadline, tls.accept(Bounded::new(tcp, activity.clone()))).await {
        Ok(Ok(mut stream)) => {
            let (tcp, tls) = stream.get_mut();
            tcp.lift();
            // What is encrypted and not sent yet is on nobody's account, so it is little.
            tls.set_buffer_limit(Some(SENDING));
            talk(stream, peer, activity, &shared, phase).await;
        }
        Ok(Err(_)) => shared.metrics.closed(Closed::HandshakeFailed),
        Err(_) => shared.metrics.closed(Closed::HandshakeTimeout),
    }
}

async fn talk<S>(
    stream: S,
    peer: Peer,
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
            let mut request = request.map(|body| Arrival::new(body, &activity));
            request.extensions_mut().insert(peer);
            let answer = router.call(request);
            let (activity, phase) = (activity.clone(), phase.clone());
            let (peers, fewest) = (Arc::clone(&shared.peers), Arc::clone(&shared.fewest));
            if *phase.borrow() >= Phase::Draining {
                shared.late.notify_one();
            }
            async move {
                let Ok(mut answer) = answer.await;
                let crowded = peers.of(peer) >= fewest.load(Ordering::Relaxed);
                // Without this header a client sends its next request into the end.
                if activity.is_cut() || crowded || *phase.borrow() >= Phase::Draining {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                let answering = activity.answer_begins();
                drop(in_flight);
                Ok::<_, Infallible>(answer.map(|body| AnswerBody::new(body, answering)))
            }
        })
    };
    let io = TokioIo::new(Stream::new(stream, activity.clone()));
    let mut connection = pin!(shared.http.serve_connection(io, service));
    let mut timer = pin!(sleep_until(Instant::now()));
    let mut stop = pin!(async {
        // A server that is gone stops too.
        let _ = phase.wait_for(|phase| *phase >= Phase::Stopping).await;
        // HTTP/1.1 cannot refuse a request that was sent before the close arrived.
        tokio::time::sleep(shared.limits.linger).await;
    });
    let mut stopping = false;
    // A late head is answered.
    let mut end = None;
    poll_fn(|cx| {
        loop {
            // First, so that bytes that are here already are seen before the connection is closed.
            if connection.as_mut().poll(cx).is_ready() {
                if activity.is_hollow() {
                    shared.metrics.closed(Closed::EmptyRecords);
                }
                return Poll::Ready(());
            }
            if !stopping && stop.as_mut().poll(cx).is_ready() {
                stopping = true;
                connection.as_mut().graceful_shutdown();
                continue;
            }
            let due = activity.due(&shared.limits);
            let at = match (due, end) {
                // Looked at again later: the end of a request may go unnoticed here.
                (None, _) => Instant::now() + shared.limits.idle,
                // An answer keeps its time on a connection that is about to end.
                (Some((at, Closed::AnswerTimeout)), _) | (Some((at, _)), None) => at,
                (Some(_), Some(end)) => end,
            };
            ready!(poll_until(timer.as_mut(), at, cx));
            if let Some((_, why)) = due {
                if end.is_none() || why == Closed::AnswerTimeout {
                    shared.metrics.closed(why);
                }
                match why {
                    Closed::AnswerTimeout => return Poll::Ready(()),
                    _ if end.is_some() => return Poll::Ready(()),
                    // The stream says so to the client when it is polled again.
                    Closed::HeaderTimeout => activity.head_is_late(),
                    _ => return Poll::Ready(()),
                }
                end = Some(Instant::now() + shared.limits.head);
            }
        }
    })
    .await;
}

/// Bytes that TLS keeps for a client that does not read; one record.
const SENDING: usize = 16 * 1024;

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
