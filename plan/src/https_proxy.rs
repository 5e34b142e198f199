//! The operator's proxy.

use std::net::Ipv4Addr;

use printable::shorten;
use serde::{Deserialize, Serialize};

use crate::cloud::Host;
use crate::text_type::text_type;

/// `HOST:PORT` of a proxy that opens connections (CONNECT): a full host name or an IPv4 address, in
/// whose place neither this machine nor what is on its link can stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HttpsProxy(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProxy {
    #[error(
        "{0:?} is not HOST:PORT of a proxy: a full host name or an IPv4 address other than loopback and \
         link-local ones, and a port, without scheme, user or path"
    )]
    Form(String),
}

impl HttpsProxy {
    pub fn parse(text: &str) -> Result<Self, InvalidProxy> {
        let (host, port) = text.rsplit_once(':').unwrap_or_default();
        let is_port = (1..=5).contains(&port.len())
            && !port.starts_with('0')
            && port.bytes().all(|b| b.is_ascii_digit())
            && port.parse::<u16>().is_ok();
        if is_port && (Host::parse(host).is_ok() || is_address(host)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidProxy::Form(shorten(text)))
        }
    }
}

fn is_address(text: &str) -> bool {
    // The metadata service of a node, which is asked by its address alone.
    let metadata = Ipv4Addr::new(100, 100, 100, 200);
    text.parse::<Ipv4Addr>().is_ok_and(|address| {
        let is_own = address.is_loopback() || address.is_link_local() || address == metadata;
        let is_many = address.is_multicast() || address.is_broadcast();
        !is_own && !is_many && address.octets().first() != Some(&0)
    })
}

text_type!(InvalidProxy: HttpsProxy);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_host_and_a_port_and_nothing_else() {
        for text in ["proxy.example:3128", "squid.egress.svc.cluster.local:80", "10.0.0.7:65535"] {
            assert_eq!(HttpsProxy::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "proxy.example",
            "proxy.example:",
            ":3128",
            "proxy.example:0",
            "proxy.example:080",
            "proxy.example:65536",
            "proxy.example:+80",
            "http://proxy.example:3128",
            "proxy.example:3128/",
            "user@proxy.example:3128",
            "user:password@proxy.example:3128",
            "proxy:3128",
            "localhost:3128",
            "127.0.0.1:3128",
            "127.1:3128",
            "0.0.0.0:3128",
            "169.254.1.1:3128",
            "100.100.100.200:80",
            "224.0.0.1:3128",
            "[::1]:3128",
            "::1:3128",
            "proxy.example:3128\r\nx: y",
            "proxy.example :3128",
        ] {
            assert!(HttpsProxy::parse(text).is_err(), "{text:?}");
        }
    }
}
