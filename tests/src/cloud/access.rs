//! The checks of the gateway on the caller, before a service sees the call.

use time::OffsetDateTime;

use super::account::{Principal, Who};
use super::call::Call;
use super::clock;
use super::config::Rules;
use super::hidden::Hidden;
use super::nonces::LARGEST_SKEW;
use super::refusal::Refusal;
use super::state::State;
use super::{verify_v1, verify_v3};

/// What faults change about the check.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now: OffsetDateTime,
    /// Treat a temporary credential as expired.
    pub(crate) expired: bool,
}

enum Claim {
    V3(verify_v3::ClaimV3),
    V1(verify_v1::ClaimV1),
}

impl Claim {
    fn of(call: &Call) -> Result<Self, Refusal> {
        if let Some(claim) = verify_v3::ClaimV3::of(call)? {
            return Ok(Self::V3(claim));
        }
        let claim = verify_v1::ClaimV1::of(call)?.ok_or_else(|| Refusal::missing("AccessKeyId"))?;
        Ok(Self::V1(claim))
    }

    fn access_key_id(&self) -> &str {
        match self {
            Self::V3(claim) => &claim.access_key_id,
            Self::V1(claim) => &claim.access_key_id,
        }
    }

    fn is_signed_with(&self, call: &Call, secret: &str) -> bool {
        match self {
            Self::V3(claim) => claim.is_signed_with(call, secret),
            Self::V1(claim) => claim.is_signed_with(call, secret),
        }
    }

    fn date<'a>(&self, call: &'a Call) -> &'a str {
        match self {
            Self::V3(_) => call.header("x-acs-date"),
            Self::V1(_) => call.parameter("Timestamp"),
        }
        .unwrap_or_default()
    }

    fn nonce<'a>(&'a self, call: &'a Call) -> &'a str {
        match self {
            Self::V3(_) => call.header("x-acs-signature-nonce").unwrap_or_default(),
            Self::V1(claim) => &claim.nonce,
        }
    }

    fn token<'a>(&self, call: &'a Call) -> Option<&'a str> {
        match self {
            Self::V3(_) => call.header("x-acs-security-token"),
            Self::V1(_) => call.parameter("SecurityToken"),
        }
    }
}

/// The id that the call claims to be signed with; for the journal.
pub(crate) fn claimed_key(call: &Call) -> Option<String> {
    Claim::of(call).ok().map(|claim| claim.access_key_id().to_owned())
}

pub(crate) fn authenticate(
    state: &mut State,
    call: &Call,
    rules: &Rules,
    moment: Moment,
) -> Result<Principal, Refusal> {
    let claim = Claim::of(call)?;
    let date = clock::read(claim.date(call)).ok_or_else(|| {
        Refusal::new(
            400,
            "InvalidTimeStamp.Format",
            "Specified time stamp or date value is not well formatted.",
        )
    })?;
    if (moment.now - date).abs() > LARGEST_SKEW {
        return Err(Refusal::new(
            400,
            "InvalidTimeStamp.Expired",
            "Specified time stamp or date value is expired.",
        ));
    }
    let (secret, principal) = credential(state, &claim, call, rules, moment)?;
    if !claim.is_signed_with(call, secret.expose()) {
        let mut message = "Specified signature is not matched with our calculation.".to_owned();
        if let Claim::V1(_) = claim {
            message += &format!(" server string to sign is:{}", verify_v1::string_to_sign(call));
        }
        return Err(Refusal::new(rules.mismatch_status, "SignatureDoesNotMatch", &message));
    }
    // After the signature: nobody can use up the nonces of others.
    if !state.nonces.first_use(claim.access_key_id(), claim.nonce(call), moment.now) {
        return Err(Refusal::new(
            400,
            "SignatureNonceUsed",
            "Specified signature nonce was used already.",
        ));
    }
    Ok(principal)
}

fn credential(
    state: &State,
    claim: &Claim,
    call: &Call,
    rules: &Rules,
    moment: Moment,
) -> Result<(Hidden, Principal), Refusal> {
    let id = claim.access_key_id();
    let token = claim.token(call).filter(|token| !token.is_empty());
    if id.starts_with("STS.") {
        let token = token.ok_or_else(|| Refusal::missing("SecurityToken"))?;
        let session = state.session(id).ok_or_else(unknown_key)?;
        if session.token.expose() != token {
            return Err(Refusal::new(
                400,
                "InvalidSecurityToken.MismatchWithAccessKey",
                "Specified SecurityToken mismatch with the AccessKey.",
            ));
        }
        if moment.expired || session.expires <= moment.now {
            return Err(expired(&rules.expired_code));
        }
        return Ok((session.secret.clone(), session.principal.clone()));
    }
    for (account, contents) in &state.accounts {
        if let Some(user) = contents.users.iter().find(|user| user.access_key_id == id) {
            let principal =
                Principal { account: account.clone(), who: Who::User(user.name.clone()) };
            return Ok((user.access_key_secret.clone(), principal));
        }
    }
    Err(unknown_key())
}

fn unknown_key() -> Refusal {
    Refusal::new(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
}

fn expired(code: &str) -> Refusal {
    match code {
        "InvalidAccessKeyId.NotFound" => unknown_key(),
        "InvalidParameter" => Refusal::new(
            400,
            code,
            "The specified parameter \"SecurityToken.Expired\" is not valid.",
        ),
        _ => Refusal::new(400, code, "Specified SecurityToken is expired."),
    }
}
