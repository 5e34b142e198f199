//! OOS: `GetSecretParameter`, `GetParameter`, `GetSecretParameters`.

use serde_json::{Map, Value, json};

use super::account::Principal;
use super::call::Call;
use super::clock;
use super::refusal::Refusal;
use super::route::{CalledService, Route};
use super::seed::ParameterKind;
use super::state::State;

const MOST_NAMES: usize = 10;

pub(crate) fn secret_parameter(
    state: &State,
    call: &Call,
    route: &Route,
    caller: &Principal,
) -> Result<Value, Refusal> {
    let name = name(call, 180)?;
    allowed(state, call, route, caller, "oos:GetSecretParameter", name)?;
    let parameter = shown(state, call, route, caller, true, name)?.ok_or_else(not_found)?;
    Ok(json!({ "Parameter": parameter }))
}

pub(crate) fn parameter(
    state: &State,
    call: &Call,
    route: &Route,
    caller: &Principal,
) -> Result<Value, Refusal> {
    let name = name(call, 200)?;
    let resource = format!("acs:oos:{}:{}:parameter/{name}", route.region, caller.account);
    if !state.allows(caller, "oos:GetParameter", &resource) {
        return Err(Refusal::denied(CalledService::Oos, &resource));
    }
    let parameter = shown(state, call, route, caller, false, name)?.ok_or_else(not_found)?;
    Ok(json!({ "Parameter": parameter }))
}

/// Names that do not exist are no error: they come back in a list.
pub(crate) fn secret_parameters(
    state: &State,
    call: &Call,
    route: &Route,
    caller: &Principal,
) -> Result<Value, Refusal> {
    let names = call.parameter("Names").ok_or_else(|| Refusal::missing("Names"))?;
    let names: Vec<String> = serde_json::from_str(names).map_err(|_| invalid("Names"))?;
    if names.is_empty() || names.len() > MOST_NAMES {
        return Err(invalid("Names"));
    }
    let (mut parameters, mut unknown) = (Vec::new(), Vec::new());
    for name in names {
        allowed(state, call, route, caller, "oos:GetSecretParameters", &name)?;
        match shown(state, call, route, caller, true, &name)? {
            Some(parameter) => parameters.push(parameter),
            None => unknown.push(name),
        }
    }
    Ok(json!({ "Parameters": parameters, "InvalidParameters": unknown }))
}

/// Decryption needs the permission to read the KMS secret behind the parameter as well.
fn allowed(
    state: &State,
    call: &Call,
    route: &Route,
    caller: &Principal,
    action: &str,
    name: &str,
) -> Result<(), Refusal> {
    let (region, account) = (&route.region, &caller.account);
    let resource = format!("acs:oos:{region}:{account}:secretparameter/{name}");
    let behind = format!("acs:kms:{region}:{account}:secret/{name}");
    let may_decrypt =
        || !call.flag("WithDecryption") || state.allows(caller, "kms:GetSecretValue", &behind);
    if state.allows(caller, action, &resource) && may_decrypt() {
        Ok(())
    } else {
        Err(Refusal::denied(CalledService::Oos, &resource))
    }
}

fn shown(
    state: &State,
    call: &Call,
    route: &Route,
    caller: &Principal,
    encrypted: bool,
    name: &str,
) -> Result<Option<Value>, Refusal> {
    let number: Option<usize> =
        match call.parameter("ParameterVersion").filter(|text| !text.is_empty()) {
            Some(text) => Some(text.parse().map_err(|_| invalid("ParameterVersion"))?),
            None => None,
        };
    if number.is_some_and(|number| !(1..=100).contains(&number)) {
        return Err(invalid("ParameterVersion"));
    }
    let key = (route.region.clone(), encrypted, name.to_owned());
    let parameter =
        state.accounts.get(&caller.account).and_then(|account| account.parameters.get(&key));
    let Some(parameter) = parameter else {
        return Ok(None);
    };
    let Some((number, value)) = parameter.version(number) else {
        return Ok(None);
    };
    let mut body = Map::new();
    let mut set = |key: &str, value: Value| body.insert(key.to_owned(), value);
    let kind = match parameter.kind {
        ParameterKind::Secret => "Secret",
        ParameterKind::String => "String",
        ParameterKind::StringList => "StringList",
    };
    set("Name", json!(parameter.name));
    set("Type", json!(kind));
    set("ParameterVersion", json!(number));
    set("CreatedBy", json!(format!("root({})", caller.account)));
    set("CreatedDate", json!(clock::write(parameter.created)));
    set("UpdatedDate", json!(clock::write(parameter.created)));
    set("ShareType", json!("Private"));
    set("Tags", json!({}));
    if !encrypted || call.flag("WithDecryption") {
        set("Value", json!(value.expose()));
    }
    Ok(Some(Value::Object(body)))
}

/// The rule in the documentation leaves `/` out and its own examples use it.
fn name(call: &Call, longest: usize) -> Result<&str, Refusal> {
    let name = call
        .parameter("Name")
        .filter(|name| !name.is_empty())
        .ok_or_else(|| Refusal::missing("Name"))?;
    let good = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_/".contains(c));
    if good && name.len() <= longest { Ok(name) } else { Err(invalid("Name")) }
}

fn not_found() -> Refusal {
    Refusal::new(404, "EntityNotExists.Parameter", "The specified parameter does not exist.")
}

fn invalid(parameter: &str) -> Refusal {
    Refusal::new(
        400,
        "InvalidParameter",
        &format!("The specified parameter \"{parameter}\" is not valid."),
    )
}
