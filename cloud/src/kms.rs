//! KMS `GetSecretValue`: parameters and answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secret::{Metadata, Sensitive};
use serde::Deserialize;

use crate::cause::{Cause, Malformed};
use crate::envelope::{misplaced_refusal, unreadable};
use crate::lenient_json::{Object, Stages, Word};
use crate::matching;
use crate::response::ReadError;
use crate::sign::Api;
use crate::value::{SensitiveText, Value, label, within_limit};

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
/// `version` is the id and the stage that were asked for.
pub(crate) fn read(
    body: &[u8],
    name: &str,
    version: (Option<&str>, Option<&str>),
) -> Result<Value, ReadError> {
    let Object(answer): Object<KmsAnswer> =
        serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    answer.into_value(name, version)
}

/// What KMS says of one secret.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct KmsAnswer {
    secret_data: Option<SensitiveText>,
    secret_data_type: Option<String>,
    version_id: Option<String>,
    request_id: Option<String>,
    code: Option<String>,
    secret_name: Option<Word>,
    secret_type: Option<Word>,
    version_stages: Option<Stages>,
    create_time: Option<Word>,
    automatic_rotation: Option<Word>,
    last_rotation_date: Option<Word>,
    next_rotation_date: Option<Word>,
    rotation_interval: Option<Word>,
}

impl KmsAnswer {
    pub(crate) fn name(&self) -> Option<&str> {
        word(&self.secret_name)
    }

    /// Its value, if it is what was asked for.
    pub(crate) fn into_value(
        mut self,
        name: &str,
        version: (Option<&str>, Option<&str>),
    ) -> Result<Value, ReadError> {
        let Some(SensitiveText(data)) = self.secret_data.take() else {
            let refusal = misplaced_refusal(self.code.as_deref());
            let cause = refusal.unwrap_or(Malformed::Missing("SecretData").into());
            return Err(ReadError::holding(cause, []));
        };
        let (bytes, encoded) = match self.decoded(&data) {
            Ok(Some(decoded)) => (decoded, Some(data)),
            Ok(None) => (data, None),
            Err(cause) => return Err(ReadError::holding(cause, [data])),
        };
        let checked = self.check(name, version).and_then(|version| {
            within_limit(&bytes)?;
            Ok(version)
        });
        match (checked, encoded) {
            (Ok(version), encoded) => {
                let request_id = self.request_id.take();
                let metadata = self.metadata(encoded.is_some());
                Ok(Value { bytes, encoded, version, request_id, metadata })
            }
            (Err(cause), Some(encoded)) => Err(ReadError::holding(cause, [bytes, encoded])),
            (Err(cause), None) => Err(ReadError::holding(cause, [bytes])),
        }
    }

    /// What `data` stands for, where it is not itself the value.
    fn decoded(&self, data: &Sensitive) -> Result<Option<Sensitive>, Malformed> {
        match self.secret_data_type.as_deref() {
            Some("text") => Ok(None),
            Some("binary") => {
                let decoded = STANDARD.decode(data.expose());
                let decoded = decoded.map_err(|_| Malformed::Invalid("SecretData (base64)"))?;
                Ok(Some(Sensitive::new(decoded)))
            }
            Some(_) => Err(Malformed::Invalid("SecretDataType")),
            None => Err(Malformed::Missing("SecretDataType")),
        }
    }

    /// The id of its version, if it is what was asked for.
    fn check(&mut self, name: &str, asked: (Option<&str>, Option<&str>)) -> Result<String, Cause> {
        let version = self.version_id.take().ok_or(Malformed::Missing("VersionId"))?;
        let version = label(version, "VersionId")?;
        let stages = self.version_stages.as_ref();
        let answer = matching::Secret {
            name: self.name(),
            kind: word(&self.secret_type),
            version: &version,
            stages: stages.map_or(&[], |stages| &stages.0),
        };
        answer.check(name, asked.0, asked.1)?;
        Ok(version)
    }

    fn metadata(self, binary: bool) -> Metadata {
        let fact = |fact: Option<Word>| label(fact?.0?, "").ok();
        let stages = self.version_stages.unwrap_or_default().0.into_iter();
        Metadata {
            binary,
            name: fact(self.secret_name),
            kind: fact(self.secret_type),
            stages: stages.filter_map(|stage| label(stage, "").ok()).collect(),
            created: fact(self.create_time),
            automatic_rotation: fact(self.automatic_rotation),
            last_rotation: fact(self.last_rotation_date),
            next_rotation: fact(self.next_rotation_date),
            rotation_interval: fact(self.rotation_interval),
        }
    }
}

fn word(word: &Option<Word>) -> Option<&str> {
    word.as_ref()?.0.as_deref()
}

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
            "secret001",
            (None, None),
        )
        .ok()
        .unwrap();
        assert_eq!(value.bytes.expose(), b"test");
        let text = |text: &str| Some(text.to_owned());
        let expected = Metadata {
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
        assert_eq!(value.metadata, expected);
    }

    #[test]
    fn facts_of_another_shape_cost_no_value() {
        let long = "x".repeat(300);
        for facts in [
            r#""VersionStages":["ACSCurrent"]"#,
            r#""VersionStages":{"VersionStage":"ACSCurrent"}"#,
            r#""SecretType":1,"CreateTime":{"a":[1,null]}"#,
            r#""SecretType":null,"VersionStages":null"#,
            r#""SecretType":"a\nb""#,
            &format!(r#""SecretType":"{long}""#),
        ] {
            let body = format!(
                r#"{{"SecretName":"a","SecretData":"x","SecretDataType":"text","VersionId":"v1",{facts}}}"#
            );
            let value = read(body.as_bytes(), "a", (Some("v1"), None)).ok().unwrap();
            let expected = Metadata { name: Some("a".to_owned()), ..Metadata::default() };
            assert_eq!((value.bytes.expose(), value.metadata), (&b"x"[..], expected), "{facts}");
        }
    }
}
