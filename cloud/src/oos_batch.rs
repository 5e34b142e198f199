//! OOS `GetSecretParameters`: several secret parameters in one call, each in its newest version.

use secret::Sensitive;
use serde::Deserialize;

use crate::cause::Malformed;
use crate::envelope::{misplaced_refusal, unreadable};
use crate::lenient_json::{Few, Object, Word};
use crate::oos::Parameter;
use crate::parts::{AnsweredParts, Part, PartsOf};
use crate::response::ReadError;
use crate::sign::Api;

pub(crate) const GET_SECRET_PARAMETERS: Api =
    Api { action: "GetSecretParameters", version: "2019-06-01" };

/// Parameters of one call.
pub(crate) const MOST: usize = 10;

/// The names, as the call has them.
pub(crate) fn list(names: &[&str]) -> String {
    // Texts are written into a text: nothing can fail.
    serde_json::to_string(names).unwrap_or_default()
}

pub(crate) fn parameters<'a>(list: &'a str, region: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![("Names", list), ("RegionId", region), ("WithDecryption", "true")]
}

/// What came for each of these names, in their order. An answer counts only whole. `sent` are the secrets
/// of the request.
pub(crate) fn read(
    body: &[u8],
    names: &[&str],
    sent: &[&Sensitive],
) -> Result<AnsweredParts, ReadError> {
    let Object(answer): Object<BatchAnswer> =
        serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    if answer.parameters.is_none() && answer.invalid_parameters.is_none() {
        let refusal = misplaced_refusal(answer.code.as_deref());
        let cause = refusal.unwrap_or(Malformed::Missing("Parameters").into());
        return Err(ReadError::holding(cause, []));
    }
    let find = |answered: Option<&str>| {
        let answered = answered.ok_or(Malformed::Missing("Name"))?;
        let at = names.iter().position(|name| *name == answered);
        let found = at.and_then(|at| Some((at, *names.get(at)?)));
        found.ok_or(Malformed::OtherNames)
    };
    let mut parts = PartsOf::new(names.len());
    for Object(parameter) in answer.parameters.into_iter().flat_map(|Few(parameters)| parameters) {
        let (at, name) = find(parameter.name())?;
        // Without a value it is one that may not be decrypted: its own call says so.
        let part = match parameter.into_value(name, None).map_err(ReadError::silent)? {
            Some(value) => Part::Value(Box::new(value)),
            None => Part::Missing,
        };
        parts.fill(at, part)?;
    }
    for Word(name) in answer.invalid_parameters.into_iter().flat_map(|Few(names)| names) {
        let (at, _) = find(name.as_deref())?;
        parts.fill(at, Part::Missing)?;
    }
    parts.whole(answer.request_id.and_then(|Word(id)| id), body, sent)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchAnswer {
    parameters: Option<Few<Object<Parameter>, MOST>>,
    invalid_parameters: Option<Few<Word, MOST>>,
    request_id: Option<Word>,
    code: Option<String>,
}

#[cfg(test)]
mod tests;
