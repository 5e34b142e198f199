//! Whom the fetcher tells of a change: a process by a signal, or a server by a request.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use printable::{Quoted, shorten};
use serde::{Deserialize, Serialize};

use crate::env::ContainerName;

/// As in the annotation: `signal=SIGHUP:app`, `http=http://127.0.0.1:8080/reload`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum OnChange {
    Signal { signal: HookSignal, container: String },
    Http(HookUrl),
}

/// The signals that a program can take as a word to it. None that it cannot catch, and none that
/// says it is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookSignal {
    Hup,
    Int,
    Quit,
    Usr1,
    Usr2,
    Alrm,
    Term,
    Cont,
    Winch,
}

/// A server of the same Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookUrl {
    address: SocketAddr,
    path: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHook {
    #[error(
        "{shown} is no hook; write signal=SIGHUP:CONTAINER, http=http://127.0.0.1:PORT/PATH or none",
        shown = Quoted(.0)
    )]
    Kind(String),
    #[error("a signal needs a container: write signal=SIGHUP:CONTAINER")]
    NoContainer,
    #[error(
        "{shown} is not the name of a container; use lower case letters, digits and dashes, as the Pod does",
        shown = Quoted(.0)
    )]
    Container(String),
    #[error(
        "{shown} is no signal that a hook can send; use one of SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGQUIT, SIGALRM, SIGCONT, SIGWINCH",
        shown = Quoted(.0)
    )]
    Signal(String),
    #[error(
        "a hook is called by http:// without TLS, it never leaves the Pod; {shown} is not",
        shown = Quoted(.0)
    )]
    Scheme(String),
    #[error(
        "{shown} is a name; write the address, http://127.0.0.1:PORT/PATH or http://[::1]:PORT/PATH",
        shown = Quoted(.0)
    )]
    Name(String),
    #[error(
        "{shown} is not this Pod; only http://127.0.0.1:PORT/PATH and http://[::1]:PORT/PATH are called",
        shown = Quoted(.0)
    )]
    Address(String),
    #[error("the URL has no port from 1 to 65535; write http://127.0.0.1:PORT/PATH")]
    Port,
    #[error("the URL has a user or password, which would stand in the Pod's spec; remove it")]
    Credentials,
    #[error("the URL has a query or fragment; use a path alone")]
    Query,
    #[error("the path has more than {MAX_PATH} characters; call a shorter one")]
    PathLength,
    #[error(
        "{0:?} in the path is no character of a URL; write its bytes as %XX, with two hexadecimal digits"
    )]
    Path(char),
    #[error(
        "a % in the path has no two hexadecimal digits behind it; write %25 for the sign itself"
    )]
    Percent,
}

const MAX_PATH: usize = 512;

const SIGNALS: [(&str, HookSignal); 9] = [
    ("HUP", HookSignal::Hup),
    ("INT", HookSignal::Int),
    ("QUIT", HookSignal::Quit),
    ("USR1", HookSignal::Usr1),
    ("USR2", HookSignal::Usr2),
    ("ALRM", HookSignal::Alrm),
    ("TERM", HookSignal::Term),
    ("CONT", HookSignal::Cont),
    ("WINCH", HookSignal::Winch),
];

impl OnChange {
    /// `none` is nobody.
    pub fn parse(text: &str) -> Result<Option<Self>, InvalidHook> {
        match text.split_once('=') {
            None if text == "none" => Ok(None),
            Some(("signal", rest)) => signal(rest).map(Some),
            Some(("http", url)) => HookUrl::parse(url).map(Self::Http).map(Some),
            _ => Err(InvalidHook::Kind(shorten(text))),
        }
    }

    /// The container that gets a signal.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        match self {
            Self::Signal { container, .. } => Some(container),
            Self::Http(_) => None,
        }
    }
}

fn signal(text: &str) -> Result<OnChange, InvalidHook> {
    let (signal, container) = text.split_once(':').unwrap_or((text, ""));
    let signal = HookSignal::parse(signal)?;
    if container.is_empty() {
        return Err(InvalidHook::NoContainer);
    }
    if ContainerName::parse(container).is_err() {
        return Err(InvalidHook::Container(shorten(container)));
    }
    Ok(OnChange::Signal { signal, container: container.to_owned() })
}

