//! The keys of a Secret, as the kubelet writes them: a file for each, below a link that it swaps when
//! the Secret changes. This says what they are together.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloud::provider::{AccessKey, KeyRole, KeySet, OidcRole, RoleTerms};
use plan::{ProviderArn, RoleArn, SessionName};
use secret::Sensitive;

use super::service_account_token::TokenFile;
use crate::process::bounded;

/// Why the files are no key set. It names keys, and never what is in them.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeyFilesError {
    #[error("{0} cannot be read: {1}")]
    Unreadable(&'static str, String),
    #[error("it has none of the keys that say who asks")]
    Empty,
    #[error("it has the key {0} and lacks {1}")]
    Half(&'static str, &'static str),
    #[error("it has {0} and {1}, which say the same; keep one of them")]
    Both(&'static str, &'static str),
    #[error("it has the key {0} twice, in small and in capital letters; keep one of them")]
    Twice(&'static str),
    #[error("it has keys, and oidcproviderarn for a token; keep one way")]
    TwoWays,
    #[error("the key {0} is no text of one line")]
    Text(&'static str),
    #[error(
        "the key {0} is encoded as base64 twice; encode it once under data, or write it as it is under stringData"
    )]
    EncodedTwice(&'static str),
    #[error("the key {0} is not valid: {1}")]
    Invalid(&'static str, String),
}

/// How one thing may be called, as the components that users come from call it.
type Names = &'static [&'static str];

const ID: Names = &["id", "access_key", "accesskeyid", "access-key-id"];
const SECRET: Names = &["secret", "access_secret", "accesskeysecret", "access-key-secret"];
const TOKEN: Names = &["token", "securitytoken", "security_token", "security-token"];
const ROLE: Names = &["rolearn", "role_arn", "role-arn"];
const PROVIDER: Names = &["oidcproviderarn", "oidc_provider_arn", "oidc-provider-arn"];
const SESSION: Names = &["rolesessionname", "role_session_name", "role-session-name"];
const DURATION: Names =
    &["rolesessionexpiration", "role_session_expiration", "role-session-expiration"];

/// What STS gives has some hundreds of bytes.
const LARGEST: usize = 16 * 1024;
/// A Secret may have more keys, which mean nothing here. More do not fit into one.
const MOST_FILES: usize = 512 * 1024;

const NAMES: [Names; 7] = [ID, SECRET, TOKEN, ROLE, PROVIDER, SESSION, DURATION];

/// Where the kubelet puts the keys of a Secret.
#[derive(Clone, Debug)]
pub(super) struct KeyFiles(PathBuf);

/// A value under the name that it has in the Secret.
struct Found {
    name: &'static str,
    value: Sensitive,
}

impl KeyFiles {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self(directory)
    }

    pub(super) fn directory(&self) -> &Path {
        &self.0
    }

    /// Names what the kubelet has written last, without reading it.
    pub(super) fn edition(&self) -> Option<String> {
        let link = std::fs::read_link(self.0.join("..data")).ok()?;
        Some(link.to_string_lossy().into_owned())
    }

    /// `session` is how the plan names sessions; `token` is asked where a role is given for one.
    pub(super) fn read(
        &self,
        session: &SessionName,
        token: &TokenFile,
    ) -> Result<KeySet, KeyFilesError> {
        let files = self.files()?;
        let id = self.one(&files, ID)?;
        let secret = self.one(&files, SECRET)?;
        let provider = self.one(&files, PROVIDER)?;
        let role = self.one(&files, ROLE)?;
        let terms = RoleTerms {
            session_name: self
                .one(&files, SESSION)?
                .map(|found| session_name(&found, session))
                .transpose()?,
            duration: self.one(&files, DURATION)?.map(|found| duration(&found)).transpose()?,
        };
        let role = role.map(|found| role_arn(&found)).transpose()?;
        match (id, secret, provider, role) {
            (Some(_), _, Some(_), _) => Err(KeyFilesError::TwoWays),
            (Some(id), Some(secret), None, role) => {
                let token = self.one(&files, TOKEN)?.map(|found| found.value);
                let key = AccessKey { id: key_id(&id)?, secret: secret.value, token };
                Ok(match role {
                    Some(role_arn) => KeySet::Role(key, KeyRole { role_arn, terms }),
                    None => KeySet::Own(key),
                })
            }
            (Some(id), None, ..) => Err(KeyFilesError::Half(id.name, "secret")),
            (None, Some(secret), ..) => Err(KeyFilesError::Half(secret.name, "id")),
            (None, None, Some(provider), Some(role_arn)) => {
                let oidc_provider_arn = provider_arn(&provider)?;
                let token = token.read().map_err(|error| {
                    KeyFilesError::Unreadable("the token of the ServiceAccount", error.to_string())
                })?;
                Ok(KeySet::Oidc(OidcRole { role_arn, oidc_provider_arn }, token, terms))
            }
            (None, None, Some(provider), None) => {
                Err(KeyFilesError::Half(provider.name, "rolearn"))
            }
            (None, None, None, Some(_)) => {
                Err(KeyFilesError::Half("rolearn", "id and secret, or oidcproviderarn"))
            }
            (None, None, None, None) => Err(KeyFilesError::Empty),
        }
    }

    /// The files whose names mean something, by these in lower case: nobody can tell which case users have.
    fn files(&self) -> Result<BTreeMap<&'static str, PathBuf>, KeyFilesError> {
        let unreadable = |error: io::Error| {
            KeyFilesError::Unreadable("the directory of its keys", error.kind().to_string())
        };
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(&self.0).map_err(unreadable)?.take(MOST_FILES) {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name();
            let is =
                |known: &&&str| name.to_str().is_some_and(|name| name.eq_ignore_ascii_case(known));
            let Some(known) = NAMES.into_iter().flatten().find(is) else { continue };
            if files.insert(*known, entry.path()).is_some() {
                return Err(KeyFilesError::Twice(known));
            }
        }
        Ok(files)
    }

    /// The one value that has one of these names; without line ends and blanks around it, which many
    /// who encode a value leave there.
    fn one(
        &self,
        files: &BTreeMap<&'static str, PathBuf>,
        names: Names,
    ) -> Result<Option<Found>, KeyFilesError> {
        let mut found = names.iter().filter_map(|name| Some((*name, files.get(*name)?)));
        let Some((name, path)) = found.next() else { return Ok(None) };
        if let Some((other, _)) = found.next() {
            return Err(KeyFilesError::Both(name, other));
        }
        let bytes = bounded::read(path, LARGEST)
            .map_err(|error| KeyFilesError::Unreadable(name, error.to_string()))?;
        let trimmed = bytes.expose().trim_ascii();
        if !trimmed.iter().all(u8::is_ascii_graphic) {
            return Err(KeyFilesError::Text(name));
        }
        // A key that is left empty is one that is not there.
        let value = Sensitive::new(trimmed.to_vec());
        Ok((!value.is_empty()).then_some(Found { name, value }))
    }
}

