//! A forward proxy that knows CONNECT alone, written from RFC 9110: it opens every connection to one
//! address, whatever host is asked for, or does something else instead.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum ProxyConduct {
    /// A connection to this address.
    Opens(SocketAddr),
    /// These bytes, and the end of the connection.
    Says(&'static str),
    /// Nothing, forever.
    Hangs,
}

/// Runs until it is dropped.
pub struct ConnectProxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

/// Lines of a head.
const MOST: usize = 100;

impl ConnectProxy {
    pub async fn start(conduct: ProxyConduct) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let heads = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        tasks.spawn(run(listener, conduct, Arc::clone(&heads)));
        Ok(Self { address, heads, _tasks: tasks })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The heads of all requests, line by line, as they came.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn run(listener: TcpListener, conduct: ProxyConduct, heads: Arc<Mutex<Vec<String>>>) {
    let mut open = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while open.try_join_next().is_some() {}
        let (conduct, heads) = (conduct.clone(), Arc::clone(&heads));
        open.spawn(async move {
            // Whoever hangs up has what it wanted.
            let _ = serve(stream, &conduct, &heads).await;
        });
    }
}

async fn serve(
    stream: TcpStream,
    conduct: &ProxyConduct,
    heads: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    for _ in 0..MOST {
        let before = head.len();
        stream.read_line(&mut head).await?;
        if head.len() - before <= "\r\n".len() {
            break;
        }
    }
    let is_connect = head.starts_with("CONNECT ");
    heads.lock().unwrap_or_else(PoisonError::into_inner).push(head);
    match conduct {
        _ if !is_connect => {
            stream.write_all(b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n").await
        }
        ProxyConduct::Opens(address) => {
            let mut host = TcpStream::connect(address).await?;
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            copy_bidirectional(&mut stream, &mut host).await.map(|_| ())
        }
        ProxyConduct::Says(answer) => stream.write_all(answer.as_bytes()).await,
        ProxyConduct::Hangs => std::future::pending().await,
    }
}
