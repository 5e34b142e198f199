//! The instance that the node is, as its metadata service has it.

use time::OffsetDateTime;

use super::seed::InstanceSeed;

/// In place of what the service would answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataFault {
    Hang,
    Html,
    Redirect,
    NoRole,
    TwoRoles,
    Unwell,
    NoSuccess,
    Expired,
    Huge,
}

/// What changes while the service runs.
#[derive(Debug, Default)]
pub(crate) struct Instance {
    pub(crate) seed: Option<InstanceSeed>,
    pub(crate) fault: Option<MetadataFault>,
    tokens: Vec<(String, OffsetDateTime)>,
}

impl Instance {
    pub(crate) fn new(seed: Option<InstanceSeed>) -> Self {
        Self { seed, ..Self::default() }
    }

    pub(crate) fn forget_tokens(&mut self) {
        self.tokens.clear();
    }

    pub(crate) fn add_token(&mut self, token: String, until: OffsetDateTime) {
        self.tokens.push((token, until));
    }

    pub(crate) fn knows(&self, token: &str, now: OffsetDateTime) -> bool {
        self.tokens.iter().any(|(known, until)| known == token && now < *until)
    }
}
