//! Which clients may ask: one that means this very machine, sends its request itself and knows the
//! token. It is pure.

use hyper::HeaderMap;
use hyper::header::HOST;
use hyper::http::uri::Authority;
use secret::Sensitive;
use subtle::ConstantTimeEq;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// A name of somebody else that leads here: a page in a browser, or a request led astray.
    #[error("Bad Host")]
    Host,
    /// It came from somebody else's client.
    #[error("Forwarded")]
    Forwarded,
    /// A page asks, or led here, and not a program.
    #[error("From a browser")]
    Browser,
    #[error("Bad Token")]
    Token,
}

const TOKENS: [&str; 2] = ["x-kms-token", "x-vault-token"];
/// Headers of proxies: each puts one of them into what it passes on, where it puts any.
const FORWARDED: [&str; 13] = [
    "forwarded",
    "via",
    "x-real-ip",
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "x-proxyuser-ip",
    "x-rewrite-url",
    "x-host",
    "proxy-authorization",
    "max-forwards",
    "proxy-connection",
    "cdn-loop",
    "cf-ray",
];
const FORWARDED_BY: [&str; 8] = [
    "x-original-",
    "x-envoy-",
    "x-appengine-",
    "x-azure-",
    "ali-cdn-",
    "x-varnish",
    "x-amz-cf-",
    "surrogate-",
];
/// What proxies call the client, in whatever words stand around it.
const OF_A_CLIENT: [&str; 6] =
    ["forwarded", "forward-for", "client-ip", "remote-ip", "remote-addr", "originating-ip"];
/// Headers that programs have no reason to send; browsers let no page choose those of `sec-`.
const BROWSER: [&str; 3] = ["origin", "referer", "upgrade-insecure-requests"];
const BROWSER_OF: [&str; 2] = ["sec-", "access-control-request-"];
/// Node.js sends this one with its `fetch` too; browsers send others beside it.
const OF_PROGRAMS: &str = "sec-fetch-mode";
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

impl Refused {
    pub(crate) fn status(self) -> u16 {
        match self {
            Self::Host | Self::Token | Self::Browser => 403,
            Self::Forwarded => 400,
        }
    }
}

/// `target` is the host that the request line names, which it needs not.
pub(crate) fn check_host(
    headers: &HeaderMap,
    target: Option<&Authority>,
    port: u16,
) -> Result<(), Refused> {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(Refused::Host) };
    let is_ours = |host: &str| is_local(host, port);
    let named = host.to_str().is_ok_and(is_ours);
    let aimed = target.is_none_or(|target| is_ours(target.as_str()));
    if named && aimed { Ok(()) } else { Err(Refused::Host) }
}

fn is_local(host: &str, port: u16) -> bool {
    NAMES.iter().any(|name| {
        let Some((start, rest)) = host.split_at_checked(name.len()) else { return false };
        let same_port = |digits: &str| {
            // As people write a number: no sign, no zeros before it.
            digits.starts_with(|c: char| matches!(c, '1'..='9')) && digits.parse() == Ok(port)
        };
        start.eq_ignore_ascii_case(name)
            && (rest.is_empty() || rest.strip_prefix(':').is_some_and(same_port))
    })
}

/// Whoever can make a proxy, or a person's browser, send a request has not thereby sent it.
pub(crate) fn check_direct(headers: &HeaderMap) -> Result<(), Refused> {
    let any = |is: &dyn Fn(&str) -> bool| headers.keys().any(|name| is(name.as_str()));
    // Names are in small letters here; servers behind CGI take one sign for the other.
    let of_a_proxy = |name: &str| {
        let name = name.replace('_', "-");
        FORWARDED.contains(&name.as_str())
            || FORWARDED_BY.iter().any(|by| name.starts_with(by))
            || OF_A_CLIENT.iter().any(|part| name.contains(part))
    };
    if any(&of_a_proxy) {
        return Err(Refused::Forwarded);
    }
    let of_a_browser =
        |name: &str| BROWSER_OF.iter().any(|of| name.starts_with(of)) && name != OF_PROGRAMS;
    if any(&|name| BROWSER.contains(&name) || of_a_browser(name)) {
        return Err(Refused::Browser);
    }
    Ok(())
}

