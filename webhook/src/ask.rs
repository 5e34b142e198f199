//! What a Pod asks for: its annotations and what is laid beneath them, and the secrets and variables in
//! them. Nothing is known here of the Pod's containers or of what the operator allows.

pub mod annotations;
pub(crate) mod layers;
pub mod rules;
pub(crate) mod secrets;
mod yaml;
