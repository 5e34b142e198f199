//! The identity that a Secret of the Pod's namespace says: keys, a role, or both.

use plan::{Principal, SecretCredentials, SecretName};

use super::asker::Asker;
use super::role_session;
use crate::problem::Problems;

pub(super) fn of_pod(
    name: &SecretName,
    asker: Asker<'_>,
    judge: impl FnOnce(Principal<'_>, &mut Problems),
    problems: &mut Problems,
) -> Option<SecretCredentials> {
    judge(Principal::Secret(name), problems);
    role_session::refuse_role(asker, "put rolearn into the Secret", problems);
    let sts = role_session::of_pod(asker, problems)?;
    Some(SecretCredentials { secret: name.clone(), sts })
}
