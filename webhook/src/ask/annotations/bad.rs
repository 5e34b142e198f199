//! Why an annotation's value is refused.

/// What is wrong, and the remedy.
pub(super) type Bad = (String, String);
