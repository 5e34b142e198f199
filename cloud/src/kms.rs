//! KMS `GetSecretValue`: parameters and answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::cause::{Cause, Malformed};
use crate::envelope::{identifier, misplaced_refusal, unreadable};
use crate::sensitive::Sensitive;
use crate::sign::Api;
use crate::value::{Text, Value, label, within_limit};

pub(crate) const GET_SECRET_VALUE: Api = Api { action: "GetSecretValue", version: "2016-01-20" };

pub(crate) fn parameters<'a>(
    name: &'a str,
    version_id: Option<&'a str>,
    version_stage: Option<&'a str>,
) -> Vec<(&'static str, &'a str)> {
    let mut parameters = vec![("SecretName", name)];
    parameters.extend(version_id.map(|id| ("VersionId", id)));
    parameters.extend(version_stage.map(|stage| ("VersionStage", stage)));
    parameters
}

/// All types of secrets (generic, database, RAM, ECS) come in the same field.
pub(crate) fn read(body: &[u8]) -> Result<Value, Cause> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let Some(Text(data)) = answer.secret_data else {
        let refusal = misplaced_refusal(answer.code.as_deref());
        return Err(refusal.unwrap_or(Malformed::Missing("SecretData").into()));
    };
    let bytes = match answer.secret_data_type.as_deref() {
        Some("text") => data,
        Some("binary") => {
            let decoded = STANDARD.decode(data.expose());
            Sensitive::new(decoded.map_err(|_| Malformed::Invalid("SecretData (base64)"))?)
        }
        Some(_) => return Err(Malformed::Invalid("SecretDataType").into()),
        None => return Err(Malformed::Missing("SecretDataType").into()),
    };
    let version = answer.version_id.ok_or(Malformed::Missing("VersionId"))?;
    Ok(Value {
        bytes: within_limit(bytes)?,
        version: label(version, "VersionId")?,
        request_id: answer.request_id.as_deref().and_then(|id| identifier(id, &[])),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    secret_data: Option<Text>,
    secret_data_type: Option<String>,
    version_id: Option<String>,
    request_id: Option<String>,
    code: Option<String>,
}
