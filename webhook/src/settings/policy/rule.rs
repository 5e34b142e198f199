//! One rule of the operator's, and how near it comes to allowing something.

use plan::{Glob, Principal};

use super::pattern::Pattern;
use crate::settings::comparisons::Comparisons;

/// A denial names no more rules: more would not fit into the one line that people see.
pub(super) const NAMED: usize = 3;

/// Lets Pods of these namespaces use these roles by these credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Said in denials.
    pub(crate) name: String,
    /// Names and not labels, since the owner of a namespace can edit its labels.
    pub(crate) namespaces: Vec<Glob>,
    pub(crate) roles: Vec<Glob>,
    pub(crate) credentials: Vec<CredentialsKind>,
    /// Names of secrets and parameters; `None` is all, here and below.
    pub(crate) secrets: Option<Vec<Pattern>>,
    pub(crate) regions: Option<Vec<Glob>>,
    /// Hosts that a Pod may name beside those of the region and of the settings.
    pub(crate) endpoints: Option<Vec<Glob>>,
}

/// The kinds of what a Pod proves its identity with; those that this version can use are a value in
/// the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CredentialsKind {
    Rrsa,
    EcsRamRole,
    Secret,
}

/// What a rule says about one question.
pub(super) struct RuleVerdict<'a> {
    rule: &'a Rule,
    pub(super) namespace: bool,
    role: bool,
    credentials: bool,
}

impl Rule {
    pub(super) fn judge(
        &self,
        namespace: &str,
        principal: Principal<'_>,
        credentials: CredentialsKind,
        comparisons: &mut Comparisons,
    ) -> RuleVerdict<'_> {
        let mut any =
            |globs: &[Glob], text: &str| globs.iter().any(|glob| comparisons.matches(glob, text));
        let namespace = any(&self.namespaces, namespace);
        RuleVerdict {
            rule: self,
            namespace,
            // What a rule for others says of roles costs nothing, and tells nothing.
            role: namespace && any(&self.roles, &principal.text()),
            credentials: self.credentials.contains(&credentials),
        }
    }
}

impl RuleVerdict<'_> {
    pub(super) fn agreements(&self) -> usize {
        [self.namespace, self.role, self.credentials].into_iter().filter(|agrees| *agrees).count()
    }

    /// Like `rule "payments" (not the role)`.
    pub(super) fn shortfall(&self) -> String {
        let parts = [(self.role, "the role"), (self.credentials, "the credentials")];
        let missing: Vec<_> =
            parts.into_iter().filter(|(agrees, _)| !agrees).map(|(_, part)| part).collect();
        format!("rule {:?} (not {})", self.rule.name, missing.join(", not "))
    }
}

impl CredentialsKind {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let all = [Self::Rrsa, Self::EcsRamRole, Self::Secret];
        all.into_iter().find(|credentials| credentials.as_str() == text)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Rrsa => "rrsa",
            Self::EcsRamRole => "ecs-ram-role",
            Self::Secret => "secret",
        }
    }
}
