//! Names to addresses. The name is asked for as absolute: with the resolver settings of a Pod
//! (`ndots:5`) a relative one costs a query for each search domain first.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use secret::start_thread;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::host::matches;

pub(crate) struct Resolver {
    connect_to: Arc<[(String, SocketAddr)]>,
    timeout: Duration,
    lookups: Arc<Lookups>,
}

/// Look-ups that are under way. Whoever asks for the same name meanwhile waits for the same thread. One
/// that has outlived the deadline of those who began it may have been led astray, and is left alone.
struct Lookups {
    look_up: Box<LookUp>,
    running: Mutex<LookUpsUnderWay>,
    places: Arc<Semaphore>,
    timeout: Duration,
}

type LookUpsUnderWay = HashMap<String, (Instant, watch::Receiver<LookedUp>)>;

type LookUp = dyn Fn(&str) -> Option<Vec<SocketAddr>> + Send + Sync;
/// Once it is over, with the addresses if there are any.
type LookedUp = Option<Option<Vec<SocketAddr>>>;

/// Kept as a type so that it is found again in the client's chain of errors.
#[derive(Debug, thiserror::Error)]
#[error("the name could not be resolved")]
pub(crate) struct Unresolved;

impl Resolver {
    pub(crate) fn new(connect_to: Vec<(String, SocketAddr)>, timeout: Duration) -> Self {
        let lookups = Arc::new(Lookups::new(timeout, |host| system(host).ok()));
        Self { connect_to: connect_to.into(), timeout, lookups }
    }
}

impl Lookups {
    fn new(
        timeout: Duration,
        look_up: impl Fn(&str) -> Option<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        Self { look_up: Box::new(look_up), running: Mutex::default(), places, timeout }
    }

    async fn find(self: Arc<Self>, host: String) -> Option<Vec<SocketAddr>> {
        let mut found = match self.joined(&host) {
            Some(found) => found,
            None => {
                let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
                // Somebody else may have come first.
                match self.joined(&host) {
                    Some(found) => found,
                    None => self.started(&host, place)?,
                }
            }
        };
        found.wait_for(Option::is_some).await.ok()?.clone().flatten()
    }

    fn joined(&self, host: &str) -> Option<watch::Receiver<LookedUp>> {
        let running = self.running();
        let (since, found) = running.get(host)?;
        (since.elapsed() < self.timeout).then(|| found.clone())
    }

    fn started(
        self: &Arc<Self>,
        host: &str,
        place: OwnedSemaphorePermit,
    ) -> Option<watch::Receiver<LookedUp>> {
        let (tell, found) = watch::channel(None);
        self.running().insert(host.to_owned(), (Instant::now(), found.clone()));
        let (lookups, name, own) = (Arc::clone(self), host.to_owned(), found.clone());
        let begun = start_thread(move || {
            let addresses = (lookups.look_up)(&name);
            lookups.forget(&name, &own);
            drop(place);
            let _ = tell.send(Some(addresses));
        });
        if begun.is_err() {
            self.forget(host, &found);
            return None;
        }
        Some(found)
    }

    /// Another thread may look for the same name by now.
    fn forget(&self, host: &str, own: &watch::Receiver<LookedUp>) {
        let mut running = self.running();
        if running.get(host).is_some_and(|(_, found)| found.same_channel(own)) {
            running.remove(host);
        }
    }

    fn running(&self) -> MutexGuard<'_, LookUpsUnderWay> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
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
        let lookup = Arc::clone(&self.lookups).find(host);
        let timeout = self.timeout;
        Box::pin(async move {
            match tokio::time::timeout(timeout, lookup).await {
                Ok(Some(addresses)) => Ok(Box::new(addresses.into_iter()) as Addrs),
                _ => Err(Unresolved.into()),
            }
        })
    }
}

