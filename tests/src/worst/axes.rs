//! All the ways, one for each list and text.

use super::axis::Axis;
use super::{lists, patterns, settings, texts};

/// Every list, text and selector of a Pod, and every list of the settings.
#[must_use]
pub fn axes() -> Vec<Axis> {
    let mut axes = lists::axes();
    axes.extend(texts::axes());
    axes.extend(patterns::axes());
    axes.extend(settings::axes());
    axes
}
