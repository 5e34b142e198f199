//! What the operator has set.

use webhook::settings::{Inputs, Settings};

/// Settings of an operator who sets what most do.
pub(super) fn ordinary(_: usize) -> Settings {
    accepted(&[]).unwrap_or_default()
}

/// Ordinary settings with one more; those that are not accepted would be no measure of anything, and
/// leave the ordinary ones.
pub(super) fn set(field: &str, value: &str) -> Settings {
    with(&[&format!("{field}={value}")])
}

/// The same with several, each like `fileKeyRef=auto`.
pub(super) fn with(more: &[&str]) -> Settings {
    accepted(more).unwrap_or_else(|| ordinary(0))
}

fn accepted(more: &[&str]) -> Option<Settings> {
    let flags = ["region=cn-hangzhou", "clusterId=c0123456789"];
    let flags: Vec<_> = flags.iter().chain(more).map(ToString::to_string).collect();
    Inputs::new(None, &flags, []).ok()?.load().ok()
}