/// Port 0 stands for the port of the scheme.
fn system(host: &str) -> io::Result<Vec<SocketAddr>> {
    // The C library reads both to their end, however far away somebody has put that.
    let is_listed = lists(&settings("/etc/hosts")?, host);
    settings("/etc/resolv.conf")?;
    // The absolute form is never found in the hosts file, where `hostAliases` of a Pod are.
    let name = if is_listed { host.to_owned() } else { format!("{host}.") };
    Ok((name, 0).to_socket_addrs()?.collect())
}

/// A file that cannot be read says nothing. Root of another container of the Pod may write it.
fn settings(path: &str) -> io::Result<String> {
    let mut text = String::new();
    if let Ok(file) = File::open(path) {
        if file.metadata()?.len() > LARGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let _ = file.take(LARGEST).read_to_string(&mut text);
    }
    Ok(text)
}

fn lists(hosts: &str, host: &str) -> bool {
    hosts.lines().any(|line| {
        let entry = line.split('#').next().unwrap_or_default();
        entry.split_whitespace().skip(1).any(|name| name.eq_ignore_ascii_case(host))
    })
}

/// The kubelet writes a few hundred bytes, and a Pod with many `hostAliases` some kilobytes.
const LARGEST: u64 = 64 * 1024;
/// Names. More than there are hosts under way, so that a server of names which is slow about some keeps
/// nobody from the others.
const AT_ONCE: usize = 64;

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_slow_name_has_one_thread_however_often_it_is_asked_for_and_others_have_theirs() {
        let (begun, begins) = mpsc::channel();
        let (end, ends) = mpsc::channel::<()>();
        let (begun, ends) = (Mutex::new(begun), Mutex::new(ends));
        let address: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let lookups = Arc::new(Lookups::new(Duration::from_secs(3600), move |host| {
            begun.lock().unwrap().send(host.to_owned()).unwrap();
            if host == "slow" {
                ends.lock().unwrap().recv().unwrap();
            }
            Some(vec![address])
        }));
        let find = |host: &str| tokio::spawn(Arc::clone(&lookups).find(host.to_owned()));
        let asked: Vec<_> = (0..100).map(|_| find("slow")).collect();
        // A caller that gives up leaves the thread to the others.
        asked[0].abort();
        assert_eq!(find("quick").await.unwrap(), Some(vec![address]));
        end.send(()).unwrap();
        for one in asked.into_iter().skip(1) {
            assert_eq!(one.await.unwrap(), Some(vec![address]));
        }
        let mut names: Vec<_> = begins.try_iter().collect();
        names.sort();
        assert_eq!(names, ["quick", "slow"]);
        assert!(lookups.running().is_empty());
    }

    #[tokio::test]
    async fn a_thread_that_has_outlived_its_deadline_is_waited_for_no_more() {
        let (begun, begins) = mpsc::channel();
        let (end, ends) = mpsc::channel::<()>();
        let (begun, ends) = (Mutex::new(begun), Mutex::new(ends));
        // A time that is over at once.
        let lookups = Arc::new(Lookups::new(Duration::ZERO, move |_| {
            begun.lock().unwrap().send(()).unwrap();
            ends.lock().unwrap().recv().unwrap();
            None
        }));
        let find = || tokio::spawn(Arc::clone(&lookups).find("kms.example".to_owned()));
        let both = [find(), find()];
        tokio::task::yield_now().await;
        (0..2).for_each(|_| end.send(()).unwrap());
        for one in both {
            assert_eq!(one.await.unwrap(), None);
        }
        assert_eq!(begins.try_iter().count(), 2);
        assert!(lookups.running().is_empty());
    }

    #[test]
    fn a_file_that_is_larger_than_any_kubelet_writes_is_not_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        std::fs::write(path, "10.0.0.7 kms.example\n").unwrap();
        assert_eq!(settings(path).unwrap(), "10.0.0.7 kms.example\n");
        // Without a block on the disk.
        file.as_file().set_len(1 << 40).unwrap();
        assert_eq!(settings(path).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(settings("/no/such/file").unwrap(), "");
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
