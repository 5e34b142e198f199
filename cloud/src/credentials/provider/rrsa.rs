//! RRSA: the Pod's ServiceAccount token is exchanged for the credentials of a RAM role, which trusts
//! the cluster's OIDC provider.

use std::io;

use secret::Sensitive;
use tokio::time::Instant;

use super::sts_session::{OidcRole, StsSession, exchange};
use crate::call_info::CallInfo;
use crate::error::Error;
use crate::keys::Credentials;
use crate::sender::Sender;
use crate::sts::{Sts, Token, TokenProblem};

pub struct RrsaProvider {
    role: OidcRole,
    sts: StsSession,
    token: Box<dyn Fn() -> io::Result<Sensitive> + Send + Sync>,
}

impl RrsaProvider {
    /// `token` is called at each exchange, because the kubelet replaces the file.
    pub fn new(
        role: OidcRole,
        sts: StsSession,
        token: impl Fn() -> io::Result<Sensitive> + Send + Sync + 'static,
    ) -> Self {
        Self { role, sts, token: Box::new(token) }
    }

    pub(crate) async fn credentials(
        &self,
        sender: &Sender,
        until: Instant,
    ) -> Result<Credentials, Error> {
        let raw = (self.token)()
            .map_err(|error| self.bad_token(TokenProblem::Unreadable(error.kind())))?;
        let token = Token::new(&raw).map_err(|problem| self.bad_token(problem))?;
        exchange(sender, &self.sts(), &self.role, &token, until).await
    }

    pub(crate) fn call_info(&self) -> CallInfo {
        CallInfo::of_exchange(&self.sts.endpoint, &self.role.role_arn)
    }

    pub(crate) fn sts(&self) -> Sts<'_> {
        self.sts.sts()
    }

    fn bad_token(&self, problem: TokenProblem) -> Error {
        Error::new(self.call_info(), problem.into(), 0)
    }
}
