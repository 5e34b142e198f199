//! The name under which an answer is kept: one version of one secret. It is pure.

use std::sync::Arc;

use cloud::Subject;

/// A clone is cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key(Arc<(String, String, String)>);

/// The stage that KMS answers with where none is asked for.
const CURRENT: &str = "ACSCurrent";

impl Key {
    pub(crate) fn new(id: &str, version_id: Option<&str>, version_stage: Option<&str>) -> Self {
        let stage = version_stage.filter(|stage| version_id.is_some() || *stage != CURRENT);
        let text = |part: Option<&str>| part.unwrap_or_default().to_owned();
        Self(Arc::new((id.to_owned(), text(version_id), text(stage))))
    }

    /// Returns `None` for what is no secret of KMS.
    pub(crate) fn of(subject: &Subject) -> Option<Self> {
        match subject {
            Subject::KmsSecret { name, version_id, version_stage } => {
                Some(Self::new(name, version_id.as_deref(), version_stage.as_deref()))
            }
            Subject::OosSecretParameter { .. } | Subject::OosParameter { .. } => None,
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.0.0
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn the_current_version_has_one_name() {
        let of = |version_id, stage| Key::new("a", version_id, stage);
        assert_eq!(of(None, Some("ACSCurrent")), of(None, None));
        assert_ne!(of(None, Some("ACSPrevious")), of(None, None));
        assert_ne!(of(Some("v1"), None), of(None, Some("v1")));
        // A version that is to be the current one is another question.
        assert_ne!(of(Some("v1"), Some("ACSCurrent")), of(Some("v1"), None));
    }
}
