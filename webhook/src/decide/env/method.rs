//! On which way variables get into a container: through its command, or by the kubelet.

use crate::ask::annotations::{EnvMethod, SecretsRequest};
use crate::patch::desired_pod::Method;
use crate::pod::Container;
use crate::problem::{PREFIX, Problem};
use crate::settings::{FileKeyRefUse, Settings};
use crate::text::display_name;

/// A kubelet before it sets an empty variable, and says nothing.
const FILE_KEY_REF_SINCE: u32 = 35;

/// `has_entrypoint` where the Pod says beside the container what its image starts, `sandboxed` where a kubelet may read no file for the container.
pub(super) fn choose(
    container: &Container<'_>,
    has_entrypoint: bool,
    sandboxed: bool,
    request: &SecretsRequest<'_>,
    settings: &Settings,
) -> Result<Method, Problem> {
    let has_command = has_entrypoint || !container.own_command().is_empty();
    let is_read = settings.oldest_kubelet().is_some_and(|minor| minor >= FILE_KEY_REF_SINCE);
    let allowed = settings.file_key_ref() != FileKeyRefUse::Never;
    match (request.env_method, has_command) {
        (EnvMethod::Auto | EnvMethod::Exec, true) => Ok(Method::Exec),
        (EnvMethod::FileKeyRef, _) if !allowed => Err(Problem::annotation(
            "env-method",
            "the operator does not allow it: values would lie on the disks of nodes",
            "use exec and a command",
        )),
        (EnvMethod::FileKeyRef, _) if is_read => Ok(Method::FileKeyRef),
        (EnvMethod::FileKeyRef, _) => Err(Problem::annotation(
            "env-method",
            "a kubelet before 1.35 would start the container with empty variables, and that there is none is not known",
            "use exec and a command, or ask the operator for oldestKubelet in the settings",
        )),
        // In a sandbox the kubelet may not see the volume that the container sees.
        (EnvMethod::Auto, false)
            if settings.file_key_ref() == FileKeyRefUse::Auto && is_read && !sandboxed =>
        {
            Ok(Method::FileKeyRef)
        }
        (EnvMethod::Auto | EnvMethod::Exec, false) => Err(Problem::pod(
            format!("container {:?}", display_name(&container.name)),
            "it has no command, and the image's own is not known here, so its variables cannot be set",
            format!(
                "write the image's entrypoint as its command, or where nobody can, in {PREFIX}command.{}: '[\"/PROGRAM\", \"ARGUMENT\"]'; {}or say which containers the variables are for (containers: [NAME])",
                display_name(&container.name),
                if allowed {
                    "or have the kubelet set them, on the node's disk too (env-method: file-key-ref); "
                } else {
                    ""
                },
            ),
        )),
    }
}
