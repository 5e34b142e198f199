//! Faults on demand: which calls they strike, and what these get.

use serde::{Deserialize, Serialize};

use super::glob;
use super::route::CalledService;

/// Strikes calls for which every matcher that is set holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    #[serde(default)]
    pub service: Option<CalledService>,
    /// An API name such as `GetSecretValue`.
    #[serde(default)]
    pub action: Option<String>,
    /// Name of a secret or parameter, or a role ARN, with `*` and `?`.
    #[serde(default)]
    pub subject: Option<String>,
    /// With `*` and `?`.
    #[serde(default)]
    pub host: Option<String>,
    /// Matching calls that pass before the first is struck.
    #[serde(default)]
    pub skip: u32,
    /// Calls struck before the fault is over; without it, all.
    #[serde(default)]
    pub count: Option<u32>,
    pub effect: Effect,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Effect {
    /// The true answer, later.
    Latency { millis: u64 },
    /// `Rejected.Throttling` with 429, as KMS itself throttles.
    RejectedThrottling {
        #[serde(default)]
        retry_after_millis: Option<u64>,
    },
    /// `Throttling.User` with 400, as the gateway throttles.
    ThrottlingUser {
        #[serde(default)]
        retry_after_millis: Option<u64>,
    },
    /// 500 `InternalFailure`.
    InternalFailure,
    /// 503 `ServiceUnavailableTemporary`.
    Unavailable,
    /// Any other error of the services.
    Refuse { status: u16, code: String, message: String },
    /// The credential is treated as expired.
    ExpiredCredential,
    /// The identity is treated as having no permission.
    AccessDenied,
    /// The call is judged by a clock that is off by this much.
    ClockSkew { seconds: i64 },
    /// RST before any byte of an answer.
    Reset,
    /// The true answer, so many bytes at a time.
    SlowBody { bytes: usize, millis: u64 },
    /// The true head, half of the body, RST.
    TruncatedBody,
    /// A whole answer whose JSON is the first half of the true one.
    CutJson,
    /// 302 to another place.
    Redirect { location: String },
    /// An XML error although JSON was asked for.
    Xml,
    /// 502 from some proxy.
    Html,
    /// 200 and bytes that are nothing.
    Garbage,
    /// 200 with the body of an error.
    OkWithError,
    /// 200 with a valid JSON body of this size.
    Oversized { bytes: usize },
    /// The true answer under another content type.
    ContentType { value: String },
    /// In a batch: this secret is refused, and the others are answered.
    PartRefused { name: String, status: u16, code: String, message: String },
    /// In a batch: the parts of the true answer, changed.
    Parts { change: PartsChange },
    /// TLS: the certificate is for this name. Matched by `host` only.
    CertificateName { name: String },
    /// TLS: the certificate is signed by a CA that nobody trusts. Matched by `host` only.
    UntrustedCertificate,
}

/// What may be otherwise in the answer to a batch, or must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartsChange {
    /// What one part fails with refuses the whole call.
    RefusedWhole,
    Reversed,
    /// Each part has the ARN.
    ByArn,
    /// Each part has the name alone.
    ByName,
    /// Each part has what was asked for.
    AsAsked,
    /// Without failed parts there is no list of them.
    WithoutErrors,
    OneMissing,
    OneTwice,
    /// One part too many, for another name.
    OneMore,
    /// One part is for another name.
    OtherName,
    /// One part is another version.
    OtherVersion,
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: Vec<Active>,
}

#[derive(Debug)]
struct Active {
    fault: Fault,
    seen: u32,
    struck: u32,
}

pub(crate) struct Target<'a> {
    pub(crate) service: CalledService,
    pub(crate) action: &'a str,
    pub(crate) subject: Option<&'a str>,
    pub(crate) host: &'a str,
}

impl Fault {
    /// Strikes everything; narrow it with the methods below.
    pub fn new(effect: Effect) -> Self {
        Self {
            service: None,
            action: None,
            subject: None,
            host: None,
            skip: 0,
            count: None,
            effect,
        }
    }

    #[must_use]
    pub fn service(mut self, service: CalledService) -> Self {
        self.service = Some(service);
        self
    }

