//! RRSA: the Pod's ServiceAccount token is exchanged for the credentials of a RAM role, which trusts
//! the cluster's OIDC provider.

use std::io;

use secret::Sensitive;
use tokio::time::Instant;

use crate::call::{Call, WithOidc};
use crate::call_info::CallInfo;
use crate::error::Error;
use crate::keys::Credentials;
use crate::sender::Sender;
use crate::sts::{self, Sts, Token, TokenProblem};

pub struct RrsaProvider {
    role: RrsaRole,
    token: Box<dyn Fn() -> io::Result<Sensitive> + Send + Sync>,
}

/// The RAM role, and who vouches for the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RrsaRole {
    pub sts_endpoint: String,
    pub role_arn: String,
    pub oidc_provider_arn: String,
    pub session_name: String,
    /// Lifetime of the credentials in seconds.
    pub duration: u32,
}

impl RrsaProvider {
    /// `token` is called at each exchange, because the kubelet replaces the file.
    pub fn new(
        role: RrsaRole,
        token: impl Fn() -> io::Result<Sensitive> + Send + Sync + 'static,
    ) -> Self {
        Self { role, token: Box::new(token) }
    }

    pub(crate) async fn credentials(
        &self,
        sender: &Sender,
        until: Instant,
    ) -> Result<Credentials, Error> {
        let raw = (self.token)()
            .map_err(|error| self.bad_token(TokenProblem::Unreadable(error.kind())))?;
        let token = Token::new(&raw).map_err(|problem| self.bad_token(problem))?;
        let RrsaRole { sts_endpoint, role_arn, oidc_provider_arn, session_name, duration } =
            &self.role;
        let call = Call::Exchange(WithOidc {
            endpoint: sts_endpoint,
            role_arn,
            oidc_provider_arn,
            session_name,
            duration: *duration,
            token: &token,
        });
        let expected = (role_arn.as_str(), session_name.as_str());
        let read =
            |body: &[u8], date| sts::read(body, expected, sender.times_at(sts_endpoint, date));
        Ok(sender.send(&call, until, read).await?.content)
    }

    pub(crate) fn call_info(&self) -> CallInfo {
        CallInfo::of_exchange(&self.role.sts_endpoint, &self.role.role_arn)
    }

    pub(crate) fn sts(&self) -> Sts<'_> {
        let RrsaRole { sts_endpoint, session_name, duration, .. } = &self.role;
        Sts { endpoint: sts_endpoint, session_name, duration: *duration }
    }

    fn bad_token(&self, problem: TokenProblem) -> Error {
        Error::new(self.call_info(), problem.into(), 0)
    }
}
