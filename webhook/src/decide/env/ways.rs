//! What is special about the ways on which variables get into containers.

use super::EnvReader;
use crate::patch::desired_pod::Method;
use crate::problem::Problem;

impl EnvReader<'_, '_> {
    /// On a virtual node no kubelet reads files, so a Pod that goes nowhere else would never start.
    pub(super) fn check_nodes(&mut self) {
        let mut targets = self.environment.targets.iter();
        if self.is_for_virtual_nodes && targets.any(|target| target.method == Method::FileKeyRef) {
            self.problems.push(Problem::annotation(
                "env-method",
                "the Pod is for virtual nodes, where no kubelet reads variables from files",
                "use exec and a command",
            ));
        }
    }

    /// What is special about the way that was chosen.
    pub(super) fn explain(&mut self) {
        let of = |method: Method| {
            let targets = self.environment.targets.iter().filter(|target| target.method == method);
            targets.map(|target| target.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (exec, read) = (of(Method::Exec), of(Method::FileKeyRef));
        let warnings = &mut self.environment.warnings;
        if !exec.is_empty() {
            warnings.push(format!(
                "variables of {exec:.64} are set for its main process (its command is started through ours); exec probes, lifecycle hooks and kubectl exec do not see them"
            ));
        }
        if !read.is_empty() {
            warnings.push(format!(
                "variables of {read:.64} are set by the kubelet from memory (fileKeyRef), but the container runtime keeps their values on the node's disk; with a command they can be kept off it (env-method: exec)"
            ));
            if self.pod.spec.runtime_class_name.is_some() {
                warnings.push(
                    "the Pod has a runtimeClassName: in a sandbox the kubelet may not see the file that a variable is read from; with env-method: exec nothing depends on it"
                        .to_owned(),
                );
            }
        }
    }
}
