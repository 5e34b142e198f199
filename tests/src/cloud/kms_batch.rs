//! KMS: `BatchGetSecretValue`, in which each secret has an answer or an error of its own.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::account::Principal;
use super::call::Call;
use super::fault::{Effect, PartsChange};
use super::kms::{self, AskedSecret};
use super::refusal::Refusal;
use super::route::Route;
use super::state::State;

const MOST_SECRETS: usize = 20;

/// One element of the parameter `SecretsList`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Element {
    #[serde(default)]
    secret_name: String,
    #[serde(default)]
    version_id: Option<String>,
    #[serde(default)]
    version_stage: Option<String>,
    /// A text here, where `GetSecretValue` has a boolean.
    #[serde(default)]
    fetch_extended_config: Option<String>,
}

pub(crate) fn secret_values(
    state: &State,
    call: &Call,
    route: &Route,
    caller: &Principal,
    effect: Option<&Effect>,
) -> Result<Value, Refusal> {
    let list = call.parameter("SecretsList").ok_or_else(|| kms::missing("SecretsList"))?;
    let list: Vec<Element> = serde_json::from_str(list).map_err(|_| kms::invalid("SecretsList"))?;
    if list.is_empty() || list.len() > MOST_SECRETS {
        return Err(kms::invalid("SecretsList"));
    }
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for element in &list {
        let extended = element.fetch_extended_config.as_deref();
        let asked = AskedSecret {
            name: Some(&element.secret_name),
            version_id: element.version_id.as_deref(),
            version_stage: element.version_stage.as_deref(),
            extended_config: extended.is_some_and(|text| text.eq_ignore_ascii_case("true")),
        };
        let ordered = match effect {
            Some(Effect::PartRefused { name, status, code, message })
                if *name == element.secret_name =>
            {
                Some(Refusal::kms(*status, code, message))
            }
            _ => None,
        };
        match ordered.map_or_else(|| kms::found(state, &asked, route, caller), Err) {
            Ok(value) => values.push(value),
            Err(refusal) => errors.push(json!({
                "SecretName": element.secret_name,
                "Code": refusal.code,
                "HttpStatus": refusal.status,
                "Message": refusal.message,
            })),
        }
    }
    let mut body = json!({ "SecretValues": values, "Errors": errors });
    if let Some(Effect::Parts { change }) = effect {
        let place = format!("acs:kms:{}:{}:secret/", route.region, caller.account);
        let asked: Vec<&str> = list.iter().map(|element| element.secret_name.as_str()).collect();
        changed(&mut body, *change, &asked, &place)?;
    }
    Ok(body)
}

/// What no document says of an answer, done in one way or the other, and what an answer must not be.
fn changed(
    body: &mut Value,
    change: PartsChange,
    asked: &[&str],
    place: &str,
) -> Result<(), Refusal> {
    let whole = body.get("Errors").and_then(|errors| errors.get(0)).and_then(Refusal::of_part);
    let Value::Object(fields) = body else { return Ok(()) };
    match change {
        PartsChange::RefusedWhole => {
            if let Some(refusal) = whole {
                return Err(refusal);
            }
        }
        PartsChange::Reversed => parts(fields).for_each(|parts| parts.reverse()),
        PartsChange::ByArn => rename(fields, |name| match name.starts_with("acs:kms:") {
            true => name.to_owned(),
            false => format!("{place}{name}"),
        }),
        PartsChange::AsAsked => rename(fields, |name| {
            let own = |asked: &&&str| asked.rsplit(":secret/").next() == Some(name);
            asked.iter().find(own).map_or(name, |asked| asked).to_owned()
        }),
        PartsChange::ByName => {
            rename(fields, |name| name.rsplit(":secret/").next().unwrap_or_default().to_owned());
        }
        PartsChange::OneMissing => {
            if let Some(values) = parts(fields).next() {
                values.pop();
            }
        }
        PartsChange::OneTwice => {
            if let Some(values) = parts(fields).next() {
                values.extend(values.first().cloned());
            }
        }
        PartsChange::OneMore => {
            if let Some(values) = parts(fields).next() {
                let mut more = values.first().cloned().unwrap_or_default();
                set(&mut more, "SecretName", json!("another/secret"));
                values.push(more);
            }
        }
        PartsChange::OtherName => {
            if let Some(part) = parts(fields).next().and_then(|values| values.first_mut()) {
                set(part, "SecretName", json!("another/secret"));
            }
        }
        PartsChange::OtherVersion => {
            if let Some(part) = parts(fields).next().and_then(|values| values.first_mut()) {
                set(part, "VersionId", json!("another-version"));
                set(part, "VersionStages", json!({ "VersionStage": ["ACSPrevious"] }));
            }
        }
        PartsChange::WithoutErrors => {
            fields.remove("Errors");
        }
    }
    Ok(())
}

/// The lists of the answer, the values first.
fn parts(fields: &mut Map<String, Value>) -> impl Iterator<Item = &mut Vec<Value>> {
    let mut lists: Vec<_> = fields.iter_mut().collect();
    lists.sort_by_key(|(name, _)| *name != "SecretValues");
    lists.into_iter().filter_map(|(_, list)| list.as_array_mut())
}

fn rename(fields: &mut Map<String, Value>, new: impl Fn(&str) -> String) {
    for part in parts(fields).flatten() {
        let name = part["SecretName"].as_str().map(&new).unwrap_or_default();
        set(part, "SecretName", json!(name));
    }
}

fn set(part: &mut Value, field: &str, value: Value) {
    if let Value::Object(part) = part {
        part.insert(field.to_owned(), value);
    }
}
