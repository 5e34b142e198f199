//! `serve`: everything that can be wrong is found before a socket opens, then the server runs
//! until a signal ends it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustix::process::{Resource, getrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::args::ServeArgs;
use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::mutate::{Admit, Judge};
use crate::server::{Limits, Phase, Server};
use crate::settings::{Inputs, Settings};
use crate::tls::{Files, Identity, Served, TlsError};
use crate::{health, log, mutate, reload, tls};

/// Runs until SIGTERM or SIGINT.
pub fn run(
    args: ServeArgs,
    admit: Admit,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<(), Failure> {
    if !args.standalone {
        return Err(Failure::usage("only serve --standalone is available in this version"));
    }
    let inputs = Inputs::new(args.settings.file.clone(), &args.settings.settings, environment)
        .map_err(Failure::usage)?;
    let settings = inputs.load().map_err(Failure::usage)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let (identity, files) = identity(&args, &provider).map_err(Failure::usage)?;
    log::init(args.log_level);
    let prepared = Prepared { args, admit, inputs, settings, provider, identity, files };
    // One thread: it answers ten thousand reviews a second, an API server sends hundreds, and
    // a second one would double the idle memory.
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?
        .block_on(prepared.serve())
}

/// What `serve` needs, all of it valid.
struct Prepared {
    args: ServeArgs,
    admit: Admit,
    inputs: Inputs,
    settings: Settings,
    provider: Arc<rustls::crypto::CryptoProvider>,
    identity: Identity,
    /// Where the identity is from, unless it was made.
    files: Option<Files>,
}

impl Prepared {
    async fn serve(self) -> Result<(), Failure> {
        let Self { args, admit, inputs, settings, provider, identity, files } = self;
        // Before the sockets: a signal that comes early must not be lost.
        let mut signals = Signals::new().map_err(Failure::internal)?;
        let metrics = Arc::new(Metrics::new());
        metrics.certificate_ends(identity.not_after());
        let settings = Arc::new(ArcSwap::from_pointee(settings));
        let served = Arc::new(Served::new(&identity));
        let tls =
            tls::config(Arc::clone(&served), Arc::clone(&provider)).map_err(Failure::internal)?;
        let limits = Limits { connections: connections(args.max_connections), ..Limits::default() };
        let (phase, phases) = watch::channel(Phase::Serving);

        let routes = mutate::router(
            Judge::Alone(admit),
            Arc::clone(&settings),
            limits.clone(),
            Arc::clone(&metrics),
        );
        let webhook =
            Server::bind(args.listen, Some(Arc::new(tls)), routes, limits, Arc::clone(&metrics))
                .await
                .map_err(|error| bind_failure("--listen", &error))?;
        let routes = health::router(phases.clone(), Arc::clone(&metrics));
        let limits = Limits { connections: ADMIN_CONNECTIONS, ..Limits::default() };
        // Probes come and go; the metrics are about the webhook's connections.
        let uncounted = Arc::new(Metrics::new());
        let admin = Server::bind(args.admin, None, routes, limits, uncounted)
            .await
            .map_err(|error| bind_failure("--admin", &error))?;
        announce(&webhook, &admin, args.ready_file.as_deref())?;

        let mut reloads = JoinSet::new();
        reloads.spawn(reload::settings(inputs, settings, Arc::clone(&metrics), RELOAD));
        if let Some(files) = files {
            reloads.spawn(reload::certificate(files, served, provider, metrics, RELOAD));
        }
        // The administrative port answers until the other one has ended.
        let (_admin_phase, admin_phases) = watch::channel(Phase::Serving);
        let drain = Duration::from_secs(args.drain_seconds);
        let end = async {
            signals.next().await;
            tracing::info!(seconds = args.drain_seconds, "draining");
            phase.send_replace(Phase::Draining);
            tokio::time::sleep(drain).await;
            phase.send_replace(Phase::Stopping);
            tokio::time::sleep(Duration::from_secs(args.shutdown_timeout)).await;
        };
        let again = Signals::new().map_err(Failure::internal)?;
        tokio::select! {
            () = admin.run(admin_phases) => {
                return Err(Failure::internal("the administrative port ended"));
            }
            () = webhook.run(phases) => tracing::info!("stopped"),
            () = end => tracing::warn!("stopped with requests under way"),
            () = again.second() => tracing::warn!("stopped at the second signal"),
        }
        Ok(())
    }
}

/// SIGTERM and SIGINT.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    async fn second(mut self) {
        self.next().await;
        self.next().await;
    }
}

/// As many as wanted, or as file descriptors allow: without one left nobody could be accepted,
/// not even to take the place of an idle connection.
fn connections(wanted: u32) -> usize {
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let limit = getrlimit(Resource::Nofile).current.map(usize::try_from);
    let Some(Ok(descriptors)) = limit else { return wanted };
    let possible = descriptors.saturating_sub(ADMIN_CONNECTIONS + OTHER_DESCRIPTORS).max(1);
    if possible < wanted {
        tracing::warn!(wanted, possible, descriptors, "fewer connections, for want of descriptors");
    }
    wanted.min(possible)
}

/// From the operator's files, or made for this run.
fn identity(
    args: &ServeArgs,
    provider: &rustls::crypto::CryptoProvider,
) -> Result<(Identity, Option<Files>), TlsError> {
    if let (Some(cert), Some(key)) = (&args.tls_cert, &args.tls_key) {
        let files = Files { cert: cert.clone(), key: key.clone() };
        let identity = files.identity(&files.read()?, provider)?;
        return Ok((identity, Some(files)));
    }
    let issued = certs::issue(&args.tls_name, SystemTime::now(), MADE_FOR)?;
    let made = "the made certificate";
    let (cert, key) = (issued.cert_pem.as_bytes(), issued.key.pem().as_bytes());
    let identity = Identity::from_pem((cert, made), (key, made), provider)?;
    if let Some(path) = &args.write_ca {
        std::fs::write(path, &issued.ca_pem)
            .map_err(|source| TlsError::Write { path: path.clone(), source })?;
    }
    Ok((identity, None))
}

/// Says where the server listens: port 0 was chosen by the kernel.
fn announce(webhook: &Server, admin: &Server, file: Option<&Path>) -> Result<(), Failure> {
    let listen = webhook.address().map_err(Failure::internal)?;
    let admin = admin.address().map_err(Failure::internal)?;
    tracing::info!(%listen, %admin, version = env!("CARGO_PKG_VERSION"), "ready");
    let Some(path) = file else { return Ok(()) };
    let text = serde_json::json!({ "listen": listen, "admin": admin }).to_string();
    // Whoever waits for the file must not find half of it.
    let temporary = path.with_extension("tmp");
    std::fs::write(&temporary, text)
        .and_then(|()| std::fs::rename(&temporary, path))
        .map_err(|error| Failure::Usage(format!("writing {}: {error}", path.display())))
}

fn bind_failure(flag: &str, error: &std::io::Error) -> Failure {
    Failure::Internal(format!("binding {flag}: {error}"))
}

/// Mounted files change within a minute or so of the object; this adds little to it.
const RELOAD: Duration = Duration::from_secs(2);
/// A probe and a scraper or two.
const ADMIN_CONNECTIONS: usize = 64;
/// Standard streams, sockets, the event loop, a file being read, and some to spare.
const OTHER_DESCRIPTORS: usize = 32;
/// Longer than any local run.
const MADE_FOR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
