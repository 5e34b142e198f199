//! A steady load of Pod creations by dry run: sent by the clock, whatever became of those before,
//! and every failure written down.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use hyper::{Method, Request, header};
use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::handle::Cluster;
use super::wait::until;
use crate::samples::Samples;

/// Longer than an API server waits for a webhook.
const PATIENCE: Duration = Duration::from_secs(15);
/// Calls at once; more than that are not sent, which is a failure too.
const MOST_AT_ONCE: usize = 1000;
/// A load that nobody ends does so itself.
const LONGEST: Duration = Duration::from_secs(3600);

/// What is asked for, again and again.
#[derive(Clone, Debug)]
pub struct Load {
    pub namespace: String,
    pub pod: Value,
    /// Any other answer is a failure, if it is a success or not.
    pub contains: String,
    pub per_second: u32,
}

/// One creation.
#[derive(Debug)]
pub struct Creation {
    /// When it was to be sent, which is when whoever needs the Pod begins to wait.
    pub due: Instant,
    pub took: Duration,
    pub failure: Option<String>,
}

impl Creation {
    fn failed(due: Instant, failure: String) -> Self {
        Self { due, took: due.elapsed(), failure: Some(failure) }
    }
}

/// A load under way. Dropped, it ends too, and what became of it is lost.
#[derive(Debug)]
pub struct LoadStream {
    gap: Duration,
    answered: Arc<AtomicUsize>,
    end: oneshot::Sender<()>,
    thread: JoinHandle<Result<Vec<Creation>>>,
}

/// A load that is over, in the order of the answers.
#[derive(Debug)]
pub struct Calls(Vec<Creation>);

impl Load {
    pub fn start(self, cluster: &Cluster) -> Result<LoadStream> {
        ensure!(self.per_second > 0, "a load has at least one call in a second");
        let gap = Duration::from_secs(1) / self.per_second;
        let network = cluster.layout().network_namespace();
        let kubeconfig = cluster.layout().kubeconfig();
        let answered = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&answered);
        let (end, ended) = oneshot::channel();
        let work = move || {
            enter(&network)?;
            // One thread: connections are opened in the network that their thread is in.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let request = Arc::new(Asked::new(&self, kubeconfig).await?);
                Ok(send(request, gap, ended, &counter).await)
            })
        };
        let thread = thread::Builder::new().name("load".to_owned()).spawn(work)?;
        Ok(LoadStream { gap, answered, end, thread })
    }
}

impl LoadStream {
    /// Waits until as many more have been answered, one way or the other.
    pub fn wait_for(&self, more: u32) -> Result<()> {
        let wanted = self.answered.load(Ordering::Relaxed) + usize::try_from(more)?;
        until("calls to be answered", self.gap * more + 2 * PATIENCE, || {
            ensure!(!self.thread.is_finished(), "the load has ended by itself");
            let answered = self.answered.load(Ordering::Relaxed);
            Ok((answered >= wanted).then_some(()).into())
        })
    }

    /// Sends no more, and waits for what is under way.
    pub fn end(self) -> Result<Calls> {
        let _ = self.end.send(());
        match self.thread.join() {
            Ok(calls) => calls.map(Calls),
            Err(_) => bail!("the load panicked"),
        }
    }
}

impl Calls {
    pub fn join(parts: impl IntoIterator<Item = Self>) -> Self {
        Self(parts.into_iter().flat_map(|calls| calls.0).collect())
    }

    pub fn all(&self) -> &[Creation] {
        &self.0
    }

    pub fn failed(&self) -> impl Iterator<Item = &Creation> {
        self.0.iter().filter(|call| call.failure.is_some())
    }

    /// Below this is the given part of a hundred of those that did not fail.
    pub fn percentile(&self, part: usize) -> Duration {
        let succeeded = self.0.iter().filter(|call| call.failure.is_none());
        Samples::new(succeeded.map(|call| call.took).collect()).percentile(part)
    }
}

/// Moves this thread, and no other one, into the cluster's network.
fn enter(network: &Path) -> Result<()> {
    let file = File::open(network).with_context(|| format!("opening {}", network.display()))?;
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
        .with_context(|| format!("entering the network {}", network.display()))
}

/// A client and what it asks for.
struct Asked {
    client: Client,
    path: String,
    body: Vec<u8>,
    contains: String,
}

impl Asked {
    async fn new(load: &Load, kubeconfig: PathBuf) -> Result<Self> {
        let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
        let options = KubeConfigOptions::default();
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
        // What failed must be seen to have failed.
        config.default_retry = false;
        Ok(Self {
            client: Client::try_from(config)?,
            path: format!("/api/v1/namespaces/{}/pods?dryRun=All", load.namespace),
            body: load.pod.to_string().into_bytes(),
            contains: load.contains.clone(),
        })
    }

    async fn call(&self, due: Instant) -> Creation {
        match timeout(PATIENCE, self.ask()).await {
            Ok(Ok(())) => Creation { due, took: due.elapsed(), failure: None },
            Ok(Err(error)) => Creation::failed(due, format!("{error:#}")),
            Err(_) => Creation::failed(due, format!("no answer within {PATIENCE:?}")),
        }
    }

    async fn ask(&self) -> Result<()> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(&self.path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(self.body.clone())?;
        match self.client.request_text(request).await {
            Ok(text) => {
                ensure!(text.contains(&self.contains), "created without {}", self.contains);
                Ok(())
            }
            Err(kube::Error::Api(status)) => bail!("{} {}", status.code, status.message),
            Err(error) => Err(error.into()),
        }
    }
}

async fn send(
    asked: Arc<Asked>,
    gap: Duration,
    mut end: oneshot::Receiver<()>,
    answered: &AtomicUsize,
) -> Vec<Creation> {
    let mut calls = Vec::new();
    let mut under_way = JoinSet::new();
    let begun = Instant::now();
    let mut due = begun;
    while due < begun + LONGEST {
        tokio::select! {
            biased;
            // Also when nobody is left who could end it.
            _ = &mut end => break,
            Some(call) = under_way.join_next() => {
                calls.push(call.unwrap_or_else(|error| Creation::failed(due, error.to_string())));
                answered.fetch_add(1, Ordering::Relaxed);
            }
            () = sleep_until(due.into()) => {
                if under_way.len() < MOST_AT_ONCE {
                    let asked = Arc::clone(&asked);
                    under_way.spawn(async move { asked.call(due).await });
                } else {
                    let failure = format!("not sent: {MOST_AT_ONCE} calls are under way");
                    calls.push(Creation::failed(due, failure));
                }
                due += gap;
            }
        }
    }
    while let Some(call) = under_way.join_next().await {
        calls.push(call.unwrap_or_else(|error| Creation::failed(due, error.to_string())));
    }
    calls
}
