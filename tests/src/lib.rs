//! The lab: what the product is tried against. An emulated cloud, the real processes, and what a
//! cluster would do around them.

pub mod agent;
pub mod api_server;
pub mod bench;
pub mod binary;
pub mod closed_port;
pub mod cloud;
pub mod cluster;
pub mod connect_proxy;
pub mod cost;
pub(crate) mod far_away;
pub mod fetcher;
pub mod go;
pub mod http;
pub mod kubelet;
pub mod lease;
pub mod manifest;
pub mod python;
pub mod review;
pub(crate) mod samples;
pub mod stage;
pub mod webhook_process;
pub mod worst;
