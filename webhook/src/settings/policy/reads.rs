//! What the rules that let a Pod use a role let it read: which secrets and parameters, in which
//! regions, and from which hosts.

use plan::{Glob, Host, Region};

use super::rule::{NAMED, Rule};
use crate::settings::comparisons::Comparisons;
use crate::settings::service::Service;

/// The rules that let a namespace use a role. One of them must allow all of a reading.
#[derive(Debug)]
pub(crate) struct Reads<'p>(pub(super) Vec<&'p Rule>);

/// Where something is read.
#[derive(Debug)]
pub(crate) struct ReadPlace<'a> {
    pub(crate) product: Service,
    /// The region of the request, and the region of a shared host that the Pod names.
    pub(crate) regions: Vec<Region>,
    /// A host that neither the region nor the operator's settings say.
    pub(crate) host: Option<&'a Host>,
}

/// Why no rule allows a reading: what the one that came nearest does not name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outside {
    Name,
    Region(Region),
    Host(Host),
}

impl Reads<'_> {
    /// Whether no rule lets the Pod use the role at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rules by their names, as a denial says them: like `rule "payments"`.
    pub(crate) fn rules(&self) -> String {
        let named: Vec<_> =
            self.0.iter().take(NAMED).map(|rule| format!("rule {:?}", rule.name)).collect();
        match self.0.len().saturating_sub(NAMED) {
            0 => named.join(", "),
            more => format!("{}, and {more} more", named.join(", ")),
        }
    }

    pub(crate) fn check(
        &self,
        name: &str,
        place: &ReadPlace<'_>,
        comparisons: &mut Comparisons,
    ) -> Result<(), Outside> {
        let mut nearest = Outside::Name;
        for rule in &self.0 {
            if !rule.means(name, place.product, comparisons) {
                continue;
            }
            match rule.reaches(place, comparisons) {
                Ok(()) => return Ok(()),
                Err(Outside::Region(_)) if matches!(nearest, Outside::Host(_)) => {}
                Err(outside) => nearest = outside,
            }
        }
        Err(nearest)
    }

    /// Patterns of the names that may be read at a place; `None` is all.
    pub(crate) fn names(
        &self,
        place: &ReadPlace<'_>,
        comparisons: &mut Comparisons,
    ) -> Option<Vec<Glob>> {
        let mut names = Vec::new();
        for rule in self.0.iter().filter(|rule| rule.reaches(place, comparisons).is_ok()) {
            let patterns = rule.secrets.as_ref()?.iter();
            let patterns = patterns.filter(|pattern| pattern.is_about(place.product));
            names.extend(patterns.map(|pattern| pattern.name.clone()));
        }
        Some(names)
    }
}

impl Rule {
    fn means(&self, name: &str, product: Service, comparisons: &mut Comparisons) -> bool {
        self.secrets.as_ref().is_none_or(|patterns| {
            patterns
                .iter()
                .any(|pattern| pattern.is_about(product) && comparisons.means(&pattern.name, name))
        })
    }

    fn reaches(&self, place: &ReadPlace<'_>, comparisons: &mut Comparisons) -> Result<(), Outside> {
        let mut within = |globs: &Option<Vec<Glob>>, text: &str| {
            globs
                .as_ref()
                .is_none_or(|globs| globs.iter().any(|glob| comparisons.matches(glob, text)))
        };
        if let Some(region) = place.regions.iter().find(|at| !within(&self.regions, at.as_str())) {
            return Err(Outside::Region(region.clone()));
        }
        match place.host.filter(|host| !within(&self.endpoints, host.as_str())) {
            Some(host) => Err(Outside::Host(host.clone())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::pattern::Pattern;
    use super::*;
    use crate::settings::policy::CredentialsKind;

    fn globs(texts: &[&str]) -> Vec<Glob> {
        texts.iter().map(|text| Glob::parse(text).unwrap()).collect()
    }

    fn rule(secrets: &[&str], regions: Option<&[&str]>, endpoints: Option<&[&str]>) -> Rule {
        let pattern = |name| Pattern { product: None, name };
        Rule {
            name: "any".to_owned(),
            namespaces: globs(&["*"]),
            roles: globs(&["*"]),
            credentials: vec![CredentialsKind::Rrsa],
            secrets: Some(globs(secrets).into_iter().map(pattern).collect()),
            regions: regions.map(globs),
            endpoints: endpoints.map(globs),
        }
    }

    fn place<'a>(region: &str, host: Option<&'a Host>) -> ReadPlace<'a> {
        let regions = vec![Region::parse(region).unwrap()];
        ReadPlace { product: Service::Kms, regions, host }
    }

    #[test]
    fn what_the_nearest_rule_does_not_name_is_told() {
        let host = Host::parse("gateway.example").unwrap();
        let rules = [
            rule(&["x"], Some(&["cn-a"]), Some(&["other.example"])),
            rule(&["x"], Some(&["cn-b"]), None),
            rule(&["y"], None, None),
        ];
        let reads = Reads(rules.iter().collect());
        let check =
            |name, place: ReadPlace<'_>| reads.check(name, &place, &mut Comparisons::default());
        assert_eq!(check("x", place("cn-b", Some(&host))), Ok(()));
        assert_eq!(check("z", place("cn-b", None)), Err(Outside::Name));
        assert_eq!(check("x", place("cn-a", Some(&host))), Err(Outside::Host(host.clone())));
        let region = Region::parse("cn-c").unwrap();
        assert_eq!(check("x", place("cn-c", Some(&host))), Err(Outside::Region(region)));
        assert_eq!(check("y", place("cn-c", Some(&host))), Ok(()));
    }

    #[test]
    fn names_are_of_the_rules_that_reach_the_place() {
        let rules = [
            rule(&["a", "b"], Some(&["cn-a"]), None),
            rule(&["c"], None, None),
            Rule { secrets: None, ..rule(&[], Some(&["eu-*"]), None) },
        ];
        let reads = Reads(rules.iter().collect());
        let names = |region: &str| {
            let names = reads.names(&place(region, None), &mut Comparisons::default())?;
            Some(names.iter().map(Glob::to_string).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(names("cn-a").as_deref(), Some("a b c"));
        assert_eq!(names("cn-b").as_deref(), Some("c"));
        assert_eq!(names("eu-west-1"), None);
        let none = Reads(Vec::new()).names(&place("cn-a", None), &mut Comparisons::default());
        assert_eq!(none, Some(Vec::new()));
    }
}
