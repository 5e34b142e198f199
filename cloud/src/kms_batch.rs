//! KMS `BatchGetSecretValue`: several secrets in one call, each with an answer or a refusal of its own.

use secret::Sensitive;
use serde::{Deserialize, Serialize};

use crate::cause::Malformed;
use crate::envelope::{misplaced_refusal, unreadable};
use crate::kms::KmsAnswer;
use crate::lenient_json::{Few, Number, Object, Word};
use crate::lookup::{Lookup, Subject};
use crate::matching::is_called;
use crate::parts::{AnsweredParts, Part, PartRefusal, PartsOf};
use crate::response::ReadError;
use crate::sign::Api;

pub(crate) const BATCH_GET_SECRET_VALUE: Api =
    Api { action: "BatchGetSecretValue", version: "2016-01-20" };

/// Secrets of one call.
pub(crate) const MOST: usize = 20;

/// A secret as the call names it.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AskedSecret<'a> {
    #[serde(rename = "SecretName")]
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_stage: Option<&'a str>,
}

impl<'a> AskedSecret<'a> {
    pub(crate) fn of(lookup: &'a Lookup) -> Option<Self> {
        let Subject::KmsSecret { name, version_id, version_stage } = &lookup.subject else {
            return None;
        };
        let (version_id, version_stage) = (version_id.as_deref(), version_stage.as_deref());
        Some(Self { name, version_id, version_stage })
    }
}

/// The one parameter of the call.
pub(crate) fn list(asked: &[AskedSecret<'_>]) -> String {
    // Texts are written into a text: nothing can fail.
    serde_json::to_string(asked).unwrap_or_default()
}

pub(crate) fn parameters(list: &str) -> Vec<(&'static str, &str)> {
    vec![("SecretsList", list)]
}

/// What came for each of `asked`, in their order. An answer counts only whole: each name once, no other
/// name, all versions as they were asked for. `sent` are the secrets of the request.
pub(crate) fn read(
    body: &[u8],
    asked: &[AskedSecret<'_>],
    sent: &[&Sensitive],
) -> Result<AnsweredParts, ReadError> {
    let Object(answer): Object<BatchAnswer> =
        serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    if answer.secret_values.is_none() && answer.errors.is_none() {
        let refusal = misplaced_refusal(answer.code.as_deref());
        let cause = refusal.unwrap_or(Malformed::Missing("SecretValues").into());
        return Err(ReadError::holding(cause, []));
    }
    let mut parts = PartsOf::new(asked.len());
    for Object(secret) in answer.secret_values.into_iter().flat_map(|Few(values)| values) {
        let (at, asked) = find(asked, secret.name())?;
        let version = (asked.version_id, asked.version_stage);
        let value = secret.into_value(asked.name, version).map_err(ReadError::silent)?;
        parts.fill(at, Part::Value(Box::new(value)))?;
    }
    for Object(error) in answer.errors.into_iter().flat_map(|Few(errors)| errors) {
        let name = error.secret_name.as_ref().and_then(|Word(name)| name.as_deref());
        let (at, _) = find(asked, name)?;
        parts.fill(at, Part::Refused(error.refusal()))?;
    }
    parts.whole(answer.request_id.and_then(|Word(id)| id), body, sent)
}

/// The secret that a part is about, by the name that stands in it.
fn find<'a>(
    asked: &[AskedSecret<'a>],
    answered: Option<&str>,
) -> Result<(usize, AskedSecret<'a>), Malformed> {
    let answered = answered.ok_or(Malformed::Missing("SecretName"))?;
    let mut secrets = asked.iter().copied().enumerate();
    secrets.find(|(_, secret)| is_called(secret.name, answered)).ok_or(Malformed::OtherNames)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchAnswer {
    secret_values: Option<Few<Object<KmsAnswer>, MOST>>,
    errors: Option<Few<Object<PartError>, MOST>>,
    request_id: Option<Word>,
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PartError {
    secret_name: Option<Word>,
    code: Option<Word>,
    http_status: Option<Number>,
    message: Option<Word>,
}

impl PartError {
    fn refusal(self) -> PartRefusal {
        let text = |word: Option<Word>| word.and_then(|Word(text)| text);
        let status = self.http_status.and_then(|Number(status)| u16::try_from(status?).ok());
        PartRefusal { code: text(self.code), message: text(self.message), status }
    }
}

#[cfg(test)]
mod tests;
