//! Names to addresses. The name is asked for as absolute: with the resolver settings of a Pod
//! (`ndots:5`) a relative one costs a query for each search domain first.

use std::fs::File;
use std::io::{self, Read};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use crate::thread;

pub(super) struct Resolver {
    connect_to: Arc<[(String, SocketAddr)]>,
    timeout: Duration,
    /// Threads may outlive the deadline of the requests that wait for them.
    places: Arc<Semaphore>,
}

/// Kept as a type so that it is found again in the client's chain of errors.
#[derive(Debug, thiserror::Error)]
#[error("the name could not be resolved")]
pub(super) struct Unresolved;

impl Resolver {
    pub(super) fn new(connect_to: Vec<(String, SocketAddr)>, timeout: Duration) -> Self {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        Self { connect_to: connect_to.into(), timeout, places }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let fixed = self.connect_to.iter().find(|(pattern, _)| matches(pattern, &host));
        if let Some((_, address)) = fixed {
            let address = *address;
            return Box::pin(async move { Ok(Box::new(std::iter::once(address)) as Addrs) });
        }
        let (timeout, places) = (self.timeout, Arc::clone(&self.places));
        Box::pin(async move {
            // getaddrinfo blocks; its thread may outlive the deadline, this future does not.
            let lookup = async {
                let place = places.acquire_owned().await.ok()?;
                let found = thread::start(move || {
                    let found = system(&host);
                    drop(place);
                    found
                });
                found.ok()?.await.ok()?.ok()
            };
            match tokio::time::timeout(timeout, lookup).await {
                Ok(Some(addresses)) => Ok(Box::new(addresses.into_iter()) as Addrs),
                _ => Err(Unresolved.into()),
            }
        })
    }
}

fn matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some("") => true,
        Some(suffix) => suffix.starts_with('.') && host.ends_with(suffix),
        None => pattern == host,
    }
}

/// Port 0 stands for the port of the scheme.
fn system(host: &str) -> io::Result<Vec<SocketAddr>> {
    let mut hosts = String::new();
    // The absolute form is never found in the hosts file, where `hostAliases` of a Pod are; a file
    // that cannot be read lists nothing.
    let _ = File::open("/etc/hosts").and_then(|f| f.take(HOSTS_LIMIT).read_to_string(&mut hosts));
    let name = if lists(&hosts, host) { host.to_owned() } else { format!("{host}.") };
    Ok((name, 0).to_socket_addrs()?.collect())
}

fn lists(hosts: &str, host: &str) -> bool {
    hosts.lines().any(|line| {
        let entry = line.split('#').next().unwrap_or_default();
        entry.split_whitespace().skip(1).any(|name| name.eq_ignore_ascii_case(host))
    })
}

const HOSTS_LIMIT: u64 = 1 << 20;
/// More than there are connections under way, so that a server of names which is slow about some keeps
/// nobody from the others.
const AT_ONCE: usize = 64;

#[cfg(test)]
mod tests {
    use super::{lists, matches};

    #[test]
    fn a_pattern_matches_a_host_a_suffix_or_all() {
        assert!(matches("*", "kms.aliyuncs.com"));
        assert!(matches("*.aliyuncs.com", "kms.aliyuncs.com"));
        assert!(!matches("*.aliyuncs.com", "aliyuncs.com"));
        assert!(!matches("*aliyuncs.com", "evilaliyuncs.com"));
        assert!(matches("kms.aliyuncs.com", "kms.aliyuncs.com"));
        assert!(!matches("kms.aliyuncs.com", "oos.aliyuncs.com"));
    }

    #[test]
    fn the_hosts_file_lists_names_and_aliases_but_not_comments() {
        let hosts = "127.0.0.1 localhost\n10.0.0.7\tkms.example alias.example # old.example\n";
        assert!(lists(hosts, "kms.example"));
        assert!(lists(hosts, "ALIAS.example"));
        assert!(!lists(hosts, "old.example"));
        assert!(!lists(hosts, "10.0.0.7"));
        assert!(!lists(hosts, "example"));
    }
}
