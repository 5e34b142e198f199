//! A container as its node sees it: for containers that have no shell to look around with.

use std::fs;
use std::path::{Path, PathBuf};

use lab::cluster::until;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::stage::{Namespace, PATIENCE};

/// The first process of a container that runs.
pub(crate) struct Process {
    /// Its directory under /proc.
    at: PathBuf,
}

impl Process {
    /// Waits until an init container of a Pod runs.
    pub(crate) fn of_init_container(place: &Namespace, pod: &str, container: &str) -> Self {
        Self::of(place, pod, "initContainerStatuses", container)
    }

    /// Waits until a container of a Pod runs.
    pub(crate) fn of_container(place: &Namespace, pod: &str, container: &str) -> Self {
        Self::of(place, pod, "containerStatuses", container)
    }

    fn of(place: &Namespace, pod: &str, list: &str, container: &str) -> Self {
        let at = until(&format!("{container} of {pod} to run"), PATIENCE, || {
            let pod = place.kubectl(&["get", "pod", pod, "-o", "json"]).json()?;
            let all = pod["status"][list].as_array().into_iter().flatten();
            let status = all.into_iter().find(|status| status["name"] == container);
            let id = status
                .filter(|status| status["state"]["running"].is_object())
                .and_then(|status| status["containerID"].as_str()?.split("://").nth(1));
            Ok(id.and_then(process_of).into())
        })
        .unwrap();
        Self { at }
    }

    /// Ends it as the kernel ends what takes too much memory.
    pub(crate) fn kill(&self) {
        let pid = self.at.file_name().unwrap().to_str().unwrap().parse().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    }

    /// A file of /proc/PID.
    pub(crate) fn file(&self, name: &str) -> String {
        let path = self.at.join(name);
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A line of /proc/PID/status.
    pub(crate) fn status(&self, name: &str) -> String {
        let status = self.file("status");
        let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
        line.unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Where it has something mounted, apart from what every container has.
    pub(crate) fn mounts(&self) -> Vec<String> {
        let usual = ["/proc", "/dev", "/sys"];
        let of_all = ["/", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];
        let table = self.file("mountinfo");
        let points = table.lines().filter_map(|line| line.split(' ').nth(4));
        let mut own: Vec<_> = points
            .filter(|point| !usual.iter().any(|usual| Path::new(point).starts_with(usual)))
            .filter(|point| !of_all.contains(point))
            .map(str::to_owned)
            .collect();
        own.sort();
        own
    }

    /// A path as the process sees it.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.at.join("root").join(path.trim_start_matches('/'))
    }
}

/// The oldest process of a container: cgroups are called after containers.
fn process_of(container: &str) -> Option<PathBuf> {
    let mut found: Vec<u32> = fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| {
            // One that has ended since is none.
            let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
            groups.contains(container)
        })
        .collect();
    found.sort_unstable();
    found.first().map(|pid| PathBuf::from(format!("/proc/{pid}")))
}

/// The claims of a ServiceAccount token.
pub(crate) fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let payload = token.trim().split('.').nth(1).unwrap();
    serde_json::from_slice(&engine.decode(payload).unwrap()).unwrap()
}
