//! How STS gives the credentials of a role: for a token, or for keys.

use tokio::time::Instant;

use crate::call::{AssumeRole, Call, WithOidc};
use crate::error::Error;
use crate::keys::Credentials;
use crate::sender::Sender;
use crate::sts::{self, Sts, Token};

/// How STS is asked for a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsSession {
    pub endpoint: String,
    pub session_name: String,
    /// Lifetime of the credentials in seconds.
    pub duration: u32,
}

/// The RAM role, and who vouches for the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcRole {
    pub role_arn: String,
    pub oidc_provider_arn: String,
}

impl StsSession {
    pub(super) fn sts(&self) -> Sts<'_> {
        let Self { endpoint, session_name, duration } = self;
        Sts { endpoint, session_name, duration: *duration }
    }
}

/// A token is exchanged for the credentials of a role.
pub(super) async fn exchange(
    sender: &Sender,
    sts: &Sts<'_>,
    role: &OidcRole,
    token: &Token,
    until: Instant,
) -> Result<Credentials, Error> {
    let OidcRole { role_arn, oidc_provider_arn } = role;
    let Sts { endpoint, session_name, duration } = *sts;
    let call = Call::Exchange(WithOidc {
        endpoint,
        role_arn,
        oidc_provider_arn,
        session_name,
        duration,
        token,
    });
    answered(sender, &call, sts, role_arn, until).await
}

/// Keys are exchanged for the credentials of a role.
pub(super) async fn assume(
    sender: &Sender,
    call: AssumeRole<'_>,
    sts: &Sts<'_>,
    until: Instant,
) -> Result<Credentials, Error> {
    let role_arn = &call.role.role_arn;
    answered(sender, &Call::Assume(call), sts, role_arn, until).await
}

async fn answered(
    sender: &Sender,
    call: &Call<'_>,
    sts: &Sts<'_>,
    role_arn: &str,
    until: Instant,
) -> Result<Credentials, Error> {
    let expected = (role_arn, sts.session_name);
    let times = |date| sender.times_at(sts.endpoint, date);
    let read = |body: &[u8], date| sts::read(body, expected, times(date));
    Ok(sender.send(call, until, read).await?.content)
}
