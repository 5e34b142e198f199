//! What injection costs on a real cluster: beside the same Pods without us, in one run.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::pods::{Kind, pod};
use super::table::{Budget, Table};
use crate::cluster::{CLOUD_CA, Calls, Cluster, FETCHER, Load, Look, Plan, Tool, until};
use crate::samples::Samples;

const NAMESPACE: &str = "bench";
const RELEASE: &str = "alibabacloud-secrets-injector";
const RELEASE_NAMESPACE: &str = "secrets-injector";
const REPLICAS: &str = "/api/v1/namespaces/secrets-injector/pods";
const PATIENCE: Duration = Duration::from_secs(120);
const ROUNDS: u32 = 21;
const PER_SECOND: u32 = 50;
const SLICES: u32 = 4;
const SLICE_SECONDS: u32 = 15;
const ACCOUNTS: u32 = 10_000;

/// Starts a cluster from these, measures, and ends it.
pub(super) fn measure(table: &mut Table, components: &Path, images: &Path) -> Result<()> {
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let archive = |name: &str| images.join(format!("secrets-{name}-{arch}.tar"));
    for (name, label, most) in [
        ("injector", "image of the injector, compressed", 2.7),
        ("webhook", "image of the webhook, compressed", 6.8),
    ] {
        let bytes = fs::metadata(archive(name))
            .with_context(|| format!("looking for {}", archive(name).display()))?
            .len();
        let megabytes = f64::from(u32::try_from(bytes)?) / 1e6;
        table.add(label, megabytes, "MB", Some(Budget::AtMost(most)));
    }
    let cluster = Cluster::up(&Plan {
        name: "bench".to_owned(),
        components: components.to_owned(),
        seed: "tests/cluster/cloud.json".into(),
        images: vec![archive("webhook")],
        fetcher: Some(archive("injector")),
        prompt: true,
    })?;
    let measured = Bench { cluster: &cluster }.all(table);
    cluster.down()?;
    measured
}

struct Bench<'a> {
    cluster: &'a Cluster,
}

