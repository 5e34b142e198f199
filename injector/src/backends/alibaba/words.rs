//! Words of advice that more than one file gives.

pub(super) const NODE_CLOCK: &str = "the clock of the node";

/// What to check where what STS gave for a role is refused.
pub(super) fn not_accepted(role: &str) -> String {
    format!(
        "{NODE_CLOCK}, and that {role} was not deleted or made anew: the credentials that STS gave \
         for it are not accepted"
    )
}
