//! Values that settings alone have, or share with annotations: each is made by its `parse`.

use plan::Host;

/// The id of an Alibaba Cloud account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AccountId(String);

/// The id of an ACK cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClusterId(String);

/// A host name in which `{region}` may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EndpointPattern(String);

/// A DNS subdomain, as Kubernetes names ConfigMaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigMapName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PullPolicy {
    Always,
    IfNotPresent,
    Never,
}

impl AccountId {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let ok = (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        ok.then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl ClusterId {
    pub(super) fn parse(text: &str) -> Option<Self> {
        (text.len() <= 64 && is_label(text)).then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl EndpointPattern {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let sample = text.replace("{region}", "cn-hangzhou");
        Host::parse(&sample).is_ok().then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl ConfigMapName {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        plan::is_subdomain(text).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl PullPolicy {
    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Always, Self::IfNotPresent, Self::Never]
            .into_iter()
            .find(|policy| policy.as_str() == text)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::IfNotPresent => "IfNotPresent",
            Self::Never => "Never",
        }
    }
}

fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}
