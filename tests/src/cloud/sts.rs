//! STS: `AssumeRoleWithOIDC`, `AssumeRole`, `GetCallerIdentity`.

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::account::{Principal, Provider, Who};
use super::call::Call;
use super::clock;
use super::glob;
use super::hidden::Hidden;
use super::jwt::{self, Claims, JwtError};
use super::refusal::Refusal;
use super::route::CalledService;
use super::seed::RoleSeed;
use super::state::{Session, State};

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Real ones are longer than any buffer one would guess.
const TOKEN_LENGTH: usize = 700;

struct RoleRequest<'a> {
    account: &'a str,
    role: &'a RoleSeed,
    session: &'a str,
    duration: Duration,
}

/// The answer, and who was made.
pub(crate) type Assumed = (Value, Principal);

pub(crate) fn assume_role_with_oidc(
    state: &mut State,
    call: &Call,
    now: OffsetDateTime,
) -> Result<Assumed, Refusal> {
    let provider_arn = needed(call, "OIDCProviderArn")?;
    let token = call.parameter("OIDCToken").ok_or_else(|| Refusal::missing("OIDCToken"))?;
    let role_arn = needed(call, "RoleArn")?;
    let session = session_name(call)?;
    let provider = provider(state, provider_arn)?;
    let claims = believed(provider, token, now)?;
    let request = role_request(state, call, role_arn, session)?;
    let trusted = request.role.trust.oidc.iter().any(|trust| {
        provider_arn == format!("acs:ram::{}:oidc-provider/{}", request.account, trust.provider)
            && glob::any(&trust.subjects, &claims.sub)
            && claims
                .audiences()
                .iter()
                .any(|audience| trust.audiences.iter().any(|one| one == audience))
    });
    if !trusted {
        return Err(Refusal::oidc("NoPermission", "There is no permission."));
    }
    let client_ids = claims.audiences().join(",");
    let (mut body, principal, id, given) = give(&request, now);
    if let Some(body) = body.as_object_mut() {
        body.insert(
            "OIDCTokenInfo".to_owned(),
            json!({
                "Subject": claims.sub,
                "Issuer": claims.iss,
                "ClientIds": client_ids,
                "ExpirationTime": clock::from_unix(claims.exp).map(clock::write),
                "IssuanceTime": claims.iat.and_then(clock::from_unix).map(clock::write),
                "VerificationInfo": "Success",
            }),
        );
    }
    state.open_session(id, given);
    Ok((body, principal))
}

pub(crate) fn assume_role(
    state: &mut State,
    call: &Call,
    caller: &Principal,
    now: OffsetDateTime,
) -> Result<Assumed, Refusal> {
    let role_arn = needed(call, "RoleArn")?;
    let session = session_name(call)?;
    let external_id = call.parameter("ExternalId");
    if external_id.is_some_and(|id| !is_external_id(id)) {
        return Err(invalid("ExternalId"));
    }
    if !state.allows(caller, "sts:AssumeRole", role_arn) {
        return Err(Refusal::denied(CalledService::Sts, role_arn));
    }
    let request = role_request(state, call, role_arn, session)?;
    let identity = caller.identity();
    let everyone = format!("acs:ram::{}:root", caller.account);
    let trusted = request.role.trust.callers.iter().any(|trust| {
        let named = trust.principals.iter().any(|one| *one == identity || *one == everyone);
        named && trust.external_id.as_deref().is_none_or(|wanted| external_id == Some(wanted))
    });
    if !trusted {
        return Err(Refusal::denied(CalledService::Sts, role_arn));
    }
    let (body, principal, id, given) = give(&request, now);
    state.open_session(id, given);
    Ok((body, principal))
}

pub(crate) fn caller_identity(caller: &Principal) -> Value {
    let kind = match caller.who {
        Who::User(_) => "RAMUser",
        Who::Role { .. } => "AssumedRoleUser",
    };
    json!({ "AccountId": caller.account, "Arn": caller.arn(), "IdentityType": kind })
}

fn provider<'a>(state: &'a State, arn: &str) -> Result<&'a Provider, Refusal> {
    let unknown = || Refusal::oidc("NoPermission", "No such OIDC Provider registered.");
    let (account, name) =
        ram_arn(arn, "oidc-provider/").ok_or_else(|| invalid("OIDCProviderArn"))?;
    let account = state.accounts.get(account).ok_or_else(unknown)?;
    account.providers.iter().find(|provider| provider.name == name).ok_or_else(unknown)
}

