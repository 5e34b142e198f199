//! Names in Alibaba Cloud: regions, hosts, roles and what belongs to them.

use printable::{Quoted, shorten};
use serde::{Deserialize, Serialize};

use crate::text_type::text_type;

/// A region id by its shape; which regions exist is the webhook's to say.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(String);

/// A DNS host name of the cloud: no scheme, port, address or path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Host(String);

/// `acs:ram::ACCOUNT:role/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoleArn(String);

/// `acs:ram::ACCOUNT:oidc-provider/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProviderArn(String);

/// What names a session in the cloud's audit log: 2 to 64 of `[A-Za-z0-9.@_-]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionName(String);

/// What a role of another account asks for: 2 to 1224 of `[A-Za-z0-9_+=,.@:/-]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExternalId(String);

/// Which of a region's endpoints are used where none is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    #[default]
    Vpc,
    Public,
}

/// A role that is assumed on top of the Pod's own, usually of another account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Assume {
    pub role: RoleArn,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCloud {
    #[error("{shown} is not a region id; write one like cn-hangzhou", shown = Quoted(.0))]
    Region(String),
    #[error(
        "{shown} is not a host name; write the host only, without scheme, port, address or path",
        shown = Quoted(.0)
    )]
    Host(String),
    #[error("{shown} is not a role ARN; write acs:ram::ACCOUNT:role/NAME", shown = Quoted(.0))]
    Role(String),
    #[error(
        "{shown} is not an OIDC provider ARN; write acs:ram::ACCOUNT:oidc-provider/NAME",
        shown = Quoted(.0)
    )]
    Provider(String),
    #[error(
        "role session name {shown} is not valid; use 2 to 64 letters, digits and .@_-",
        shown = Quoted(.0)
    )]
    Session(String),
    #[error(
        "external id {shown} is not valid; use 2 to 1224 letters, digits and _+=,.@:/-",
        shown = Quoted(.0)
    )]
    ExternalId(String),
}

impl Region {
    pub fn parse(text: &str) -> Result<Self, InvalidCloud> {
        let byte_ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let ok = (4..=32).contains(&text.len())
            && text.contains('-')
            && !text.starts_with('-')
            && !text.ends_with('-')
            && text.bytes().all(byte_ok);
        if ok { Ok(Self(text.to_owned())) } else { Err(InvalidCloud::Region(shorten(text))) }
    }
}

impl Host {
    pub fn parse(text: &str) -> Result<Self, InvalidCloud> {
        let byte_ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let label_ok = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(byte_ok)
        };
        let ok = text.len() <= 253
            && text.contains('.')
            && text.split('.').all(label_ok)
            // The last label of a name is never a number: that would be an address.
            && text.rsplit('.').next().is_some_and(|last| last.bytes().any(|b| b.is_ascii_lowercase()));
        if ok { Ok(Self(text.to_owned())) } else { Err(InvalidCloud::Host(shorten(text))) }
    }

    /// Whether this is a dedicated KMS gateway, whose certificate a private CA signs.
    #[must_use]
    pub fn is_dedicated_gateway(&self) -> bool {
        self.0.ends_with(".cryptoservice.kms.aliyuncs.com")
    }
}

impl RoleArn {
    pub fn parse(text: &str) -> Result<Self, InvalidCloud> {
        match ram_arn(text, "role/") {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(InvalidCloud::Role(shorten(text))),
        }
    }

    /// The account that owns the role.
    #[must_use]
    pub fn account(&self) -> &str {
        ram_arn(&self.0, "role/").unwrap_or_default()
    }
}

impl ProviderArn {
    pub fn parse(text: &str) -> Result<Self, InvalidCloud> {
        match ram_arn(text, "oidc-provider/") {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(InvalidCloud::Provider(shorten(text))),
        }
    }
}

impl SessionName {
    pub fn parse(text: &str) -> Result<Self, InvalidCloud> {
        let byte_ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'@' | b'-' | b'_');
        let ok = (2..=64).contains(&text.len()) && text.bytes().all(byte_ok);
        if ok { Ok(Self(text.to_owned())) } else { Err(InvalidCloud::Session(shorten(text))) }
    }
}

impl ExternalId {
    pub fn parse(text: &str) -> Result<Self, InvalidCloud> {
        let byte_ok = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b);
        let ok = (2..=1224).contains(&text.len()) && text.bytes().all(byte_ok);
        if ok { Ok(Self(text.to_owned())) } else { Err(InvalidCloud::ExternalId(shorten(text))) }
    }
}

/// The account of `acs:ram::ACCOUNT:KIND NAME`, when it is one.
fn ram_arn<'a>(text: &'a str, kind: &str) -> Option<&'a str> {
    let (account, resource) = text.strip_prefix("acs:ram::")?.split_once(':')?;
    let name = resource.strip_prefix(kind)?;
    let name_ok = (1..=128).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'@' | b'-' | b'_'));
    let account_ok =
        (1..=32).contains(&account.len()) && account.bytes().all(|b| b.is_ascii_digit());
    (name_ok && account_ok).then_some(account)
}

text_type!(InvalidCloud: Region, Host, RoleArn, ProviderArn, SessionName, ExternalId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_and_nothing_else() {
        for host in ["kms-vpc.cn-hangzhou.aliyuncs.com", "kst-1.cryptoservice.kms.aliyuncs.com"] {
            assert_eq!(Host::parse(host).unwrap().as_str(), host);
        }
        for host in [
            "",
            "localhost",
            "https://a.b",
            "a.b:443",
            "a.b/c",
            "10.0.0.1",
            "[::1]",
            "a.b.",
            ".a.b",
            "A.b",
            "a..b",
            "-a.b",
            "a b.c",
            "a.b@c.d",
            "a.b\n",
            "2130706433",
            "0x7f.1",
        ] {
            assert!(Host::parse(host).is_err(), "{host:?}");
        }
        assert!(Host::parse(&format!("{}.com", "a".repeat(64))).is_err());
    }

    #[test]
    fn role_arns_name_an_account_and_a_role() {
        let role = RoleArn::parse("acs:ram::1234567890123456:role/demo-app").unwrap();
        assert_eq!(role.account(), "1234567890123456");
        for text in [
            "",
            "demo",
            "acs:ram:::role/x",
            "acs:ram::1:user/x",
            "acs:ram::1:role/",
            "acs:ram::1:role/a/b",
        ] {
            assert!(RoleArn::parse(text).is_err(), "{text:?}");
        }
        ProviderArn::parse("acs:ram::1:oidc-provider/ack-rrsa-c1").unwrap();
    }

    #[test]
    fn session_names_and_external_ids_keep_to_the_clouds_alphabet() {
        SessionName::parse("shop.checkout@kms_1-2").unwrap();
        ExternalId::parse("ext=1,2.3@a:/-_").unwrap();
        for text in ["x", "a b", "a/b", &"x".repeat(65)] {
            assert!(SessionName::parse(text).is_err(), "{text:?}");
        }
        assert!(ExternalId::parse("a b").is_err() && ExternalId::parse("x").is_err());
    }
}
