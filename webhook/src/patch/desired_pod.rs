//! Everything of ours that a Pod must have in the end, as it was decided: a patch is made from this
//! and the Pod, and from no decision.

use plan::{ContainerName, Plan, VariableName};

use crate::patch::fetcher_container::FetcherContainer;
use crate::patch::volume::Volume;
use crate::pod::List;

pub(crate) struct DesiredPod<'a> {
    pub(crate) plan: &'a Plan,
    /// In the order in which they start.
    pub(crate) containers: Vec<FetcherContainer<'a>>,
    pub(crate) placement: Placement<'a>,
    pub(crate) volumes: Vec<Volume<'a>>,
    /// Containers that get the files.
    pub(crate) consumers: &'a [(List, usize)],
    /// Containers that get variables.
    pub(crate) variables: &'a [ContainerVariables],
    /// The container whose process gets a signal when files change.
    pub(crate) signal_target: Option<(List, usize)>,
    /// The value of the status annotation.
    pub(crate) status: String,
}

/// A container that gets variables, with its place in the Pod's lists.
#[derive(Debug)]
pub(crate) struct ContainerVariables {
    pub(crate) list: List,
    pub(crate) index: usize,
    pub(crate) name: ContainerName,
    pub(crate) method: Method,
    pub(crate) variables: Vec<VariableName>,
    /// Those without which the container is not to start.
    pub(crate) required: Vec<String>,
    /// How many secrets give it a variable for each key.
    pub(crate) all_keys: usize,
    /// What its image starts, where the Pod says it beside the container.
    pub(crate) entrypoint: Option<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// Our program is put before the container's command and becomes it.
    Exec,
    /// The kubelet reads a file and sets the variable, as it does for those of a Secret.
    FileKeyRef,
}

/// Where among the init containers ours are placed, if they are not there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placement<'a> {
    pub(crate) order: Order,
    pub(crate) mesh_proxies: &'a [ContainerName],
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    First,
    Last,
    /// First, or directly behind the last native mesh proxy.
    BehindMeshProxies,
}

impl DesiredPod<'_> {
    pub(crate) fn is_consumer(&self, list: List, index: usize) -> bool {
        self.consumers.contains(&(list, index))
    }

    /// Whether a container is started through our program.
    pub(crate) fn starts(&self, list: List, index: usize) -> bool {
        self.variables.iter().any(|container| container.starts(list, index))
    }
}

impl ContainerVariables {
    /// Whether it is the container at this place, and started through our program.
    pub(crate) fn starts(&self, list: List, index: usize) -> bool {
        self.method == Method::Exec && (self.list, self.index) == (list, index)
    }
}
