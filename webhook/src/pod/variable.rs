//! Where a variable of a container comes from.

use super::Variable;
use plan::contract::{ENVIRONMENT_VOLUME, TARGET_VARIABLE};

impl Variable<'_> {
    /// The volume of the file that the kubelet reads it from.
    pub(crate) fn volume(&self) -> Option<&str> {
        let from = self.value_from.as_ref()?.file_key_ref.as_ref()?;
        Some(from.volume_name.as_ref())
    }

    /// Whether it is read from a file of ours.
    pub(crate) fn is_secret(&self) -> bool {
        self.volume() == Some(ENVIRONMENT_VOLUME)
    }

    /// Whether it marks the container that gets a signal.
    pub(crate) fn is_mark(&self) -> bool {
        self.name == TARGET_VARIABLE
    }
}
