//! KMS: `GetSecretValue`.

use serde_json::{Map, Value, json};

use super::account::Principal;
use super::call::Call;
use super::clock;
use super::refusal::Refusal;
use super::route::{CalledService, Route};
use super::seed::{SecretKind, SecretState};
use super::state::State;
use super::store::{CURRENT, PREVIOUS, Secret, Version};

const LONGEST_NAME: usize = 192;

/// A secret and its version as a call names them.
pub(crate) struct AskedSecret<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) version_id: Option<&'a str>,
    pub(crate) version_stage: Option<&'a str>,
    pub(crate) extended_config: bool,
}

pub(crate) fn secret_value(
    state: &State,
    call: &Call,
    route: &Route,
    caller: &Principal,
) -> Result<Value, Refusal> {
    if call.parameter("Recipient").is_some_and(|recipient| !recipient.is_empty()) {
        return Err(Refusal::kms(
            400,
            "UnsupportedOperation",
            "The specified operation is not supported.",
        ));
    }
    let filled = |name| call.parameter(name).filter(|value| !value.is_empty());
    let asked = AskedSecret {
        name: call.parameter("SecretName"),
        version_id: filled("VersionId"),
        version_stage: filled("VersionStage"),
        extended_config: call.flag("FetchExtendedConfig"),
    };
    let answer = found(state, &asked, route, caller);
    if !call.flag("DryRun") {
        return answer;
    }
    // A dry run always fails; the code says how the real call would have ended.
    Err(match answer {
        Ok(_) => Refusal::kms(400, "DryRunOperationError", "The request would have succeeded."),
        Err(refusal) if refusal.code == "Forbidden.NoPermission" => {
            Refusal::kms(400, "AccessDeniedError", "The request would have been denied.")
        }
        Err(refusal) => Refusal::kms(400, "ValidationError", &refusal.message),
    })
}

pub(crate) fn found(
    state: &State,
    asked: &AskedSecret<'_>,
    route: &Route,
    caller: &Principal,
) -> Result<Value, Refusal> {
    let name = asked.name.filter(|name| !name.is_empty()).ok_or_else(|| missing("SecretName"))?;
    let (account, region, name) = match name.strip_prefix("acs:kms:") {
        Some(rest) => arn(rest).ok_or_else(|| invalid("SecretName"))?,
        None => (caller.account.as_str(), route.region.as_str(), name),
    };
    if name.len() > LONGEST_NAME
        || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_/+=.-@".contains(c))
    {
        return Err(invalid("SecretName"));
    }
    let resource = format!("acs:kms:{region}:{account}:secret/{name}");
    if account != caller.account || !state.allows(caller, "kms:GetSecretValue", &resource) {
        return Err(Refusal::denied(CalledService::Kms, &resource));
    }
    // Temporary credentials need no permission for the key at the shared gateway.
    let key = format!("acs:kms:{region}:{account}:key/default");
    let needs_key = route.dedicated || matches!(caller.who, super::account::Who::User(_));
    if needs_key && !state.allows(caller, "kms:Decrypt", &key) {
        return Err(Refusal::denied(CalledService::Kms, &key));
    }
    let secrets = state.accounts.get(account).map(|contents| &contents.secrets);
    let secret = secrets
        .filter(|_| region == route.region)
        .and_then(|secrets| secrets.get(&(region.to_owned(), name.to_owned())))
        .ok_or_else(not_found)?;
    usable(secret)?;
    Ok(body(secret, version(secret, asked)?, asked))
}

fn usable(secret: &Secret) -> Result<(), Refusal> {
    let (code, message) = match secret.state {
        SecretState::Active => return Ok(()),
        SecretState::KeyDisabled => {
            ("Rejected.Disabled", "The request was rejected because the key state is Disabled.")
        }
        SecretState::KeyPendingDeletion => (
            "Rejected.PendingDeletion",
            "The request was rejected because the key state is PendingDeletion.",
        ),
        SecretState::DeleteWindow => (
            "Rejected.ResourceInDeleteWindow",
            "The request was rejected because the resource is in delete window.",
        ),
    };
    Err(Refusal::kms(409, code, message))
}

fn version<'a>(secret: &'a Secret, asked: &AskedSecret<'_>) -> Result<&'a Version, Refusal> {
    let stage = asked.version_stage;
    if secret.kind != SecretKind::Generic {
        let stage = stage.unwrap_or(CURRENT);
        if stage != CURRENT && stage != PREVIOUS {
            return Err(invalid("VersionStage"));
        }
        return secret.by_stage(stage).ok_or_else(not_found);
    }
    match (asked.version_id, stage) {
        (Some(id), Some(stage)) => {
            let version = secret.by_id(id).ok_or_else(not_found)?;
            if version.stages.contains(stage) { Ok(version) } else { Err(invalid("VersionStage")) }
        }
        (Some(id), None) => secret.by_id(id).ok_or_else(not_found),
        (None, stage) => secret.by_stage(stage.unwrap_or(CURRENT)).ok_or_else(not_found),
    }
}

fn body(secret: &Secret, version: &Version, asked: &AskedSecret<'_>) -> Value {
    let mut body = Map::new();
    let mut set = |key: &str, value: Value| body.insert(key.to_owned(), value);
    set("SecretName", json!(secret.name));
    set("VersionId", json!(version.id));
    set("SecretData", json!(version.data.expose()));
    set("SecretDataType", json!(if version.binary { "binary" } else { "text" }));
    set("SecretType", json!(format!("{:?}", secret.kind)));
    set("VersionStages", json!({ "VersionStage": version.stages }));
    set("CreateTime", json!(clock::write(secret.created)));
    if secret.kind != SecretKind::Generic {
        set("AutomaticRotation", json!("Disabled"));
        if let Some(config) = secret.extended_config.as_ref().filter(|_| asked.extended_config) {
            set("ExtendedConfig", json!(config));
        }
    }
    Value::Object(body)
}

/// Account, region and name out of `REGION:ACCOUNT:secret/NAME`.
fn arn(rest: &str) -> Option<(&str, &str, &str)> {
    let (region, rest) = rest.split_once(':')?;
    let (account, resource) = rest.split_once(':')?;
    Some((account, region, resource.strip_prefix("secret/")?))
}

fn not_found() -> Refusal {
    Refusal::kms(404, "Forbidden.ResourceNotFound", "Resource not found.")
}

pub(crate) fn missing(parameter: &str) -> Refusal {
    let message = format!("The parameter \"{parameter}\" is needed but not provided.");
    Refusal::kms(400, "MissingParameter", &message)
}

pub(crate) fn invalid(parameter: &str) -> Refusal {
    Refusal::kms(
        400,
        "InvalidParameter",
        &format!("The specified parameter \"{parameter}\" is not valid."),
    )
}
