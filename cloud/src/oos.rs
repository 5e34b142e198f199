//! OOS `GetSecretParameter` and `GetParameter`: parameters and answer.

use serde::Deserialize;

use crate::cause::{Cause, Malformed};
use crate::envelope::{identifier, misplaced_refusal, unreadable};
use crate::kms::About;
use crate::sign::Api;
use crate::value::{Text, Value, within_limit};

pub(crate) const GET_SECRET_PARAMETER: Api =
    Api { action: "GetSecretParameter", version: "2019-06-01" };
pub(crate) const GET_PARAMETER: Api = Api { action: "GetParameter", version: "2019-06-01" };

/// Whether the parameter is stored encrypted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Secret,
    Plain,
}

pub(crate) fn secret_parameters<'a>(
    name: &'a str,
    version: Option<&'a str>,
    region: &'a str,
) -> Vec<(&'static str, &'a str)> {
    let mut parameters = vec![("Name", name), ("RegionId", region), ("WithDecryption", "true")];
    parameters.extend(version.map(|version| ("ParameterVersion", version)));
    parameters
}

pub(crate) fn plain_parameters<'a>(name: &'a str, region: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![("Name", name), ("RegionId", region)]
}

pub(crate) fn read(body: &[u8], kind: Kind) -> Result<Value, Cause> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let Some(parameter) = answer.parameter else {
        let refusal = misplaced_refusal(answer.code.as_deref());
        return Err(refusal.unwrap_or(Malformed::Missing("Parameter").into()));
    };
    let Some(Text(bytes)) = parameter.value else {
        // Decryption was asked for: without the right to decrypt the field stays away.
        return Err(match kind {
            Kind::Secret => Cause::Undecrypted,
            Kind::Plain => Malformed::Missing("Value").into(),
        });
    };
    let version = parameter.parameter_version.ok_or(Malformed::Missing("ParameterVersion"))?;
    Ok(Value {
        bytes: within_limit(bytes)?,
        version: version.to_string(),
        request_id: answer.request_id.as_deref().and_then(|id| identifier(id, &[])),
        about: About::default(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    parameter: Option<Parameter>,
    request_id: Option<String>,
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    value: Option<Text>,
    parameter_version: Option<u32>,
}
