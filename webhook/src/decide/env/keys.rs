//! All keys of a secret, as variables of containers that are started by us.

use plan::{MAX_ALL_KEYS, OnMissing, keys_marker};

use super::EnvReader;
use crate::ask::secrets::{KeysEntry, WantedKeys, WantedTarget};
use crate::patch::desired_pod::Method;

impl EnvReader<'_, '_> {
    /// All keys go to containers that are started by us: the kubelet sets only what is named.
    pub(super) fn take_keys(&mut self, entry: KeysEntry) {
        if self.is_full() {
            return;
        }
        let KeysEntry { prefix, containers, options, secret } = entry;
        let place = secret.place.clone();
        if self.keys_seen >= MAX_ALL_KEYS {
            self.problems.push(place.problem(
                format!("all keys of more than {MAX_ALL_KEYS} secrets are wanted"),
                "put several values into one secret",
            ));
            return;
        }
        self.keys_seen += 1;
        let index = self.keys_before + self.all_keys.len();
        let is_required = options.on_missing.unwrap_or(self.request.on_missing) == OnMissing::Fail;
        let (mut exec, mut targets) = (Vec::new(), Vec::new());
        for position in self.chosen(containers.as_deref(), &place) {
            targets.extend(self.target(position));
        }
        targets.sort_unstable();
        for at in targets {
            let Some(target) = self.environment.targets.get_mut(at) else { continue };
            if target.method == Method::FileKeyRef {
                self.problems.push(place.problem(
                    format!(
                        "the kubelet sets the variables of container {}, and only those that are named",
                        target.name
                    ),
                    "name each key, or have it started through its command (env-method: exec)",
                ));
                continue;
            }
            target.all_keys += 1;
            if is_required {
                target.required.push(keys_marker(index));
            }
            exec.push(target.name.clone());
        }
        if !exec.is_empty() {
            let target = WantedTarget::Variables(exec);
            self.all_keys.push(WantedKeys { prefix, options, target, place, secret });
        }
    }
}
