//! `serve`: everything that can be wrong is found before a socket opens, then the server runs
//! until a signal ends it.

mod certificate;
pub mod drain;
pub mod health;
mod in_cluster;
mod log;
pub mod mutate;
mod options;
mod readiness;
pub mod reload;
pub mod server;
mod signals;
pub mod tasks;
pub mod tls;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustix::process::{Resource, getrlimit, setpriority_process};
use rustls::crypto::CryptoProvider;
use tokio::sync::watch;

use self::in_cluster::InCluster;
use self::options::{Certificate, Cluster, Mode, Own};
use self::signals::Signals;
use crate::args::ServeArgs;
use crate::ask::rules;
use crate::cluster::client::connect;
use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::serve::health::Health;
use crate::serve::mutate::{Admit, Judge};
use crate::serve::server::{Limits, Phase, Server};
use crate::serve::tasks::Tasks;
use crate::serve::tls::{ClientCa, Clients, Files, Identity, ServedCertificate, TlsError};
use crate::settings::{Inputs, Settings};

/// Runs until SIGTERM or SIGINT.
pub fn run(
    args: ServeArgs,
    admit: Admit,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<(), Failure> {
    let mode = Mode::of(&args).map_err(Failure::Usage)?;
    let inputs = Inputs::new(args.settings.file.clone(), &args.settings.settings, environment)
        .map_err(Failure::usage)?;
    let settings = rules::load(&inputs).map_err(Failure::usage)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let (identity, files) = identity(&mode, &provider).map_err(Failure::usage)?;
    let clients = clients(&args, &provider).map_err(Failure::usage)?;
    log::init(args.log_level);
    let prepared =
        Prepared { args, mode, admit, inputs, settings, provider, identity, files, clients };
    // One thread: it answers ten thousand reviews a second, an API server sends hundreds, and
    // a second one would double the idle memory. Another comes and goes with large reviews, and
    // leaves the core to this one where they have only one. Several that took turns would each keep
    // what they freed.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .on_thread_start(|| {
            // It is as good without, where this is forbidden.
            let _ = setpriority_process(None, LESS);
        })
        .build()
        .map_err(Failure::internal)?;
    let served = runtime.block_on(prepared.serve());
    // A decision that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    served
}

/// What `serve` needs, all of it valid.
struct Prepared {
    args: ServeArgs,
    mode: Mode,
    admit: Admit,
    inputs: Inputs,
    settings: Settings,
    provider: Arc<CryptoProvider>,
    /// None yet where replicas make it.
    identity: Option<Identity>,
    /// Where the identity is from, if it is from files.
    files: Option<Files>,
    clients: Option<(ClientCa, Arc<Clients>)>,
}

impl Prepared {
    async fn serve(self) -> Result<(), Failure> {
        let Self { args, mode, admit, inputs, settings, provider, identity, files, clients } = self;
        // Before the sockets: a signal that comes early must not be lost.
        let mut signals = Signals::new().map_err(Failure::internal)?;
        let again = Signals::new().map_err(Failure::internal)?;
        let metrics = Arc::new(match mode {
            Mode::Standalone(_) => Metrics::new(),
            Mode::Cluster(_) => Metrics::in_cluster(),
        });
        if let Some(identity) = &identity {
            metrics.certificate_ends(identity.not_after());
        }
        let served = Arc::new(ServedCertificate::new(identity));
        let (cluster, judge) = match mode {
            Mode::Standalone(_) => (None, Judge::Alone(admit)),
            Mode::Cluster(flags) => {
                let connection =
                    connect(flags.kubeconfig.as_deref()).await.map_err(Failure::Usage)?;
                let (served, seed) = (Arc::clone(&served), seed(&provider)?);
                let (cluster, judge) = InCluster::new(connection, flags, served, seed, &metrics);
                (Some(cluster), judge)
            }
        };
        let settings = Arc::new(ArcSwap::from_pointee(settings));
        let admitted = clients.as_ref().map(|(_, clients)| Arc::clone(clients));
        let tls = tls::config(Arc::clone(&served), admitted, Arc::clone(&provider))
            .map_err(Failure::internal)?;
        let connections = connections(args.max_connections);
        let limits = Limits { connections, waiting: connections, ..Limits::default() };
        let (phase, phases) = watch::channel(Phase::Serving);
        let (mut tasks, ended) = Tasks::new();

        let routes =
            mutate::router(judge, Arc::clone(&settings), limits.clone(), Arc::clone(&metrics));
        let webhook =
            Server::bind(args.listen, Some(Arc::new(tls)), routes, limits, Arc::clone(&metrics))
                .await
                .map_err(|error| bind_failure("--listen", &error))?;
        let routes = health::router(Health {
            phase: phases.clone(),
            ended,
            reasons: reasons(cluster.as_ref()),
            metrics: Arc::clone(&metrics),
        });
        let limits = Limits {
            connections: ADMIN_CONNECTIONS,
            waiting_connections: ADMIN_CONNECTIONS,
            ..Limits::default()
        };
        // Probes come and go; the metrics are about the webhook's connections.
        let uncounted = Arc::new(Metrics::new());
        let admin = Server::bind(args.admin, None, routes, limits, uncounted)
            .await
            .map_err(|error| bind_failure("--admin", &error))?;
        announce(&webhook, &admin, args.ready_file.as_deref())?;

        if let Some(cluster) = cluster {
            cluster.start(Arc::clone(&provider), &metrics, &mut tasks);
        }
        if inputs.file().is_some() {
            let task = reload::settings(inputs, settings, Arc::clone(&metrics), RELOAD);
            tasks.spawn("reads the settings file", task);
        }
        if let Some(files) = files {
            let (provider, metrics) = (Arc::clone(&provider), Arc::clone(&metrics));
            let task = reload::certificate(files, served, provider, metrics, RELOAD);
            tasks.spawn("reads the certificate files", task);
        }
        if let Some((ca, clients)) = clients {
            let task = reload::client_ca(ca, clients, provider, metrics, RELOAD);
            tasks.spawn("reads the CA of clients", task);
        }
        // The administrative port answers until the other one has ended.
        let (_admin_phase, admin_phases) = watch::channel(Phase::Serving);
        let (least, late) = (Duration::from_secs(args.drain_seconds), webhook.late());
        let end = async {
            signals.next().await;
            tracing::info!(seconds = args.drain_seconds, "draining");
            phase.send_replace(Phase::Draining);
            drain::until_nobody_calls(least, &late).await;
            phase.send_replace(Phase::Stopping);
            tokio::time::sleep(Duration::from_secs(args.shutdown_timeout)).await;
        };
        tokio::select! {
            () = admin.run(admin_phases) => {
                return Err(Failure::internal("the administrative port ended"));
            }
            () = webhook.run(phases) => tracing::info!("stopped"),
            () = end => tracing::warn!("stopped with requests under way"),
            () = again.second() => tracing::warn!("stopped at the second signal"),
            never = tasks.watch() => match never {},
        }
        Ok(())
    }
}

