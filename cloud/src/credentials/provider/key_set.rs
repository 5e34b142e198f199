//! Keys that somebody keeps for the process: those of a user, temporary ones, or what STS takes for
//! those of a role. They are read anew for each exchange, and when they have changed.

use secret::Sensitive;
use tokio::time::Instant;

use super::sts_session::{OidcRole, StsSession, assume, exchange};
use crate::call::AssumeRole;
use crate::call_info::CallInfo;
use crate::cause::Cause;
use crate::error::Error;
use crate::keys::Credentials;
use crate::lookup::AssumedRole;
use crate::sender::Sender;
use crate::sts::{self, Sts, Token, TokenProblem};

pub struct KeySetProvider {
    /// What the keys are called, and where they lie, for people.
    name: String,
    place: String,
    sts: StsSession,
    read: Box<dyn Fn() -> Result<KeySet, String> + Send + Sync>,
    edition: Box<dyn Fn() -> Option<String> + Send + Sync>,
}

/// What the process has to prove its identity with.
#[derive(Debug)]
pub enum KeySet {
    /// Requests are signed with it.
    Own(AccessKey),
    /// The role is assumed with it.
    Role(AccessKey, KeyRole),
    /// The role is given for a token.
    Oidc(OidcRole, Sensitive, RoleTerms),
}

#[derive(Debug)]
pub struct AccessKey {
    pub id: String,
    pub secret: Sensitive,
    /// Temporary keys have one.
    pub token: Option<Sensitive>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRole {
    pub role_arn: String,
    pub terms: RoleTerms,
}

/// What a key set says of a role's session where it differs from what everybody else says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleTerms {
    pub session_name: Option<String>,
    pub duration: Option<u32>,
}

impl KeySetProvider {
    /// `read` gives what is there, or says in words what is wrong with it; `edition` names it without
    /// reading it.
    pub fn new(
        (name, place): (String, String),
        sts: StsSession,
        read: impl Fn() -> Result<KeySet, String> + Send + Sync + 'static,
        edition: impl Fn() -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self { name, place, sts, read: Box::new(read), edition: Box::new(edition) }
    }

    pub(crate) async fn credentials(
        &self,
        sender: &Sender,
        until: Instant,
    ) -> Result<Credentials, Error> {
        match (self.read)().map_err(|problem| self.unusable(Cause::Proof(problem)))? {
            KeySet::Own(key) => self.keys(key),
            KeySet::Role(key, KeyRole { role_arn, terms }) => {
                let with = self.keys(key)?;
                let sts = self.terms(&terms);
                let Sts { endpoint, session_name, duration } = sts;
                let role = AssumedRole { role_arn, external_id: None };
                let call =
                    AssumeRole { endpoint, role: &role, session_name, duration, with: &with };
                assume(sender, call, &sts, until).await
            }
            KeySet::Oidc(role, raw, terms) => {
                let bad = |problem: TokenProblem| self.unusable(problem.into());
                let token = Token::new(&raw).map_err(bad)?;
                exchange(sender, &self.terms(&terms), &role, &token, until).await
            }
        }
    }

    pub(crate) fn call_info(&self) -> CallInfo {
        CallInfo::of_keys(&self.place, &self.name)
    }

    pub(crate) fn sts(&self) -> Sts<'_> {
        self.sts.sts()
    }

    pub(crate) fn edition(&self) -> Option<String> {
        (self.edition)()
    }

    fn keys(&self, key: AccessKey) -> Result<Credentials, Error> {
        let AccessKey { id, secret, token } = key;
        sts::check_keys(&id, &secret, token.as_ref()).map_err(|cause| self.unusable(cause))?;
        let caller = format!("{}, {}", self.name, shown(&id));
        Ok(Credentials::new(id, secret, token, caller, None))
    }

    fn terms<'s>(&'s self, terms: &'s RoleTerms) -> Sts<'s> {
        let own = self.sts.sts();
        Sts {
            session_name: terms.session_name.as_deref().unwrap_or(own.session_name),
            duration: terms.duration.unwrap_or(own.duration),
            ..own
        }
    }

    fn unusable(&self, cause: Cause) -> Error {
        Error::new(self.call_info(), cause.into(), 0)
    }
}

/// The rest of an id is nobody's to read in a log. What looks like none may be the secret, in its place.
fn shown(id: &str) -> String {
    match id.starts_with("LTAI") || id.starts_with("STS.") {
        true => format!("access key {}...", id.chars().take(SHOWN).collect::<String>()),
        false => String::from("access key of an unusual form"),
    }
}

const SHOWN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody may take the id for the secret, and the secret for the id.
    #[test]
    fn of_what_is_no_id_nothing_is_shown() {
        for (id, expected) in [
            ("LTAI5tCANARYid", "access key LTAI5tCA..."),
            ("STS.NUCANARYid", "access key STS.NUCA..."),
            ("CANARYsecret", "access key of an unusual form"),
        ] {
            assert_eq!(shown(id), expected);
        }
    }
}
