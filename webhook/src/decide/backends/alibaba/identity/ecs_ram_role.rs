//! The identity of the node that a Pod runs on: the RAM role of its instance.

use plan::{EcsRamRole, Principal, RamRoleName};

use super::asker::Asker;
use super::role_session;
use crate::problem::Problems;

pub(super) fn of_pod(
    name: Option<&RamRoleName>,
    asker: Asker<'_>,
    judge: impl FnOnce(Principal<'_>, &mut Problems),
    problems: &mut Problems,
) -> Option<EcsRamRole> {
    judge(Principal::EcsRamRole(name), problems);
    role_session::refuse_role(asker, "write ecs-ram-role=NAME", problems);
    let sts = role_session::of_pod(asker, problems)?;
    let metadata_v1 = asker.settings.metadata_v1();
    Some(EcsRamRole { name: name.cloned(), metadata_v1, sts })
}
