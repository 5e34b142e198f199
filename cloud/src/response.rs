//! Reads an answer's bytes. Whatever of an answer goes into ids, versions or errors is compared here
//! with what was sent and with what came.

use secret::{Sensitive, echoes, identifier};
use transport::Answer;

use crate::cause::{Cause, FailedAttempt, Malformed};
use crate::envelope::{self, Success};
use crate::secret_fields::secret_fields;

/// What was asked for.
pub(crate) trait AnswerContent {
    /// All of it that must not be shown.
    fn secrets(&self) -> Vec<&Sensitive>;

    /// The request's id as the body has it.
    fn request_id(&self) -> Option<&str> {
        None
    }

    /// As the answer names them: they go to files.
    fn versions(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Why an answer is of no use.
pub(crate) struct ReadError {
    cause: Cause,
    /// The secrets in it; `None` where that is not known.
    held: Option<Vec<Sensitive>>,
}

impl ReadError {
    pub(crate) fn holding<const N: usize>(cause: impl Into<Cause>, held: [Sensitive; N]) -> Self {
        Self { cause: cause.into(), held: Some(Vec::from(held)) }
    }

    #[cfg(test)]
    pub(crate) fn into_cause(self) -> Cause {
        self.cause
    }

    /// The same where there is more in the answer than is known of.
    pub(crate) fn silent(self) -> Self {
        Self { held: None, ..self }
    }
}

/// Nothing is shown of an answer that could not be taken apart.
impl From<Malformed> for ReadError {
    fn from(malformed: Malformed) -> Self {
        Self { cause: malformed.into(), held: None }
    }
}

/// What the answer holds and the request's id, which may have to be left out. `sent` are the
/// secrets of the request; `read` hears the time by the service's clock as well.
pub(crate) fn read_response<T: AnswerContent>(
    answer: Answer,
    sent: &[&Sensitive],
    read: impl FnOnce(&[u8], Option<u64>) -> Result<T, ReadError>,
) -> Result<(T, Option<String>), FailedAttempt> {
    let Success { status, request_id: in_header, date, body } = envelope::open(answer, sent)?;
    let fail = |cause, request_id| {
        Err(FailedAttempt { cause, status: Some(status), request_id, hint: None, date: None })
    };
    let shown = |id: Option<&str>, secrets: &[&Sensitive]| identifier(id?, secrets);
    match read(body.expose(), date) {
        Ok(content) => {
            let secrets = [sent, &content.secrets()].concat();
            let request_id = shown(content.request_id(), &secrets);
            let request_id = request_id.or_else(|| shown(in_header.as_deref(), &secrets));
            // One that repeats the value is hidden from logs; this one goes to files as well.
            if content.versions().iter().any(|version| echoes(version, sent)) {
                return fail(Malformed::Invalid("VersionId").into(), request_id);
            }
            Ok((content, request_id))
        }
        Err(ReadError { cause, held }) => {
            // An answer that is not used may hold what is secret elsewhere than it belongs.
            match held.zip(secret_fields(body.expose())) {
                Some((held, fields)) => {
                    let secrets: Vec<_> =
                        sent.iter().copied().chain(&held).chain(&fields).collect();
                    fail(silent(cause, Some(&secrets)), shown(in_header.as_deref(), &secrets))
                }
                None => fail(silent(cause, None), None),
            }
        }
    }
}

/// The same cause without what repeats a secret, or may where the secrets are not known.
fn silent(cause: Cause, secrets: Option<&[&Sensitive]>) -> Cause {
    let echoes = |text: &mut String| secrets.is_none_or(|secrets| echoes(text, secrets));
    match cause {
        Cause::Mismatched(mut mismatched) => {
            mismatched.answered.take_if(echoes);
            Cause::Mismatched(mismatched)
        }
        Cause::Refused(mut refusal) => {
            refusal.code.take_if(echoes);
            Cause::Refused(refusal)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use transport::header::{HeaderMap, HeaderValue};

    use super::*;
    use crate::sts;

    /// The id of an answer is in the log also where nothing is wrong.
    #[test]
    fn no_id_of_a_good_answer_repeats_new_credentials() {
        let body = r#"{"AssumedRoleUser":{"Arn":"acs:ram::1:role/app/pod"},"Credentials":{
            "AccessKeyId":"STS.x","AccessKeySecret":"canary-key","SecurityToken":"canary-token",
            "Expiration":"2999-01-01T00:00:00Z"}}"#;
        for (id, shown) in [
            ("canary-key", None),
            ("canary-token", None),
            ("x-canary-key", None),
            ("6a3e-1", Some("6a3e-1")),
        ] {
            let id = ("x-acs-request-id", HeaderValue::from_static(id));
            let headers = HeaderMap::from_iter([(id.0.parse().unwrap(), id.1)]);
            let body = Sensitive::from(body.to_owned());
            let answer = Answer { status: 200, headers, body };
            let times = sts::Times { date: None, expected: 0, here: 0 };
            let read = |body: &[u8], _| sts::read(body, ("acs:ram::1:role/app", "pod"), times);
            let (_, request_id) = read_response(answer, &[], read).unwrap();
            assert_eq!(request_id.as_deref(), shown);
        }
    }
}