/// An id that was encoded once too often is one that STS would not know.
fn key_id(found: &Found) -> Result<String, KeyFilesError> {
    let id = text(found)?;
    let decoded = STANDARD.decode(id).map(Sensitive::new);
    let begins = |start: &[u8]| decoded.as_ref().is_ok_and(|it| it.expose().starts_with(start));
    match begins(b"LTAI") || begins(b"STS.") {
        true => Err(KeyFilesError::EncodedTwice(found.name)),
        false => Ok(id.to_owned()),
    }
}

fn text(found: &Found) -> Result<&str, KeyFilesError> {
    let text = std::str::from_utf8(found.value.expose());
    text.map_err(|_| KeyFilesError::Text(found.name))
}

fn role_arn(found: &Found) -> Result<String, KeyFilesError> {
    let role = RoleArn::parse(text(found)?);
    role.map(|role| role.to_string())
        .map_err(|_| invalid(found, "write acs:ram::ACCOUNT:role/NAME"))
}

fn provider_arn(found: &Found) -> Result<String, KeyFilesError> {
    let provider = ProviderArn::parse(text(found)?);
    let form = "write acs:ram::ACCOUNT:oidc-provider/NAME";
    provider.map(|provider| provider.to_string()).map_err(|_| invalid(found, form))
}

/// No Pod appears in an audit log as one of another namespace, whatever its Secret says.
fn session_name(found: &Found, plan: &SessionName) -> Result<String, KeyFilesError> {
    let namespace = plan.as_str().split('.').next().unwrap_or_default();
    let prefix = format!("{namespace}.");
    let own = text(found)?;
    let name = format!("{prefix}{}", own.strip_prefix(&prefix).unwrap_or(own));
    let name = SessionName::parse(&name);
    let form = "use letters, digits and .@_-, with the namespace before it at most 64 characters";
    name.map(|name| name.to_string()).map_err(|_| invalid(found, form))
}

fn duration(found: &Found) -> Result<u32, KeyFilesError> {
    let seconds = text(found)?.parse().ok().filter(|seconds| (900..=43_200).contains(seconds));
    seconds.ok_or_else(|| invalid(found, "write seconds, 900 to 43200"))
}

fn invalid(found: &Found, form: &str) -> KeyFilesError {
    KeyFilesError::Invalid(found.name, form.to_owned())
}

#[cfg(test)]
mod tests;
