//! Raw rules with annotations to valid ones. What the annotations themselves may say, is checked where
//! their table is.

use super::Check;
use super::policy::{NAMESPACES, is_name};
use crate::problem::PREFIX;
use crate::settings::annotation_rules::{AnnotationRule, AnnotationRules};
use crate::settings::raw::RawAnnotationRule;

impl Check {
    pub(super) fn annotation_rules(&mut self, raw: Vec<RawAnnotationRule>) -> AnnotationRules {
        let mut rules: Vec<AnnotationRule> = Vec::with_capacity(raw.len());
        for (index, raw) in raw.into_iter().enumerate() {
            let rule = self.annotation_rule(&format!("rules[{index}]"), raw, &rules);
            rules.push(rule);
        }
        let rules = AnnotationRules(rules);
        let effort = rules.effort();
        if effort > MOST_EFFORT {
            let allowed = "fewer or shorter patterns of namespaces";
            self.refuse("rules", format!("patterns of {effort} bytes in all"), allowed);
        }
        rules
    }

    fn annotation_rule(
        &mut self,
        place: &str,
        raw: RawAnnotationRule,
        earlier: &[AnnotationRule],
    ) -> AnnotationRule {
        let name = raw.name.unwrap_or_default();
        let is_taken = earlier.iter().any(|rule| rule.name == name);
        self.name(&format!("{place}.name"), &name, is_taken);
        let namespaces = self.some_of(&format!("{place}.namespaces"), raw.namespaces, NAMESPACES);
        let raw = raw.annotations.unwrap_or_default();
        let field = format!("{place}.annotations");
        if raw.is_empty() {
            self.refuse(field.clone(), "nothing".to_owned(), "a mapping of annotations");
        }
        let mut annotations = Vec::with_capacity(raw.len());
        for (key, text) in raw {
            match key.strip_prefix(PREFIX) {
                Some(key) => annotations.push((key.to_owned(), text)),
                None => self.refuse(field.clone(), key, format!("a key that begins with {PREFIX}")),
            }
        }
        AnnotationRule { name, namespaces, annotations }
    }

    /// A name of a rule, which no other may have.
    pub(super) fn name(&mut self, field: &str, name: &str, is_taken: bool) {
        let allowed = if !is_name(name) {
            "1 to 63 letters, digits, hyphens, dots or underscores"
        } else if is_taken {
            "a name that no other rule has"
        } else {
            return;
        };
        self.refuse(field.to_owned(), name.to_owned(), allowed);
    }
}

/// Some hundred rules with a few patterns each; they are looked for two or three times for each Pod.
const MOST_EFFORT: usize = 64 * 1024;
