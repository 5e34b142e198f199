//! KMS `GetSecretValue`: parameters and answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;

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
    let mut answer: Answer = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let Some(Text(data)) = answer.secret_data.take() else {
        let refusal = misplaced_refusal(answer.code.as_deref());
        return Err(refusal.unwrap_or(Malformed::Missing("SecretData").into()));
    };
    let (bytes, binary) = match answer.secret_data_type.as_deref() {
        Some("text") => (data, false),
        Some("binary") => {
            let decoded = STANDARD.decode(data.expose());
            let decoded = decoded.map_err(|_| Malformed::Invalid("SecretData (base64)"))?;
            (Sensitive::new(decoded), true)
        }
        Some(_) => return Err(Malformed::Invalid("SecretDataType").into()),
        None => return Err(Malformed::Missing("SecretDataType").into()),
    };
    let version = answer.version_id.take().ok_or(Malformed::Missing("VersionId"))?;
    Ok(Value {
        bytes: within_limit(bytes)?,
        version: label(version, "VersionId")?,
        request_id: answer.request_id.as_deref().and_then(|id| identifier(id, &[])),
        about: answer.about(binary),
    })
}

/// What KMS says of a secret beside its value. Nothing of it is needed to use the value: what is
/// not as documented is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The value was stored as bytes, not as text.
    pub binary: bool,
    pub name: Option<String>,
    /// `Generic`, `Rds` and others.
    pub kind: Option<String>,
    pub stages: Vec<String>,
    /// Like `2020-07-23T11:56:29Z`, as are the other times.
    pub created: Option<String>,
    pub automatic_rotation: Option<String>,
    pub last_rotation: Option<String>,
    pub next_rotation: Option<String>,
    /// Like `604800s`.
    pub rotation_interval: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    secret_data: Option<Text>,
    secret_data_type: Option<String>,
    version_id: Option<String>,
    request_id: Option<String>,
    code: Option<String>,
    secret_name: Option<Lenient<String>>,
    secret_type: Option<Lenient<String>>,
    version_stages: Option<Lenient<Stages>>,
    create_time: Option<Lenient<String>>,
    automatic_rotation: Option<Lenient<String>>,
    last_rotation_date: Option<Lenient<String>>,
    next_rotation_date: Option<Lenient<String>>,
    rotation_interval: Option<Lenient<String>>,
}

/// Whatever stands there; of use where it is what we know.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lenient<T> {
    Known(T),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stages {
    version_stage: Vec<String>,
}

impl Answer {
    fn about(self, binary: bool) -> About {
        let fact = |fact: Option<Lenient<String>>| label(fact?.known()?, "").ok();
        let stages = self.version_stages.and_then(Lenient::known);
        let stages = stages.into_iter().flat_map(|stages| stages.version_stage);
        About {
            binary,
            name: fact(self.secret_name),
            kind: fact(self.secret_type),
            stages: stages.take(STAGES).filter_map(|stage| label(stage, "").ok()).collect(),
            created: fact(self.create_time),
            automatic_rotation: fact(self.automatic_rotation),
            last_rotation: fact(self.last_rotation_date),
            next_rotation: fact(self.next_rotation_date),
            rotation_interval: fact(self.rotation_interval),
        }
    }
}

impl<T> Lenient<T> {
    fn known(self) -> Option<T> {
        match self {
            Self::Known(known) => Some(known),
            Self::Other(_) => None,
        }
    }
}

/// A version has at most 8.
const STAGES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kms_says_of_a_secret_is_kept_beside_its_value() {
        let value = read(
            br#"{"SecretName":"secret001","VersionId":"v1","SecretData":"dGVzdA==",
                "SecretType":"Generic","SecretDataType":"binary",
                "VersionStages":{"VersionStage":["ACSCurrent","mine"]},
                "CreateTime":"2020-07-23T11:56:29Z","AutomaticRotation":"Enabled",
                "LastRotationDate":"2020-07-24T11:56:29Z","NextRotationDate":"2020-07-25T11:56:29Z",
                "RotationInterval":"604800s","RequestId":"6a3e9c36-1150-4881-84d3-eb8672fcafad"}"#,
        )
        .unwrap();
        assert_eq!(value.bytes.expose(), b"test");
        let text = |text: &str| Some(text.to_owned());
        let expected = About {
            binary: true,
            name: text("secret001"),
            kind: text("Generic"),
            stages: vec!["ACSCurrent".to_owned(), "mine".to_owned()],
            created: text("2020-07-23T11:56:29Z"),
            automatic_rotation: text("Enabled"),
            last_rotation: text("2020-07-24T11:56:29Z"),
            next_rotation: text("2020-07-25T11:56:29Z"),
            rotation_interval: text("604800s"),
        };
        assert_eq!(value.about, expected);
    }

    #[test]
    fn facts_of_another_shape_cost_no_value() {
        let long = "x".repeat(300);
        for facts in [
            r#""VersionStages":["ACSCurrent"]"#,
            r#""VersionStages":{"VersionStage":"ACSCurrent"}"#,
            r#""SecretName":1,"CreateTime":{"a":[1,null]}"#,
            r#""SecretName":null,"VersionStages":null"#,
            r#""SecretName":"a\nb""#,
            &format!(r#""SecretType":"{long}""#),
        ] {
            let body =
                format!(r#"{{"SecretData":"x","SecretDataType":"text","VersionId":"v1",{facts}}}"#);
            let value = read(body.as_bytes()).unwrap();
            assert_eq!(
                (value.bytes.expose(), value.about),
                (&b"x"[..], About::default()),
                "{facts}"
            );
        }
    }
}
