//! The containers that are injected, as the operator wants them.

use super::values::PullPolicy;
use crate::quantity::{Quantity, WrittenQuantity};

/// The injected containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Injector {
    pub(super) image: String,
    pub(super) image_pull_policy: Option<PullPolicy>,
    pub(super) image_mirrors: Vec<String>,
    pub(super) command: Vec<String>,
    pub(super) extra_args: Vec<String>,
    pub(super) resources: Resources,
}

/// Kubernetes quantities, as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resources {
    pub(super) cpu: WrittenQuantity,
    pub(super) memory: WrittenQuantity,
    pub(super) guaranteed_cpu: WrittenQuantity,
}

impl Injector {
    pub(crate) fn image(&self) -> &str {
        &self.image
    }

    /// `None` is the cluster's default.
    pub(crate) fn image_pull_policy(&self) -> Option<&'static str> {
        self.image_pull_policy.map(PullPolicy::as_str)
    }

    /// Repositories of the operator's that hold the same image: another webhook may write their
    /// names.
    pub(crate) fn image_mirrors(&self) -> &[String] {
        &self.image_mirrors
    }

    /// An absolute path, and arguments.
    pub(crate) fn command(&self) -> &[String] {
        &self.command
    }

    /// Flags for every fetcher, which Pods cannot change.
    pub(crate) fn extra_args(&self) -> &[String] {
        &self.extra_args
    }

    pub(crate) fn resources(&self) -> &Resources {
        &self.resources
    }
}

impl Resources {
    pub(crate) fn cpu(&self) -> &WrittenQuantity {
        &self.cpu
    }

    pub(crate) fn memory(&self) -> &WrittenQuantity {
        &self.memory
    }

    /// CPU request and limit in a Guaranteed Pod, where a limit cannot be left out.
    pub(crate) fn guaranteed_cpu(&self) -> &WrittenQuantity {
        &self.guaranteed_cpu
    }
}

impl Default for Injector {
    fn default() -> Self {
        Self {
            image: concat!("secrets-injector:", env!("CARGO_PKG_VERSION")).into(),
            image_pull_policy: None,
            image_mirrors: Vec::new(),
            command: vec!["/secrets-injector".into()],
            extra_args: Vec::new(),
            resources: Resources::default(),
        }
    }
}

impl Default for Resources {
    fn default() -> Self {
        Self {
            cpu: WrittenQuantity::of_thousandths(10),
            memory: WrittenQuantity::of_bytes(Quantity::bytes(16 << 20)),
            guaranteed_cpu: WrittenQuantity::of_thousandths(100),
        }
    }
}
