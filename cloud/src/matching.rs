//! Whether an answer belongs to its question. A connection that carries one answer too many gives
//! every later question the answer of another one; an answer says what it is about.

use crate::cause::{Cause, Malformed, Mismatched};

/// The stage that is meant where neither version nor stage is asked for.
const CURRENT: &str = "ACSCurrent";
/// The ARN of a secret has at most this many bytes.
const LONGEST: usize = 300;

/// The name of a secret without the account and region in which it is meant.
pub(crate) fn own_name(name: &str) -> &str {
    name.split_once(":secret/").map_or(name, |(_, own)| own)
}

/// Whether an answer is for this secret of KMS: asked by ARN, the service may answer with either.
pub(crate) fn is_called(name: &str, answered: &str) -> bool {
    answered == name || answered == own_name(name)
}

/// What an answer of KMS says that it is.
pub(crate) struct Secret<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) kind: Option<&'a str>,
    pub(crate) version: &'a str,
    /// Empty where they could not be read.
    pub(crate) stages: &'a [String],
}

impl Secret<'_> {
    pub(crate) fn check(
        &self,
        name: &str,
        version: Option<&str>,
        stage: Option<&str>,
    ) -> Result<(), Cause> {
        let answered = self.name.ok_or(Malformed::Missing("SecretName"))?;
        if !is_called(name, answered) {
            return Err(mismatched("SecretName", name, answered));
        }
        // For secrets that it manages itself the service ignores which version is asked for.
        let managed = self.kind.is_some_and(|kind| kind != "Generic");
        if let Some(version) = version.filter(|version| *version != self.version && !managed) {
            return Err(mismatched("VersionId", version, self.version));
        }
        let wanted = stage.or(version.is_none().then_some(CURRENT));
        match (wanted, self.stages) {
            // The service always names them, and an old version may have none.
            (Some(_), []) => Err(Malformed::Missing("VersionStages").into()),
            (Some(wanted), [first, ..]) if !self.stages.iter().any(|stage| stage == wanted) => {
                Err(mismatched("VersionStage", wanted, first))
            }
            _ => Ok(()),
        }
    }
}

pub(crate) fn parameter(
    (name, version): (&str, Option<u32>),
    answered: Option<&str>,
    answered_version: u32,
) -> Result<(), Cause> {
    let answered = answered.ok_or(Malformed::Missing("Name"))?;
    if answered != name {
        return Err(mismatched("Name", name, answered));
    }
    match version.filter(|version| *version != answered_version) {
        Some(version) => {
            let (asked, answered) = (version.to_string(), answered_version.to_string());
            Err(mismatched("ParameterVersion", &asked, &answered))
        }
        None => Ok(()),
    }
}

/// The ARN of an assumed role is the role's with the session behind it. The service writes roles
/// in small letters.
pub(crate) fn caller(role: &str, session: &str, answered: &str) -> Result<(), Cause> {
    let matches = answered.rsplit_once('/').is_some_and(|(answered_role, answered_session)| {
        answered_role.eq_ignore_ascii_case(role) && answered_session == session
    });
    if matches {
        return Ok(());
    }
    Err(mismatched("AssumedRoleUser", &format!("{role}/{session}"), answered))
}

fn mismatched(field: &'static str, asked: &str, answered: &str) -> Cause {
    let of_a_name = |b: u8| b.is_ascii_alphanumeric() || b"-_/+=.@:".contains(&b);
    let told = answered.len() <= LONGEST && answered.bytes().all(of_a_name);
    let answered = told.then(|| answered.to_owned());
    Cause::Mismatched(Box::new(Mismatched { field, asked: asked.to_owned(), answered }))
}
