//! What the local agent serves, whose interface is that of KMS.

use plan::{AlibabaLookup, AlibabaSource, Glob, KmsSecret};

use super::secret::AlibabaSecret;
use crate::ask::secrets::{Location, Place, SecretRef};
use crate::problem::Problem;

/// What an agent serves.
pub(crate) struct ServedSecrets {
    /// The KMS secrets that the Pod lists.
    pub(crate) own: Vec<Glob>,
    /// Names that the policy allows; `None` is all.
    pub(crate) allowed: Option<Vec<Glob>>,
    /// Where a secret is looked up that the Pod does not list.
    pub(crate) any: Option<AlibabaLookup>,
}

/// Any secret that a client may name, so that place and caller are decided as for those of the Pod.
pub(super) fn any_secret() -> Option<(AlibabaSource, SecretRef)> {
    let source = AlibabaSource::Kms(KmsSecret::new("any", None).ok()?);
    let secret = SecretRef {
        place: Place { key: "agent-secrets".into(), line: 1, what: String::new() },
        source: source.clone().into(),
        selector: None,
        at: Location::default(),
    };
    Some((source, secret))
}

/// A problem where the agent has no region, unless a secret of the Pod has none for the same reason.
pub(super) fn without_region(
    any: Option<&AlibabaSecret<'_>>,
    own: &[AlibabaSecret<'_>],
) -> Option<Problem> {
    let is_alone = !own.iter().any(AlibabaSecret::has_no_region);
    (is_alone && any.is_some_and(AlibabaSecret::has_no_region)).then(|| {
        Problem::annotation(
            "region",
            "no region is known for the agent",
            "set the annotation, or ask the operator for a region in the settings",
        )
    })
}

/// The KMS secrets of the Pod. No name has a wildcard in it.
pub(super) fn listed(secrets: &[AlibabaSecret<'_>]) -> Vec<Glob> {
    let name = |asked: &AlibabaSecret<'_>| match asked.source {
        AlibabaSource::Kms(secret) => Glob::parse(secret.name()).ok(),
        AlibabaSource::Oos(_) | AlibabaSource::OosParameter(_) => None,
    };
    let mut names: Vec<Glob> = secrets.iter().filter_map(name).collect();
    names.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    names.dedup();
    names
}
