//! The local agent: which secrets it serves over HTTP inside the Pod, on which port, with which
//! token, and how long it keeps them.

use std::fmt;

use printable::{Quoted, shorten};
use serde::{Deserialize, Serialize};

use crate::cloud::{Assume, Host, Region};
use crate::file::{FileMode, FileName};
use crate::glob::Glob;
use crate::mount::MountPath;
use crate::refresh::Refresh;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Agent {
    /// How the files are kept current, if there are any.
    pub refresh: Refresh,
    /// Names of KMS secrets that may be asked for; one of these must fit.
    pub secrets: Vec<Glob>,
    /// The operator's say, where there is one: one of these must fit too, unless the plan itself
    /// looks the secret up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<Glob>>,
    /// Where a secret is looked up that is none of the plan's lookups.
    pub region: Region,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Host>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assume: Option<Assume>,
    pub port: Port,
    pub cache_ttl: CacheTtl,
    pub cache_size: UpToThousand,
    pub max_connections: UpToThousand,
    pub response_type: ResponseType,
    pub token: TokenPath,
    pub token_mode: FileMode,
}

/// A number within these bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct Within<const LEAST: u16, const MOST: u16>(u16);

/// Ports that need no privilege.
pub type Port = Within<1024, 65535>;
/// Seconds; zero keeps nothing.
pub type CacheTtl = Within<0, 3600>;
pub type UpToThousand = Within<1, 1000>;

/// In which shape a secret is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum ResponseType {
    /// As KMS does.
    #[default]
    Kms,
    /// As AWS Secrets Manager does.
    Aws,
    /// As the KV engine of HashiCorp Vault does.
    Vault,
}

/// Where the token lies: a directory of its own, and a name in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenPath {
    directory: MountPath,
    file: FileName,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAgent {
    #[error("{value} is not allowed; use a whole number from {least} to {most}")]
    Bounds { value: u32, least: u16, most: u16 },
    #[error(
        "{shown} is no response type; use 0 (KMS), 1 (AWS Secrets Manager) or 2 (HashiCorp KV)",
        shown = Quoted(.0)
    )]
    ResponseType(String),
    #[error(
        "{shown} is no path for a token; name a file in a directory of its own, like /var/run/kmstoken/token",
        shown = Quoted(.0)
    )]
    TokenPath(String),
}

impl<const LEAST: u16, const MOST: u16> Within<LEAST, MOST> {
    pub fn new(value: u32) -> Result<Self, InvalidAgent> {
        let bad = InvalidAgent::Bounds { value, least: LEAST, most: MOST };
        match u16::try_from(value) {
            Ok(small) if (LEAST..=MOST).contains(&small) => Ok(Self(small)),
            _ => Err(bad),
        }
    }

    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

impl<const LEAST: u16, const MOST: u16> TryFrom<u16> for Within<LEAST, MOST> {
    type Error = InvalidAgent;

    fn try_from(value: u16) -> Result<Self, Self::Error> {
        Self::new(value.into())
    }
}

impl<const LEAST: u16, const MOST: u16> From<Within<LEAST, MOST>> for u16 {
    fn from(value: Within<LEAST, MOST>) -> Self {
        value.0
    }
}

impl ResponseType {
    pub fn parse(text: &str) -> Result<Self, InvalidAgent> {
        match text {
            "0" => Ok(Self::Kms),
            "1" => Ok(Self::Aws),
            "2" => Ok(Self::Vault),
            _ => Err(InvalidAgent::ResponseType(shorten(text))),
        }
    }
}

impl TryFrom<u8> for ResponseType {
    type Error = InvalidAgent;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        Self::parse(&number.to_string())
    }
}

impl From<ResponseType> for u8 {
    fn from(response_type: ResponseType) -> Self {
        match response_type {
            ResponseType::Kms => 0,
            ResponseType::Aws => 1,
            ResponseType::Vault => 2,
        }
    }
}

impl TokenPath {
    pub fn parse(text: &str) -> Result<Self, InvalidAgent> {
        let bad = || InvalidAgent::TokenPath(shorten(text));
        let (directory, file) = text.rsplit_once('/').ok_or_else(bad)?;
        let directory = MountPath::parse(directory).map_err(|_| bad())?;
        Ok(Self { directory, file: FileName::parse(file).map_err(|_| bad())? })
    }

    #[must_use]
    pub fn directory(&self) -> &MountPath {
        &self.directory
    }

    #[must_use]
    pub fn file(&self) -> &FileName {
        &self.file
    }
}

impl fmt::Display for TokenPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.directory, self.file)
    }
}

impl TryFrom<String> for TokenPath {
    type Error = InvalidAgent;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<TokenPath> for String {
    fn from(path: TokenPath) -> Self {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(port: u32, ttl: u32, size: u32, response_type: u32, token: &str) -> String {
        format!(
            r#"{{"refresh":{{"interval":300}},"secrets":["shop/*"],"region":"cn-hangzhou",
                "port":{port},"cacheTtl":{ttl},"cacheSize":{size},"maxConnections":800,
                "responseType":{response_type},"token":"{token}","tokenMode":"0400"}}"#
        )
    }

    const TOKEN: &str = "/var/run/kmstoken/token";

    #[test]
    fn an_agent_survives_the_way_through_json() {
        let agent: Agent = serde_json::from_str(&json(2025, 300, 1000, 2, TOKEN)).unwrap();
        assert_eq!((agent.port.get(), agent.response_type), (2025, ResponseType::Vault));
        assert_eq!(agent.token.directory().as_str(), "/var/run/kmstoken");
        assert_eq!(
            (agent.token.file().as_str(), agent.token.to_string().as_str()),
            ("token", TOKEN)
        );
        let again = serde_json::to_string(&agent).unwrap();
        assert_eq!(serde_json::from_str::<Agent>(&again).unwrap(), agent);
    }

    #[test]
    fn numbers_have_bounds_also_in_json() {
        for good in [json(1024, 0, 1, 0, TOKEN), json(65535, 3600, 1000, 1, TOKEN)] {
            serde_json::from_str::<Agent>(&good).unwrap();
        }
        for bad in [
            json(1023, 300, 1000, 0, TOKEN),
            json(65536, 300, 1000, 0, TOKEN),
            json(2025, 3601, 1000, 0, TOKEN),
            json(2025, 300, 0, 0, TOKEN),
            json(2025, 300, 1001, 0, TOKEN),
            json(2025, 300, 1000, 3, TOKEN),
            json(2025, 300, 1000, 0, "token"),
            json(2025, 300, 1000, 0, TOKEN).replace("\"port\"", "\"x\":1,\"port\""),
        ] {
            assert!(serde_json::from_str::<Agent>(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_token_is_a_file_in_a_directory() {
        for bad in ["", "token", "/token", "/a/../token", "/a/", "/a/.kms-token", "/a/..token"] {
            assert!(TokenPath::parse(bad).is_err(), "{bad:?}");
        }
        TokenPath::parse("/a/b").unwrap();
    }
}
