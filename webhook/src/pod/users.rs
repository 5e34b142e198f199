//! As whom the containers of a Pod run, as far as the Pod says it.

use super::Pod;
use super::container::Container;

impl<'a> Pod<'a> {
    /// `None` where only the image says it.
    pub(crate) fn user_of(&self, container: &Container<'a>) -> Option<u32> {
        let user = container.security_context.run_as_user;
        u32::try_from(user.or(self.spec.security_context.run_as_user)?).ok()
    }

    pub(crate) fn group_of(&self, container: &Container<'a>) -> Option<u32> {
        let group = container.security_context.run_as_group;
        group.map_or_else(|| self.group(), |group| u32::try_from(group).ok())
    }

    pub(crate) fn group(&self) -> Option<u32> {
        u32::try_from(self.spec.security_context.run_as_group?).ok()
    }
}