fn believed(provider: &Provider, token: &str, now: OffsetDateTime) -> Result<Claims, Refusal> {
    let refused = |code: &str, message| Refusal::oidc(&format!("OIDCToken.{code}"), message);
    if token.is_empty() {
        return Err(refused("Invalid", "The OIDCToken can not empty."));
    }
    if !(4..=20_000).contains(&token.len()) {
        return Err(refused("Invalid", "The length of OIDCToken is not valid."));
    }
    let unreadable = |error| match error {
        JwtError::NotThreeParts => {
            refused("Invalid", "The number of Jwt field should be divided into 3 parts with '.' .")
        }
        JwtError::Unreadable => refused("Invalid", "This JsonWebToken is not well formed."),
        JwtError::Algorithm => refused("Invalid", "This signature algorithm is not supported."),
        JwtError::Signature => refused("InvalidSignature", "Invalid signature."),
    };
    if jwt::claimed_issuer(token).map_err(unreadable)? != provider.issuer {
        return Err(refused("IssuerNotMatch", "Invalid issuer."));
    }
    let claims = provider.keys.verify(token).map_err(unreadable)?;
    let now = now.unix_timestamp();
    if claims.exp <= now {
        return Err(refused("Expired", "This JsonWebToken is expired."));
    }
    if claims.nbf.is_some_and(|from| from > now) {
        return Err(refused("Invalid", "This JsonWebToken is not valid yet."));
    }
    if !claims
        .audiences()
        .iter()
        .any(|audience| provider.client_ids.iter().any(|id| id == audience))
    {
        return Err(refused("AudienceNotMatch", "Invalid audience."));
    }
    Ok(claims)
}

fn role_request<'a>(
    state: &'a State,
    call: &'a Call,
    arn: &str,
    session: &'a str,
) -> Result<RoleRequest<'a>, Refusal> {
    let (account, name) = ram_arn(arn, "role/").ok_or_else(|| invalid("RoleArn"))?;
    let (account, contents) = state.accounts.get_key_value(account).ok_or_else(|| no_role(arn))?;
    let role = contents.role(name).ok_or_else(|| no_role(arn))?;
    let seconds: u32 = match call.parameter("DurationSeconds") {
        Some(text) => text.parse().map_err(|_| invalid("DurationSeconds"))?,
        None => 3600.min(role.max_session_seconds),
    };
    if !(900..=role.max_session_seconds).contains(&seconds) {
        return Err(invalid("DurationSeconds"));
    }
    Ok(RoleRequest { account, role, session, duration: Duration::seconds(i64::from(seconds)) })
}

fn give(request: &RoleRequest<'_>, now: OffsetDateTime) -> (Value, Principal, String, Session) {
    let who = Who::Role { name: request.role.name.clone(), session: request.session.to_owned() };
    let principal = Principal { account: request.account.to_owned(), who };
    let id = format!("STS.{}", random(25));
    let secret = random(44);
    let token = format!("CAIS{}==", random(TOKEN_LENGTH));
    let expires = now + request.duration;
    let body = json!({
        "AssumedRoleUser": {
            "Arn": principal.arn(),
            "AssumedRoleId": format!("3{}:{}", fastrand::u64(10_u64.pow(16)..10_u64.pow(17)), request.session),
        },
        "Credentials": {
            "AccessKeyId": id,
            "AccessKeySecret": secret,
            "SecurityToken": token,
            "Expiration": clock::write(expires),
        },
    });
    let session = Session {
        secret: Hidden::from(secret),
        token: Hidden::from(token),
        expires,
        principal: principal.clone(),
    };
    (body, principal, id, session)
}

fn needed<'a>(call: &'a Call, name: &str) -> Result<&'a str, Refusal> {
    call.parameter(name).filter(|value| !value.is_empty()).ok_or_else(|| Refusal::missing(name))
}

fn session_name(call: &Call) -> Result<&str, Refusal> {
    let name = needed(call, "RoleSessionName")?;
    let good = name.chars().all(|c| c.is_ascii_alphanumeric() || ".@-_".contains(c));
    if good && (2..=64).contains(&name.len()) { Ok(name) } else { Err(invalid("RoleSessionName")) }
}

fn is_external_id(id: &str) -> bool {
    (2..=1224).contains(&id.len())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c))
}

fn ram_arn<'a>(arn: &'a str, kind: &str) -> Option<(&'a str, &'a str)> {
    let (account, resource) = arn.strip_prefix("acs:ram::")?.split_once(':')?;
    let name = resource.strip_prefix(kind)?;
    (!name.is_empty() && account.chars().all(|c| c.is_ascii_digit())).then_some((account, name))
}

fn invalid(parameter: &str) -> Refusal {
    Refusal::new(
        400,
        &format!("InvalidParameter.{parameter}"),
        &format!("The specified parameter \"{parameter}\" is not valid."),
    )
}

fn no_role(arn: &str) -> Refusal {
    Refusal::new(404, "EntityNotExist.Role", &format!("The role not exists: {arn}"))
}

/// What the metadata service gives to a node whose instance has the role; `None` where it is none.
pub(crate) fn instance_credentials(
    state: &mut State,
    account: &str,
    role: &str,
    lifetime: i64,
    now: OffsetDateTime,
) -> Option<Value> {
    let (account, contents) = state.accounts.get_key_value(account)?;
    let role = contents.role(role)?;
    let duration = Duration::seconds(lifetime);
    let request = RoleRequest { account, role, session: "i-bp1emulated", duration };
    let (body, _, id, given) = give(&request, now);
    let mut credentials = body.get("Credentials")?.clone();
    let members = credentials.as_object_mut()?;
    members.insert("Code".to_owned(), json!("Success"));
    members.insert("LastUpdated".to_owned(), json!(clock::write(now)));
    state.open_session(id, given);
    Some(credentials)
}

pub(crate) fn random(length: usize) -> String {
    (0..length).filter_map(|_| fastrand::choice(ALPHABET)).map(|byte| char::from(*byte)).collect()
}
