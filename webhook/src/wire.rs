//! Admission reviews as bytes: read, decided and answered, without I/O.

pub mod admit;
pub mod reply;
mod review;
