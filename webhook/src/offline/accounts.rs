//! The ServiceAccounts among the manifests: without a cluster they are all that is known of roles.

use std::collections::HashMap;

use manifest::Node;

use super::workload::{WorkloadObject, annotations};
use crate::account::{Account, ServiceAccount};

#[derive(Debug, Default)]
pub(super) struct Accounts(HashMap<(String, String), Account>);

impl Accounts {
    /// Notes the object, if it is a ServiceAccount.
    pub(super) fn note(&mut self, object: &WorkloadObject<'_>, namespace: &str) {
        if object.kind != "ServiceAccount" {
            return;
        }
        let metadata = object.node.field("metadata").into_iter();
        let annotations = metadata
            .flat_map(annotations)
            .filter_map(|(key, value)| Some((key.scalar()?, value.scalar()?)));
        let account = Account::Known(ServiceAccount::from_annotations(annotations));
        self.0.insert((namespace.to_owned(), object.name.to_owned()), account);
    }

    /// The account that a Pod of this spec runs as.
    pub(super) fn of(&self, namespace: &str, template: &Node<'_>) -> &Account {
        let named = |field| template.at(&["spec", field]).and_then(Node::scalar);
        let name = named("serviceAccountName")
            .or_else(|| named("serviceAccount"))
            .filter(|name| !name.is_empty())
            .unwrap_or("default");
        self.0.get(&(namespace.to_owned(), name.to_owned())).unwrap_or(&Account::Unknown)
    }
}
