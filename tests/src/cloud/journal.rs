//! What happened: a bounded log of requests, without a value in it, and counters.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::route::CalledService;

const MOST_ENTRIES: usize = 20_000;

/// Hosts come from clients: after this many, new ones are counted together.
const MOST_HOSTS: usize = 256;
const OTHER_HOSTS: &str = "(others)";

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    pub time: String,
    pub request_id: String,
    /// Number of the connection it came on, from 1.
    pub connection: u64,
    pub secure: bool,
    pub method: String,
    pub host: String,
    pub service: Option<CalledService>,
    pub action: String,
    /// Name of the secret or parameter, or ARN of the role.
    pub subject: Option<String>,
    pub access_key_id: Option<String>,
    /// `acs:ram::ACCOUNT:role/NAME/SESSION` or `acs:ram::ACCOUNT:user/NAME`.
    pub principal: Option<String>,
    /// The header `x-acs-retry-attempts`.
    pub attempt: Option<String>,
    /// Names of the parameters, so that one can see what travelled in a URL.
    pub query: Vec<String>,
    pub form: Vec<String>,
    pub fault: Option<String>,
    /// Absent when the connection was cut instead.
    pub status: Option<u16>,
    pub code: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    pub hosts: BTreeMap<String, HostCounters>,
    /// Requests by `service.Action`.
    pub requests: BTreeMap<String, u64>,
    /// Connections closed at once because too many were open.
    pub refused_connections: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostCounters {
    pub accepted: u64,
    pub open: u64,
    pub most_open: u64,
    pub requests: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<Entry>,
    counters: Counters,
    connections: u64,
}

impl Journal {
    pub(crate) fn record(&mut self, entry: Entry) {
        let service = entry.service.map_or("unknown", CalledService::name);
        let requests = self.counters.requests.entry(format!("{service}.{}", entry.action));
        *requests.or_default() += 1;
        self.host(&entry.host).requests += 1;
        if self.entries.len() >= MOST_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }

    pub(crate) fn counters(&self) -> Counters {
        self.counters.clone()
    }

    /// Connections that are open stay counted as open.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.counters.requests.clear();
        self.counters.refused_connections = 0;
        for host in self.counters.hosts.values_mut() {
            *host =
                HostCounters { open: host.open, most_open: host.open, ..HostCounters::default() };
        }
    }

    pub(crate) fn next_connection(&mut self) -> u64 {
        self.connections += 1;
        self.connections
    }

    pub(crate) fn refused(&mut self) {
        self.counters.refused_connections += 1;
    }

    pub(crate) fn opened(&mut self, host: &str) {
        let counters = self.host(host);
        counters.accepted += 1;
        counters.open += 1;
        counters.most_open = counters.most_open.max(counters.open);
    }

    pub(crate) fn closed(&mut self, host: &str) {
        let counters = self.host(host);
        counters.open = counters.open.saturating_sub(1);
    }

    fn host(&mut self, host: &str) -> &mut HostCounters {
        let full =
            self.counters.hosts.len() >= MOST_HOSTS && !self.counters.hosts.contains_key(host);
        let name = if full { OTHER_HOSTS } else { host };
        self.counters.hosts.entry(name.to_owned()).or_default()
    }
}