impl Bench<'_> {
    fn all(&self, table: &mut Table) -> Result<()> {
        self.install(table)?;
        self.starts(table)?;
        self.load(table)?;
        self.memory(table)
    }

    /// With the images on the node.
    fn install(&self, table: &mut Table) -> Result<()> {
        self.kubectl(&["create", "namespace", NAMESPACE]).run()?;
        let label = "kms.alibabacloud/injection=enabled";
        self.kubectl(&["label", "namespace", NAMESPACE, label]).run()?;
        self.create(&json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": { "name": "app", "annotations": {
                "ack.alibabacloud.com/role-arn": "acs:ram::1234567890123456:role/app",
            }},
        }))?;
        let (image, tag) = FETCHER.rsplit_once(':').context("the fetcher's image has no tag")?;
        let (registry, repository) = image.split_once('/').context("it has no registry")?;
        let values = json!({
            "image": { "registry": "registry.example" },
            "injector": { "image": { "registry": registry, "repository": repository, "tag": tag } },
            "settings": {
                "region": "cn-hangzhou",
                "clusterId": "clab",
                "accountId": "1234567890123456",
                "injector": { "extraArgs": [format!("--ca={CLOUD_CA}")] },
            },
        });
        let file = self.cluster.layout().root().join("bench.json");
        fs::write(&file, values.to_string())?;
        let began = Instant::now();
        self.cluster
            .tool("helm")
            .args(["install", RELEASE, &format!("charts/{RELEASE}"), "--create-namespace"])
            .args(["--namespace", RELEASE_NAMESPACE, "--values"])
            .arg(&file)
            .run()?;
        until("the first injected Pod", PATIENCE, || {
            let tried = self
                .kubectl(&["-n", NAMESPACE, "create", "--dry-run=server", "-o", "json", "-f", "-"])
                .input(pod("first", Kind::Injected).to_string())
                .run();
            Ok(match tried {
                Ok(text) if text.contains("kms-secrets-init") => Look::Found(()),
                Ok(_) => Look::Missing("it is not injected".to_owned()),
                Err(error) => Look::Missing(format!("{error:#}")),
            })
        })?;
        let took = began.elapsed().as_secs_f64();
        let label = "helm install to the first injected Pod";
        table.add(label, took, "s", Some(Budget::AtMost(15.0)));
        let deployment = format!("deployment/{RELEASE}");
        self.kubectl(&["-n", RELEASE_NAMESPACE, "rollout", "status", &deployment]).run().map(drop)
    }

    /// Taken in turns, so that a slow minute is slow for all three.
    fn starts(&self, table: &mut Table) -> Result<()> {
        let mut took = [Vec::new(), Vec::new(), Vec::new()];
        for round in 0..ROUNDS {
            let kinds = [Kind::Plain, Kind::NoOp, Kind::Injected];
            for (kind, took) in kinds.into_iter().zip(&mut took) {
                took.push(self.start(&format!("start-{round}"), kind)?);
            }
        }
        let [_, no_op, injected] = &took;
        // The difference is that of each pair, so that what both had to bear counts for neither.
        let mut shares: Vec<f64> = injected
            .iter()
            .zip(no_op)
            .map(|(with, without)| milliseconds(*with) - milliseconds(*without))
            .collect();
        shares.sort_by(f64::total_cmp);
        let share = shares.get(shares.len() / 2).copied().unwrap_or(f64::NAN);
        let [plain, no_op, injected] = took.map(|took| milliseconds(Samples::new(took).median()));
        table.add("Pod, 3 secrets: create to first instruction, median", injected, "ms", None);
        table.add("… with a no-op container of the same shape", no_op, "ms", None);
        table.add("… plain", plain, "ms", None);
        table.add(
            "… our share of the start, median of pairs",
            share,
            "ms",
            Some(Budget::AtMost(100.0)),
        );
        Ok(())
    }

    /// The application says by the machine's clock when it began.
    fn start(&self, name: &str, kind: Kind) -> Result<Duration> {
        let before = uptime(&fs::read_to_string("/proc/uptime")?)?;
        self.create(&pod(name, kind))?;
        let path = "jsonpath={.status.phase}";
        until(&format!("Pod {name} to end"), PATIENCE, || {
            let phase = self.kubectl(&["-n", NAMESPACE, "get", "pod", name, "-o", path]).run()?;
            ensure!(phase != "Failed", "Pod {name} failed");
            Ok(if phase == "Succeeded" { Look::Found(()) } else { Look::Missing(phase) })
        })?;
        let said = self.kubectl(&["-n", NAMESPACE, "logs", name, "-c", "app"]).run()?;
        self.kubectl(&["-n", NAMESPACE, "delete", "pod", name, "--now"]).run()?;
        Ok(uptime(&said)?.saturating_sub(before))
    }

    fn load(&self, table: &mut Table) -> Result<()> {
        let (mut plain, mut injected) = (Vec::new(), Vec::new());
        let before = self.admissions()?;
        for _ in 0..SLICES {
            plain.push(self.slice(Kind::Plain, "\"app\"")?);
            injected.push(self.slice(Kind::Injected, "kms-secrets-init")?);
        }
        let (plain, injected) = (Calls::join(plain), Calls::join(injected));
        let failures = injected.failed().count();
        if let Some(first) = injected.failed().next().and_then(|call| call.failure.as_ref()) {
            tracing::error!(failures, first, "admissions failed");
        }
        let failed = f64::from(u32::try_from(failures)?);
        let label = "50 creations a second for 60 s: failed";
        table.add(label, failed, "", Some(Budget::AtMost(0.0)));
        for (part, label, budget) in [
            (50, "… added by us, p50", None),
            (99, "… added by us, p99", Some(Budget::AtMost(10.0))),
        ] {
            let [with, without] = [&injected, &plain].map(|calls| calls.percentile(part));
            table.add(label, milliseconds(with) - milliseconds(without), "ms", budget);
        }
        let after = self.admissions()?;
        let mean = (after.0 - before.0) / (after.1 - before.1) * 1e3;
        let label = "admission as the API server sees it, mean";
        table.add(label, mean, "ms", Some(Budget::AtMost(5.0)));
        Ok(())
    }

    fn slice(&self, kind: Kind, contains: &str) -> Result<Calls> {
        let load = Load {
            namespace: NAMESPACE.to_owned(),
            pod: pod("load", kind),
            contains: contains.to_owned(),
            per_second: PER_SECOND,
        };
        let stream = load.start(self.cluster)?;
        stream.wait_for(PER_SECOND * SLICE_SECONDS)?;
        stream.end()
    }

    /// Seconds spent in calls of our webhook, and calls.
    fn admissions(&self) -> Result<(f64, f64)> {
        let text = self.kubectl(&["get", "--raw", "/metrics"]).run()?;
        let value = |name: &str| {
            let metric = format!("apiserver_admission_webhook_admission_duration_seconds_{name}{{");
            let ours = "name=\"pods.kms.alibabacloud\"";
            let lines =
                text.lines().filter(|line| line.starts_with(&metric) && line.contains(ours));
            let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
            values.sum::<f64>()
        };
        Ok((value("sum"), value("count")))
    }

    /// The memory of the replica with the most.
    fn memory(&self, table: &mut Table) -> Result<()> {
        let account = |number: u32| {
            json!({
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": { "name": format!("app-{number}"), "annotations": {
                    "ack.alibabacloud.com/role-arn":
                        format!("acs:ram::1234567890123456:role/app-{number}"),
                }},
            })
        };
        for first in (0..ACCOUNTS).step_by(1000) {
            let items: Vec<_> = (first..first + 1000).map(account).collect();
            self.create(&json!({ "apiVersion": "v1", "kind": "List", "items": items }))?;
        }
        for replica in self.replicas()? {
            until(&format!("{replica} to know all ServiceAccounts"), PATIENCE, || {
                let proxy = format!("{REPLICAS}/{replica}:8080/proxy/metrics");
                let text = self.kubectl(&["get", "--raw", &proxy]).run()?;
                let known = text.lines().find_map(|line| {
                    line.strip_prefix("secrets_webhook_service_accounts ")?.parse::<u32>().ok()
                });
                Ok(match known {
                    Some(known) if known >= ACCOUNTS => Look::Found(()),
                    other => Look::Missing(format!("{other:?}")),
                })
            })?;
        }
        let most = *resident(self.cluster)?.last().context("no webhook runs")?;
        let label = "webhook, memory with 10,000 ServiceAccounts";
        table.add(label, most, "MB", Some(Budget::AtMost(16.0)));
        Ok(())
    }

    fn replicas(&self) -> Result<Vec<String>> {
        let ours = "app.kubernetes.io/component=webhook";
        let names = "jsonpath={.items[*].metadata.name}";
        let text = self
            .kubectl(&["-n", RELEASE_NAMESPACE, "get", "pods", "-l", ours, "-o", names])
            .run()?;
        Ok(text.split_whitespace().map(str::to_owned).collect())
    }

    fn kubectl(&self, arguments: &[&str]) -> Tool {
        self.cluster.kubectl().args(arguments)
    }

    fn create(&self, object: &Value) -> Result<()> {
        self.kubectl(&["-n", NAMESPACE, "create", "-f", "-"])
            .input(object.to_string())
            .run()
            .map(drop)
    }
}

/// The first number of `/proc/uptime`.
fn uptime(text: &str) -> Result<Duration> {
    let seconds = text.split_whitespace().next().context("no uptime was said")?;
    Ok(Duration::from_secs_f64(seconds.parse()?))
}

/// The resident memory of every process of the webhook in this cluster, in MB.
fn resident(cluster: &Cluster) -> Result<Vec<f64>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let path = entry.path();
        let read = |file: &str| fs::read_to_string(path.join(file)).unwrap_or_default();
        if read("comm").trim() != "secrets-webhook" || !cluster.has_cgroup(&read("cgroup")) {
            continue;
        }
        let status = read("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        found.push(kilobytes.context("a process without memory")?.parse::<f64>()? * 1024.0 / 1e6);
    }
    found.sort_by(f64::total_cmp);
    Ok(found)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
