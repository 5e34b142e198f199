//! The operator's rules as annotations: the first that names the Pod's namespace and has a key counts.

use super::stack::{Layer, Layers};
use crate::problem::Problems;
use crate::settings::Settings;

impl<'a> Layers<'a> {
    pub(super) fn lay_rules(
        &mut self,
        namespace: &str,
        settings: &'a Settings,
        problems: &mut Problems,
    ) {
        for rule in settings.rules().of(namespace) {
            for (key, text) in &rule.annotations {
                self.lay(key, text, Layer::Rule { name: &rule.name }, problems);
            }
        }
    }
}