pub(crate) fn check_token(headers: &HeaderMap, token: &Sensitive) -> Result<(), Refused> {
    let mut shown = TOKENS.iter().flat_map(|name| headers.get_all(*name)).peekable();
    if shown.peek().is_none() {
        return Err(Refused::Token);
    }
    // All tokens are compared, so that the time does not tell which one was wrong.
    let right =
        shown.fold(1, |right, shown| right & shown.as_bytes().ct_eq(token.expose()).unwrap_u8());
    if right == 1 { Ok(()) } else { Err(Refused::Token) }
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn host(value: &str) -> Result<(), Refused> {
        check_host(&headers(&[("host", value)]), None, 2025)
    }

    #[test]
    fn only_names_of_this_machine_lead_here() {
        for good in [
            "localhost",
            "LocalHost:2025",
            "localhost:2025",
            "127.0.0.1",
            "127.0.0.1:2025",
            "[::1]",
            "[::1]:2025",
        ] {
            assert_eq!(host(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "evil.example:2025",
            "localhost.evil.example",
            "localhost:2026",
            "localhost:",
            "localhost:+2025",
            "localhost:02025",
            "localhost:20250",
            "localhost@evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.2",
            "0.0.0.0",
            "[::2]",
            "::1",
            "169.254.169.254",
        ] {
            assert_eq!(host(bad), Err(Refused::Host), "{bad}");
        }
        let check = |headers: &HeaderMap, target: &str| {
            check_host(headers, Some(&target.parse().unwrap()), 2025)
        };
        assert_eq!(check_host(&HeaderMap::new(), None, 2025), Err(Refused::Host));
        let twice = headers(&[("host", "localhost"), ("host", "localhost")]);
        assert_eq!(check_host(&twice, None, 2025), Err(Refused::Host));
        let once = headers(&[("host", "localhost")]);
        assert_eq!(check(&once, "evil.example"), Err(Refused::Host));
        assert_eq!(check(&once, "localhost:2025"), Ok(()));
    }

    #[test]
    fn a_token_opens_under_either_name_and_forwarding_closes() {
        let token = Sensitive::from("a1".repeat(32));
        let (right, wrong) = ("a1".repeat(32), "a2".repeat(32));
        let asked = |pairs: &[(&str, &str)]| {
            let headers = headers(pairs);
            check_direct(&headers).and_then(|()| check_token(&headers, &token))
        };
        assert_eq!(asked(&[("X-KMS-Token", &right)]), Ok(()));
        assert_eq!(asked(&[("x-vault-token", &right)]), Ok(()));
        assert_eq!(asked(&[("x-kms-token", &right), ("x-vault-token", &right)]), Ok(()));
        for (one, other) in [(&wrong, &right), (&right, &wrong), (&wrong, &wrong)] {
            for name in ["x-kms-token", "x-vault-token"] {
                let both = asked(&[("x-kms-token", one), (name, other)]);
                assert_eq!(both, Err(Refused::Token), "{name}");
            }
        }
        let (short, long) = ("a1".repeat(31), "a1".repeat(33));
        for bad in ["", &wrong, &short, &long] {
            assert_eq!(asked(&[("x-kms-token", bad)]), Err(Refused::Token), "{bad}");
        }
        assert_eq!(asked(&[]), Err(Refused::Token));
        assert_eq!(asked(&[("authorization", &right)]), Err(Refused::Token));
        let forwarded = [("x-forwarded-for", "10.0.0.1"), ("x-kms-token", right.as_str())];
        assert_eq!(asked(&forwarded), Err(Refused::Forwarded));
        assert_eq!(asked(&forwarded[..1]), Err(Refused::Forwarded));
    }

    #[test]
    fn what_a_proxy_or_a_browser_sends_is_refused_by_kind() {
        for name in [
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Proto",
            "X-Forwarded-Prefix",
            "X-Forwarded",
            "Forwarded",
            "Via",
            "X-Real-IP",
            "X-Client-IP",
            "True-Client-IP",
            "CF-Connecting-IP",
            "CF-Connecting-IPv6",
            "Fastly-Client-IP",
            "X-ProxyUser-IP",
            "X-Host",
            "Proxy-Authorization",
            "Max-Forwards",
            "X-AppEngine-User-IP",
            "X-Azure-SocketIP",
            "X-Original-URL",
            "X-Original-Forwarded-For",
            "X-Envoy-External-Address",
            "X-Envoy-Expected-Rq-Timeout-Ms",
            "X-Rewrite-URL",
            "X-Cluster-Client-Ip",
            "Ali-CDN-Real-IP",
            "WL-Proxy-Client-IP",
            "Proxy-Client-IP",
            "HTTP-X-Forwarded-For",
            "X_Forwarded_For",
            "X_Real_IP",
            "Z-Forwarded-For",
            "X-Forward-For",
            "X-Originating-IP",
            "X-Remote-IP",
            "X-Remote-Addr",
            "CDN-Loop",
            "CF-Ray",
            "X-Varnish",
            "Proxy-Connection",
            "X-Amz-Cf-Id",
            "Surrogate-Capability",
        ] {
            assert_eq!(check_direct(&headers(&[(name, "x")])), Err(Refused::Forwarded), "{name}");
        }
        for name in [
            "Origin",
            "Referer",
            "Sec-Fetch-Site",
            "Sec-Fetch-Dest",
            "Sec-Fetch-User",
            "Sec-CH-UA",
            "Sec-WebSocket-Key",
            "Sec-GPC",
            "Access-Control-Request-Method",
            "Access-Control-Request-Private-Network",
            "Upgrade-Insecure-Requests",
        ] {
            assert_eq!(check_direct(&headers(&[(name, "x")])), Err(Refused::Browser), "{name}");
        }
    }

    /// What curl, Go, Java, Python, Node.js and tracing put into a request of their own.
    #[test]
    fn what_clients_send_by_themselves_is_let_in() {
        let sent = [
            ("Host", "localhost:2025"),
            ("User-Agent", "curl/8.5.0"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "gzip, deflate"),
            ("Accept-Language", "*"),
            ("Sec-Fetch-Mode", "cors"),
            ("Connection", "keep-alive, Upgrade, HTTP2-Settings"),
            ("Upgrade", "h2c"),
            ("HTTP2-Settings", "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"),
            ("Keep-Alive", "1"),
            ("Content-Type", "application/json"),
            ("Content-Length", "0"),
            ("Cache-Control", "no-cache"),
            ("Pragma", "no-cache"),
            ("X-KMS-Token", "x"),
            ("X-Vault-Token", "x"),
            ("X-Vault-Request", "true"),
            ("X-Vault-Namespace", "x"),
            ("Authorization", "x"),
            ("traceparent", "00-x"),
            ("tracestate", "x"),
            ("b3", "0"),
            ("X-B3-TraceId", "x"),
            ("X-Request-Id", "x"),
            ("X-Amzn-Trace-Id", "x"),
            ("amz-sdk-request", "attempt=1"),
            ("x-acs-action", "GetSecretValue"),
            ("Date", "x"),
            ("TE", "trailers"),
        ];
        assert_eq!(check_direct(&headers(&sent)), Ok(()));
    }
}
