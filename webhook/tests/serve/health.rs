//! What the administrative port says of the process.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use webhook::metrics::Metrics;
use webhook::serve::health::{self, Health};
use webhook::serve::server::{Limits, Phase, Server};
use webhook::serve::tasks::Tasks;

use crate::harness::until;

struct Admin {
    address: SocketAddr,
    phase: watch::Sender<Phase>,
    reasons: Arc<Mutex<Vec<String>>>,
}

impl Admin {
    async fn start(ended: watch::Receiver<Option<&'static str>>) -> Self {
        let (phase, phases) = watch::channel(Phase::Serving);
        let reasons = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&reasons);
        let metrics = Arc::new(Metrics::new());
        let router = health::router(Health {
            phase: phases.clone(),
            ended,
            reasons: Arc::new(move || asked.lock().unwrap().clone()),
            metrics: Arc::clone(&metrics),
        });
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::bind(any, None, router, Limits::default(), metrics).await.unwrap();
        let address = server.address().unwrap();
        let (_never, serving) = watch::channel(Phase::Serving);
        tokio::spawn(async move {
            let _open = _never;
            server.run(serving).await;
        });
        Self { address, phase, reasons }
    }

    async fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        format!("{} {body}", head.split(' ').nth(1).unwrap())
    }
}

#[tokio::test]
async fn a_task_that_ended_is_the_end_of_liveness_and_not_of_readiness() {
    let (mut tasks, ended) = Tasks::new();
    let admin = Admin::start(ended).await;
    let (end, ending) = oneshot::channel::<()>();
    tasks.spawn("keeps the peace", async {
        let _ = ending.await;
    });
    tasks.spawn("goes on", std::future::pending());
    tokio::spawn(tasks.watch());
    assert_eq!(admin.get("/healthz").await, "200 ok\n");
    end.send(()).unwrap();
    until("the end to be noticed", async || admin.get("/healthz").await.starts_with("503")).await;
    assert_eq!(
        admin.get("/healthz").await,
        "503 not alive: the task that keeps the peace has ended; start the process anew\n"
    );
    assert_eq!(admin.get("/readyz").await, "200 ready\n");
}

#[tokio::test]
async fn a_task_that_panicked_has_ended_too() {
    let (mut tasks, ended) = Tasks::new();
    let admin = Admin::start(ended).await;
    tasks.spawn("fails", async { panic!("as the test wants it") });
    tokio::spawn(tasks.watch());
    until("the end to be noticed", async || admin.get("/healthz").await.starts_with("503")).await;
}

#[tokio::test]
async fn every_reason_against_readiness_is_a_line() {
    let (_tasks, ended) = Tasks::new();
    let admin = Admin::start(ended).await;
    assert_eq!(admin.get("/readyz").await, "200 ready\n");
    *admin.reasons.lock().unwrap() = vec!["no certificate".to_owned(), "no caBundle".to_owned()];
    let said = admin.get("/readyz").await;
    assert_eq!(said, "503 not ready: no certificate\nnot ready: no caBundle\n");
    assert_eq!(admin.get("/healthz").await, "200 ok\n");
    admin.phase.send_replace(Phase::Draining);
    assert_eq!(admin.get("/readyz").await, "503 not ready: draining\n");
}
