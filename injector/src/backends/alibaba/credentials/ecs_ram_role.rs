//! Credentials of the node: the RAM role of its instance, as the metadata service gives them.

use cloud::Network;
use cloud::provider::{CredentialsProvider, EcsRamRoleConfig, EcsRamRoleProvider};
use plan::{EcsRamRole, Principal};

use super::super::words;
use super::sts_session::sts;
use crate::input::args::Args;

pub(crate) struct NodeRole {
    plan: EcsRamRole,
    principal: String,
    config: EcsRamRoleConfig,
}

impl NodeRole {
    pub(super) fn new(plan: &EcsRamRole, args: &Args) -> Self {
        let config = EcsRamRoleConfig {
            role: plan.name.as_ref().map(ToString::to_string),
            allow_v1: plan.metadata_v1,
            dial: args.metadata(),
        };
        let principal = Principal::EcsRamRole(plan.name.as_ref()).text().into_owned();
        Self { plan: plan.clone(), principal, config }
    }

    pub(super) fn provider(&self, network: Network) -> CredentialsProvider {
        let sts = sts(&self.plan.sts, network);
        CredentialsProvider::EcsRamRole(EcsRamRoleProvider::new(self.config.clone(), sts))
    }

    pub(super) fn principal(&self) -> &str {
        &self.principal
    }

    pub(super) fn caller(&self, role: &str) -> String {
        match role == self.principal {
            true => role.to_owned(),
            false => format!("{role}, session {}", self.plan.sts.session),
        }
    }

    pub(super) fn not_given(&self) -> String {
        let which = match &self.plan.name {
            Some(name) => format!("the RAM role {name}"),
            None => "one RAM role".to_owned(),
        };
        format!(
            "that the node is an ECS instance with {which}, that its metadata service is switched on \
             and hands out tokens (version 2; metadataV1: allow in the settings does without), and \
             that Pods reach 100.100.100.200 on port 80"
        )
    }

    pub(super) fn not_accepted(&self) -> String {
        words::not_accepted(&self.principal)
    }
}
