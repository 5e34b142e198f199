//! The template of a file: text with `{{ secret("SOURCE") }}` in it, checked before anything is
//! fetched and rendered with what came.
//!
//! The engine is minijinja without its own filters, functions and loaders. There are no loops, no
//! other templates and no methods; text, nesting, work and output are bounded. Errors have words
//! of our own and a line: the engine's would quote values. Sources are plain text here; what they
//! mean, others know.

mod check;
mod engine;
mod expression;
mod fault;
mod filters;
mod formats;
mod json;
mod kind;
mod missing;
mod number;
mod operators;
mod pem;
mod quote;
mod shape;
mod signature;
mod template;

pub use crate::fault::{Failure, Fault, Invalid};
pub use crate::template::{MAX_OUTPUT_BYTES, MAX_TEMPLATE_BYTES, Secret, Template};
