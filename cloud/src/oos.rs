//! OOS `GetSecretParameter` and `GetParameter`: parameters and answer.

use secret::Metadata;
use serde::Deserialize;

use crate::cause::{Cause, Malformed};
use crate::envelope::{misplaced_refusal, unreadable};
use crate::lenient_json::{Number, Object};
use crate::matching;
use crate::response::ReadError;
use crate::sign::Api;
use crate::value::{SensitiveText, Value, within_limit};

pub(crate) const GET_SECRET_PARAMETER: Api =
    Api { action: "GetSecretParameter", version: "2019-06-01" };
pub(crate) const GET_PARAMETER: Api = Api { action: "GetParameter", version: "2019-06-01" };

/// Whether the parameter is stored encrypted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParameterKind {
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

pub(crate) fn read(
    body: &[u8],
    kind: ParameterKind,
    name: &str,
    version: Option<u32>,
) -> Result<Value, ReadError> {
    let Object(answer): Object<OosAnswer> =
        serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let Some(Object(parameter)) = answer.parameter else {
        let refusal = misplaced_refusal(answer.code.as_deref());
        let cause = refusal.unwrap_or(Malformed::Missing("Parameter").into());
        return Err(ReadError::holding(cause, []));
    };
    match parameter.into_value(name, version)? {
        Some(value) => Ok(Value { request_id: answer.request_id, ..value }),
        None => {
            // Decryption was asked for: without the right to decrypt the field stays away.
            let cause = match kind {
                ParameterKind::Secret => Cause::Undecrypted,
                ParameterKind::Plain => Malformed::Missing("Value").into(),
            };
            Err(ReadError::holding(cause, []))
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OosAnswer {
    parameter: Option<Object<Parameter>>,
    request_id: Option<String>,
    code: Option<String>,
}

/// What OOS says of one parameter.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Parameter {
    name: Option<String>,
    value: Option<SensitiveText>,
    parameter_version: Option<Number>,
}

impl Parameter {
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Its value, if it is what was asked for; `None` where there is none.
    pub(crate) fn into_value(
        mut self,
        name: &str,
        version: Option<u32>,
    ) -> Result<Option<Value>, ReadError> {
        let Some(SensitiveText(bytes)) = self.value.take() else { return Ok(None) };
        let checked = self.version(name, version).and_then(|version| {
            within_limit(&bytes)?;
            Ok(version)
        });
        match checked {
            Ok(version) => {
                let (version, metadata) = (version.to_string(), Metadata::default());
                Ok(Some(Value { bytes, encoded: None, version, request_id: None, metadata }))
            }
            Err(cause) => Err(ReadError::holding(cause, [bytes])),
        }
    }

    /// Its own, where it is the one that was asked for.
    fn version(&self, name: &str, version: Option<u32>) -> Result<u32, Cause> {
        let answered = self.parameter_version.as_ref();
        let Number(answered) = answered.ok_or(Malformed::Missing("ParameterVersion"))?;
        let answered = answered.ok_or(Malformed::Invalid("ParameterVersion"))?;
        matching::parameter((name, version), self.name.as_deref(), answered)?;
        Ok(answered)
    }
}