impl HookSignal {
    /// With or without `SIG`.
    pub fn parse(text: &str) -> Result<Self, InvalidHook> {
        let name = text.strip_prefix("SIG").unwrap_or(text);
        let known = SIGNALS.iter().find(|(known, _)| *known == name);
        known.map(|(_, signal)| *signal).ok_or_else(|| InvalidHook::Signal(shorten(text)))
    }
}

impl HookUrl {
    pub fn parse(text: &str) -> Result<Self, InvalidHook> {
        let rest =
            text.strip_prefix("http://").ok_or_else(|| InvalidHook::Scheme(shorten(text)))?;
        let (authority, path) = match rest.find(['/', '?', '#']) {
            Some(end) => rest.split_at(end),
            None => (rest, "/"),
        };
        if authority.contains('@') {
            return Err(InvalidHook::Credentials);
        }
        if path.contains(['?', '#']) {
            return Err(InvalidHook::Query);
        }
        check_path(path)?;
        let (host, port) = match authority.rsplit_once(':') {
            // The colons of an address without a port.
            Some((host, _)) if host.starts_with('[') && !host.ends_with(']') => (authority, None),
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let address = loopback(host)?;
        let digits = |port: &&str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        let port = port.filter(digits).and_then(|port| port.parse().ok()).filter(|port| *port != 0);
        let address = SocketAddr::new(address, port.ok_or(InvalidHook::Port)?);
        Ok(Self { address, path: path.to_owned() })
    }

    /// Loopback.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// As RFC 3986 has it: other characters are written as `%XX`.
fn check_path(path: &str) -> Result<(), InvalidHook> {
    if path.len() > MAX_PATH {
        return Err(InvalidHook::PathLength);
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/%".contains(c);
    if let Some(other) = path.chars().find(|c| !fits(*c)) {
        return Err(InvalidHook::Path(other));
    }
    let is_code = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    if path.split('%').skip(1).all(is_code) { Ok(()) } else { Err(InvalidHook::Percent) }
}

/// As it is always written: other ways to write an address are ways past a check.
fn loopback(host: &str) -> Result<IpAddr, InvalidHook> {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match (host, inner) {
        ("127.0.0.1", _) => Ok(Ipv4Addr::LOCALHOST.into()),
        (_, Some("::1")) => Ok(Ipv6Addr::LOCALHOST.into()),
        (_, Some(_)) => Err(InvalidHook::Address(shorten(host))),
        _ if host.bytes().any(|b| b.is_ascii_alphabetic()) => Err(InvalidHook::Name(shorten(host))),
        _ => Err(InvalidHook::Address(shorten(host))),
    }
}

impl fmt::Display for HookSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = SIGNALS.iter().find(|(_, signal)| signal == self).map(|(name, _)| *name);
        write!(f, "SIG{}", name.unwrap_or_default())
    }
}

impl fmt::Display for HookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.address, self.path)
    }
}

impl fmt::Display for OnChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal { signal, container } => write!(f, "signal={signal}:{container}"),
            Self::Http(url) => write!(f, "http={url}"),
        }
    }
}

impl TryFrom<String> for OnChange {
    type Error = InvalidHook;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        // In a plan nobody is told by saying nothing.
        Self::parse(&text)?.ok_or(InvalidHook::Kind(text))
    }
}

