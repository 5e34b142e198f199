//! The template of a file: text with `{{ secret("SOURCE") }}` in it, checked before anything is
//! fetched and rendered with what came.
//!
//! minijinja parses it. Its tree is evaluated here, so that values of secrets are in types of our own
//! alone, and each step is bounded by a rule of ours. There are no loops, no other templates and no
//! methods; text, nesting, work and output are bounded. Errors hold a line and no value. Sources are
//! plain text here; what they mean, others know.

mod builtins;
mod evaluator;
mod fault;
mod filters;
mod limits;
mod operand;
mod operators;
mod run;
mod template;
mod token_limits;

pub use crate::fault::{Fault, Invalid};
pub use crate::limits::{CheckFuel, MAX_OUTPUT_BYTES, MAX_TEMPLATE_BYTES};
pub use crate::run::SecretCall;
pub use crate::template::Template;
