//! The lab: what the product is tried against. A cloud emulator now.

pub mod cloud;
pub mod fetcher;
