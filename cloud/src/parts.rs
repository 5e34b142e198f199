//! What came for each of several values that were asked for in one call.

use secret::{Sensitive, echoes};

use crate::cause::{Cause, FailedAttempt, Malformed};
use crate::envelope::part_refusal;
use crate::response::{AnswerContent, ReadError};
use crate::secret_fields::secret_fields;
use crate::value::Value;

/// What an answer says of one of them.
pub(crate) enum Part {
    Value(Box<Value>),
    Refused(PartRefusal),
    /// The answer names it, and not why there is no value.
    Missing,
}

/// A refusal as it stands in an answer.
pub(crate) struct PartRefusal {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) status: Option<u16>,
}

/// What may be used of an answer, in the order of the question.
pub(crate) struct AnsweredParts {
    found: Vec<FoundPart>,
    request_id: Option<String>,
}

pub(crate) enum FoundPart {
    Value(Box<Value>),
    Refused(FailedAttempt),
    /// It is to be asked for by itself.
    Alone,
}

/// The parts of an answer that is being read.
pub(crate) struct PartsOf(Vec<Option<Part>>);

impl PartsOf {
    pub(crate) fn new(count: usize) -> Self {
        Self((0..count).map(|_| None).collect())
    }

    /// Each place is filled once.
    pub(crate) fn fill(&mut self, at: usize, part: Part) -> Result<(), Malformed> {
        match self.0.get_mut(at) {
            Some(empty @ None) => {
                *empty = Some(part);
                Ok(())
            }
            _ => Err(Malformed::OtherNames),
        }
    }

    /// All parts, if none is missing. `body` is the whole answer, `sent` are the secrets of the request:
    /// no refusal and no version repeats anything of either.
    pub(crate) fn whole(
        self,
        request_id: Option<String>,
        body: &[u8],
        sent: &[&Sensitive],
    ) -> Result<AnsweredParts, ReadError> {
        let parts: Option<Vec<Part>> = self.0.into_iter().collect();
        let parts = parts.ok_or(Malformed::OtherNames)?;
        let values = || parts.iter().filter_map(Part::value);
        let held: Vec<&Sensitive> = values().flat_map(Value::secrets).collect();
        // The version of one may not repeat the value of another one: who writes that value may know it, and
        // asked for by itself it is seen beside no other. What is short stands in any text.
        let long: Vec<&Sensitive> = held.iter().copied().filter(|value| value.len() >= 4).collect();
        let versions: Vec<&str> = values().map(|value| value.version.as_str()).collect();
        let one_repeats = echoes(&versions.join("\n"), &long);
        let repeats = |part: &Part| {
            one_repeats && part.value().is_some_and(|value| echoes(&value.version, &long))
        };
        let alone: Vec<bool> = parts.iter().map(repeats).collect();
        let refused = parts.iter().any(|part| matches!(part, Part::Refused(_)));
        let fields = if refused { secret_fields(body) } else { None };
        let secrets = fields
            .as_ref()
            .map(|fields| sent.iter().copied().chain(held).chain(fields).collect::<Vec<_>>());
        let refusals: Vec<_> = parts.iter().map(|part| part.refused(secrets.as_deref())).collect();
        // An id may repeat a value that is not used.
        let request_id = request_id.filter(|_| !alone.contains(&true));
        let found = parts.into_iter().zip(refusals).zip(alone);
        let found = found.map(|((part, refusal), alone)| match (part, refusal) {
            (Part::Value(value), _) if !alone => FoundPart::Value(value),
            (_, Some(refused)) => FoundPart::Refused(refused),
            _ => FoundPart::Alone,
        });
        Ok(AnsweredParts { found: found.collect(), request_id })
    }
}

impl Part {
    fn value(&self) -> Option<&Value> {
        match self {
            Self::Value(value) => Some(value),
            Self::Refused(_) | Self::Missing => None,
        }
    }

    /// Where all secrets of the answer are known.
    fn refused(&self, secrets: Option<&[&Sensitive]>) -> Option<FailedAttempt> {
        let Self::Refused(PartRefusal { code, message, status }) = self else { return None };
        let status = status.filter(|status| (400..600).contains(status));
        let refusal = part_refusal(code.as_deref(), message.as_deref(), status, secrets?)?;
        let cause = Cause::Refused(Box::new(refusal));
        Some(FailedAttempt { cause, status, request_id: None, hint: None, date: None })
    }
}

impl AnsweredParts {
    pub(crate) fn into_found(self) -> Vec<FoundPart> {
        self.found
    }

    fn values(&self) -> impl Iterator<Item = &Value> {
        self.found.iter().filter_map(|found| match found {
            FoundPart::Value(value) => Some(&**value),
            FoundPart::Refused(_) | FoundPart::Alone => None,
        })
    }
}

impl AnswerContent for AnsweredParts {
    fn secrets(&self) -> Vec<&Sensitive> {
        self.values().flat_map(Value::secrets).collect()
    }

    fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    fn versions(&self) -> Vec<&str> {
        self.values().map(|value| value.version.as_str()).collect()
    }
}