    #[must_use]
    pub fn action(mut self, action: &str) -> Self {
        self.action = Some(action.to_owned());
        self
    }

    #[must_use]
    pub fn subject(mut self, pattern: &str) -> Self {
        self.subject = Some(pattern.to_owned());
        self
    }

    #[must_use]
    pub fn host(mut self, pattern: &str) -> Self {
        self.host = Some(pattern.to_owned());
        self
    }

    #[must_use]
    pub fn skip(mut self, calls: u32) -> Self {
        self.skip = calls;
        self
    }

    #[must_use]
    pub fn times(mut self, calls: u32) -> Self {
        self.count = Some(calls);
        self
    }

    fn matches(&self, target: &Target<'_>) -> bool {
        self.service.is_none_or(|service| service == target.service)
            && self.action.as_deref().is_none_or(|action| action == target.action)
            && self
                .subject
                .as_deref()
                .is_none_or(|pattern| target.subject.is_some_and(|s| glob::matches(pattern, s)))
            && self.host.as_deref().is_none_or(|pattern| glob::matches(pattern, target.host))
    }
}

impl Effect {
    /// As in JSON; for the journal.
    pub(crate) fn kind(&self) -> String {
        let json = serde_json::to_value(self).unwrap_or_default();
        json.get("kind").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    }

    fn strikes_the_handshake(&self) -> bool {
        matches!(self, Self::CertificateName { .. } | Self::UntrustedCertificate)
    }
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.active.push(Active { fault, seen: 0, struck: 0 });
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    /// The effect of the first fault that strikes this call.
    pub(crate) fn strike(&mut self, target: &Target<'_>) -> Option<Effect> {
        self.first(|fault| !fault.effect.strikes_the_handshake() && fault.matches(target))
    }

    pub(crate) fn strike_handshake(&mut self, host: &str) -> Option<Effect> {
        self.first(|fault| {
            fault.effect.strikes_the_handshake()
                && fault.host.as_deref().is_none_or(|pattern| glob::matches(pattern, host))
        })
    }

    fn first(&mut self, matches: impl Fn(&Fault) -> bool) -> Option<Effect> {
        for active in &mut self.active {
            if !matches(&active.fault)
                || active.fault.count.is_some_and(|count| active.struck >= count)
            {
                continue;
            }
            active.seen = active.seen.saturating_add(1);
            if active.seen > active.fault.skip {
                active.struck = active.struck.saturating_add(1);
                return Some(active.fault.effect.clone());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(subject: &str) -> Target<'_> {
        Target {
            service: CalledService::Kms,
            action: "GetSecretValue",
            subject: Some(subject),
            host: "kms.cn-hangzhou.aliyuncs.com",
        }
    }

    #[test]
    fn a_fault_strikes_after_skip_and_for_count_calls() {
        let mut faults = Faults::default();
        faults.add(Fault::new(Effect::Reset).subject("shop/*").skip(1).times(2));
        let struck: Vec<bool> = (0..5).map(|_| faults.strike(&call("shop/db")).is_some()).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert!(faults.strike(&call("other")).is_none());
    }

    #[test]
    fn every_matcher_must_hold() {
        for fault in [
            Fault::new(Effect::Reset).service(CalledService::Oos),
            Fault::new(Effect::Reset).action("GetParameter"),
            Fault::new(Effect::Reset).subject("x"),
            Fault::new(Effect::Reset).host("kms-vpc.*"),
            Fault::new(Effect::UntrustedCertificate),
        ] {
            let mut faults = Faults::default();
            faults.add(fault);
            assert!(faults.strike(&call("shop/db")).is_none());
        }
    }

    #[test]
    fn a_fault_reads_from_json() {
        let text = r#"{"service":"kms","count":1,"effect":{"kind":"throttling_user","retryAfterMillis":50}}"#;
        let fault: Fault = serde_json::from_str(text).unwrap();
        assert!(matches!(fault.effect, Effect::ThrottlingUser { retry_after_millis: Some(50) }));
        assert!(serde_json::from_str::<Fault>(r#"{"effect":{"kind":"reset"},"often":1}"#).is_err());
    }
}
