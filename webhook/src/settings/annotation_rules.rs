//! Annotations that the operator gives to the Pods of namespaces, beneath what these say themselves.

use plan::Glob;

/// The operator's rules, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AnnotationRules(pub(crate) Vec<AnnotationRule>);

/// Says for which Pods its annotations are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnnotationRule {
    /// Said in denials.
    pub(crate) name: String,
    /// Names and not labels, since the owner of a namespace can edit its labels.
    pub(crate) namespaces: Vec<Glob>,
    /// By key, without our prefix.
    pub(crate) annotations: Vec<(String, String)>,
}

impl AnnotationRules {
    /// Those for the Pods of a namespace.
    pub(crate) fn of(&self, namespace: &str) -> impl Iterator<Item = &AnnotationRule> {
        let names = move |rule: &&AnnotationRule| {
            rule.namespaces.iter().any(|pattern| pattern.matches(namespace))
        };
        self.0.iter().filter(names)
    }

    /// How much it takes at most to find them.
    pub(crate) fn effort(&self) -> usize {
        // It may begin and end as any pattern does.
        let longest = "*".repeat(NAMESPACE);
        let patterns = self.0.iter().flat_map(|rule| &rule.namespaces);
        patterns.map(|pattern| pattern.effort(&longest)).sum()
    }
}

/// No namespace has a longer name.
const NAMESPACE: usize = 63;