/// What keeps the server from being ready. Alone, nothing does.
fn reasons(cluster: Option<&InCluster>) -> Arc<dyn Fn() -> Vec<String> + Send + Sync> {
    let Some(readiness) = cluster.map(InCluster::readiness) else { return Arc::new(Vec::new) };
    Arc::new(move || readiness.reasons(SystemTime::now()))
}

/// For delays that replicas should not have in common.
fn seed(provider: &CryptoProvider) -> Result<u64, Failure> {
    let mut bytes = [0; 8];
    let filled = provider.secure_random.fill(&mut bytes);
    filled.map_err(|_| Failure::internal("the system has no random numbers"))?;
    Ok(u64::from_le_bytes(bytes))
}

/// As many as wanted, or as file descriptors allow: without one left nobody could be accepted,
/// not even to take the place of an idle connection.
fn connections(wanted: u32) -> usize {
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let limit = getrlimit(Resource::Nofile).current.map(usize::try_from);
    let Some(Ok(descriptors)) = limit else { return wanted };
    let waiting = Limits::default().waiting_connections;
    let others = waiting + 2 * ADMIN_CONNECTIONS + OTHER_DESCRIPTORS;
    let possible = descriptors.saturating_sub(others).max(1);
    if possible < wanted {
        tracing::warn!(wanted, possible, descriptors, "fewer connections, for want of descriptors");
    }
    wanted.min(possible)
}

/// The clients that may connect, where the operator names a CA for them.
fn clients(
    args: &ServeArgs,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<(ClientCa, Arc<Clients>)>, TlsError> {
    let Some(file) = args.client_ca.clone() else { return Ok(None) };
    let ca = ClientCa { file, names: args.client_name.clone() };
    let clients = Arc::new(ca.load(provider)?);
    Ok(Some((ca, clients)))
}

/// From the operator's files, or made for this run; in a cluster the replicas may make it later.
fn identity(
    mode: &Mode,
    provider: &CryptoProvider,
) -> Result<(Option<Identity>, Option<Files>), TlsError> {
    let (names, write_ca) = match mode {
        Mode::Cluster(Cluster { certificate: Certificate::Kept { .. }, .. }) => {
            return Ok((None, None));
        }
        Mode::Cluster(Cluster { certificate: Certificate::Files(files), .. })
        | Mode::Standalone(Own::Files(files)) => {
            let identity = files.identity(&files.read()?, provider)?;
            return Ok((Some(identity), Some(files.clone())));
        }
        Mode::Standalone(Own::Made { names, write_ca }) => (names, write_ca),
    };
    let issued = certs::issue(names, SystemTime::now(), MADE_FOR)?;
    let made = "the made certificate";
    let (cert, key) = (issued.cert_pem.as_bytes(), issued.key.pem().as_bytes());
    let identity = Identity::from_pem((cert, made), (key, made), provider)?;
    if let Some(path) = write_ca {
        std::fs::write(path, &issued.ca_pem)
            .map_err(|source| TlsError::Write { path: path.clone(), source })?;
    }
    Ok((Some(identity), None))
}

/// Says where the server listens: port 0 was chosen by the kernel.
fn announce(webhook: &Server, admin: &Server, file: Option<&Path>) -> Result<(), Failure> {
    let listen = webhook.address().map_err(Failure::internal)?;
    let admin = admin.address().map_err(Failure::internal)?;
    tracing::info!(%listen, %admin, version = env!("CARGO_PKG_VERSION"), "listening");
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
/// How much less than the server's thread one for large reviews counts: a tenth of its share.
const LESS: i32 = 10;
/// A probe and a scraper or two.
pub(crate) const ADMIN_CONNECTIONS: usize = 64;
/// Standard streams, sockets, the event loop, a file being read, and some to spare.
const OTHER_DESCRIPTORS: usize = 32;
/// Longer than any local run.
const MADE_FOR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
