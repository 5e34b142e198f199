//! The variable by which a process of the container that gets a signal is found. The target has it
//! once, with its name; no other container has it.

use serde::Serialize;

use crate::pod::{Container, List, Variable};
use plan::contract::TARGET_VARIABLE;

#[derive(Debug, Serialize)]
pub(super) struct SignalMarker<'a> {
    name: &'static str,
    value: &'a str,
}

impl<'a> SignalMarker<'a> {
    /// The marker of the container at this place, if it is the target.
    pub(super) fn of(
        target: Option<(List, usize)>,
        at: (List, usize),
        container: &'a Container<'_>,
    ) -> Option<Self> {
        let is_target = target == Some(at);
        is_target.then(|| Self { name: TARGET_VARIABLE, value: &container.name })
    }

    pub(super) fn is(&self, variable: &Variable<'_>) -> bool {
        variable.value.as_deref() == Some(self.value)
    }
}