impl From<OnChange> for String {
    fn from(hook: OnChange) -> Self {
        hook.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hook_survives_the_way_through_json_as_it_is_written() {
        for text in [
            "signal=SIGHUP:app",
            "signal=SIGUSR2:a-1",
            "http=http://127.0.0.1:8080/-/reload",
            "http=http://[::1]:1/",
        ] {
            let hook = OnChange::parse(text).unwrap().unwrap();
            assert_eq!(hook.to_string(), text);
            let json = serde_json::to_string(&hook).unwrap();
            assert_eq!(serde_json::from_str::<OnChange>(&json).unwrap(), hook);
        }
        assert_eq!(OnChange::parse("none").unwrap(), None);
        assert!(serde_json::from_str::<OnChange>("\"none\"").is_err());
        let short = OnChange::parse("signal=HUP:app").unwrap().unwrap();
        assert_eq!(
            (short.to_string().as_str(), short.target()),
            ("signal=SIGHUP:app", Some("app"))
        );
        let url = HookUrl::parse("http://127.0.0.1:80").unwrap();
        assert_eq!((url.path(), url.address().port()), ("/", 80));
    }

    #[test]
    fn a_signal_is_one_that_a_program_can_take_as_a_word() {
        for bad in ["KILL", "SIGKILL", "STOP", "SIGSTOP", "SEGV", "hup", "1", "", "SIG", "RTMIN"] {
            let error = OnChange::parse(&format!("signal={bad}:app")).unwrap_err();
            assert!(matches!(error, InvalidHook::Signal(_)), "{bad}: {error}");
        }
        for (bad, error) in [
            ("signal=SIGHUP", InvalidHook::NoContainer),
            ("signal=SIGHUP:", InvalidHook::NoContainer),
            ("signal=SIGHUP:App", InvalidHook::Container("App".to_owned())),
            ("signal=SIGHUP:a:b", InvalidHook::Container("a:b".to_owned())),
            ("signal=SIGHUP:-a", InvalidHook::Container("-a".to_owned())),
        ] {
            assert_eq!(OnChange::parse(bad).unwrap_err(), error);
        }
        for bad in ["", "signal", "exec=reload", "http", "none=1", "SIGHUP:app", "None"] {
            assert!(matches!(OnChange::parse(bad), Err(InvalidHook::Kind(_))), "{bad}");
        }
    }

    #[test]
    fn a_url_is_of_this_pod_and_of_a_path_alone() {
        let refused = |url: &str| HookUrl::parse(url).unwrap_err();
        for url in ["https://127.0.0.1:1/", "127.0.0.1:1", "HTTP://127.0.0.1:1/", "file:///x", ""] {
            assert!(matches!(refused(url), InvalidHook::Scheme(_)), "{url}");
        }
        for url in ["http://localhost:1/", "http://app.shop.svc:1/", "http://0x7f.1:1/"] {
            assert!(matches!(refused(url), InvalidHook::Name(_)), "{url}");
        }
        for host in [
            "10.0.0.1:1",
            "127.0.0.2:1",
            "127.1:1",
            "2130706433:1",
            "0.0.0.0:1",
            "[::]:1",
            "[::ffff:127.0.0.1]:1",
            "[fe80::1]:1",
            ":1",
            "",
        ] {
            let url = format!("http://{host}/");
            assert!(matches!(refused(&url), InvalidHook::Address(_)), "{url}");
        }
        for url in [
            "http://127.0.0.1/",
            "http://127.0.0.1:/",
            "http://127.0.0.1:0/",
            "http://127.0.0.1:65536/",
            "http://127.0.0.1:+80/",
            "http://[::1]/",
        ] {
            assert_eq!(refused(url), InvalidHook::Port, "{url}");
        }
        assert_eq!(refused("http://u:p@127.0.0.1:1/"), InvalidHook::Credentials);
        for url in ["http://127.0.0.1:1/?a=b", "http://127.0.0.1:1?a", "http://127.0.0.1:1/#x"] {
            assert_eq!(refused(url), InvalidHook::Query, "{url}");
        }
        let of_path = |path: &str| HookUrl::parse(&format!("http://127.0.0.1:1{path}"));
        for (path, bad) in [
            ("/a b", ' '),
            ("/a<b", '<'),
            ("/a{b}", '{'),
            ("/a`b", '`'),
            ("/a\r\nHost: x", '\r'),
            ("/ä", 'ä'),
        ] {
            assert_eq!(of_path(path).unwrap_err(), InvalidHook::Path(bad), "{path}");
        }
        for path in ["/%zz", "/%", "/a%2", "/%%25", "/%2g"] {
            assert_eq!(of_path(path).unwrap_err(), InvalidHook::Percent, "{path}");
        }
        of_path("/a%20b/%C3%a4").unwrap();
        let longest = format!("/{}", "x".repeat(511));
        of_path(&longest).unwrap();
        assert_eq!(of_path(&format!("{longest}x")).unwrap_err(), InvalidHook::PathLength);
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_loopback_and_reads_the_same_again(text in "http://[\\[\\]:.0-9a-f/@?#]{1,24}") {
            if let Ok(url) = HookUrl::parse(&text) {
                prop_assert!(url.address().ip().is_loopback());
                prop_assert_eq!(HookUrl::parse(&url.to_string()).unwrap(), url);
            }
        }
    }
}
