//! A way to the emulated cloud on which everything takes time, the beginning of a connection too.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Clients that dial `address` reach the cloud as if it were that far away. It ends when dropped.
pub(crate) struct FarAway {
    pub(crate) address: SocketAddr,
    _accepting: JoinSet<()>,
}

/// So many pieces of a stream are on their way at once.
const MOST: usize = 64;
const PIECE: usize = 16 * 1024;

impl FarAway {
    /// `trip` is how long a packet and its answer take.
    pub(crate) async fn from(cloud: SocketAddr, trip: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((near, _)) = listener.accept() => {
                        connections.spawn(join(near, cloud, trip));
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self { address, _accepting: accepting })
    }
}

async fn join(near: TcpStream, cloud: SocketAddr, trip: Duration) -> io::Result<()> {
    // Nobody can send anything before the first packet was answered.
    let open = Instant::now() + trip;
    let far = TcpStream::connect(cloud).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (from_near, to_near) = near.into_split();
    let (from_far, to_far) = far.into_split();
    let there = carry(from_near, to_far, open, trip / 2);
    let back = carry(from_far, to_near, open, trip / 2);
    let (there, back) = tokio::join!(there, back);
    there.and(back)
}

/// What is read leaves so much later, in the same order.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    open: Instant,
    delay: Duration,
) -> io::Result<()> {
    let (sender, mut pieces) = mpsc::channel::<(Instant, Vec<u8>)>(MOST);
    let read = async move {
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            let is_over = from.read_buf(&mut piece).await? == 0;
            let due = Instant::now().max(open) + delay;
            if sender.send((due, piece)).await.is_err() || is_over {
                return Ok(());
            }
        }
    };
    let write = async move {
        while let Some((due, piece)) = pieces.recv().await {
            sleep_until(due).await;
            to.write_all(&piece).await?;
        }
        to.shutdown().await
    };
    let (read, written) = tokio::join!(read, write);
    read.and(written)
}
