//! Why a command ended, and with which exit code.

/// The last word of a command.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Flags, variables or files of the operator.
    #[error("{0}")]
    Usage(String),
    /// Manifests have problems, which were printed.
    #[error("{0}")]
    Problems(String),
    #[error("{0}")]
    Internal(String),
}

impl Failure {
    #[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
    pub(crate) fn usage(error: impl ToString) -> Self {
        Self::Usage(error.to_string())
    }

    #[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
    pub(crate) fn internal(error: impl ToString) -> Self {
        Self::Internal(error.to_string())
    }

    /// As in sysexits.h: EX_USAGE and EX_SOFTWARE.
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 64,
            Self::Problems(_) => 1,
            Self::Internal(_) => 70,
        }
    }
}
