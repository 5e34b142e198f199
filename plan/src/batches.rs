//! Which values are asked for in one call, as the operator says.

use serde::{Deserialize, Serialize};

/// What several values of one host may share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Batches {
    #[serde(default)]
    pub kms: KmsBatches,
    /// Encrypted parameters of OOS: their roles need a permission of its own for it.
    #[serde(default)]
    pub oos: bool,
}

/// The hosts of KMS that are asked for several secrets at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KmsBatches {
    /// Those that all instances share.
    #[default]
    Shared,
    /// The gateways of dedicated instances too.
    All,
    Never,
}

impl Batches {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
