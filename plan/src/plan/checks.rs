//! What makes variables and all keys of a plan invalid.

use std::collections::HashSet;

use super::{InvalidPlan, Parts};
use crate::all_keys::{KeysTarget, MAX_ALL_KEYS};
use crate::env::MAX_VARIABLES;

impl Parts {
    pub(super) fn check_variables(&self) -> Result<(), InvalidPlan> {
        let lookups = self.lookups.len();
        let variables = self.env.iter().flat_map(|env| &env.variables);
        let mut known = HashSet::new();
        for variable in variables {
            if variable.containers().next().is_none() {
                return Err(InvalidPlan::NoContainer(variable.name.to_string()));
            }
            for container in variable.containers() {
                if !known.insert((&variable.name, container)) {
                    let (name, container) = (variable.name.to_string(), container.to_string());
                    return Err(InvalidPlan::SameVariable(name, container));
                }
            }
            if variable.content.sources().any(|from| from >= lookups) {
                return Err(InvalidPlan::NoSuchLookup(variable.name.to_string()));
            }
        }
        if known.len() > MAX_VARIABLES {
            return Err(InvalidPlan::TooManyVariables(known.len()));
        }
        Ok(())
    }

    /// Variables of all keys lie beside the others, so that there must be a place for them.
    pub(super) fn check_all_keys(&self) -> Result<(), InvalidPlan> {
        let parts = self;
        if parts.all_keys.len() > MAX_ALL_KEYS {
            return Err(InvalidPlan::TooManyKeys(parts.all_keys.len()));
        }
        for keys in &parts.all_keys {
            let has_place = match &keys.become_what {
                KeysTarget::Files { .. } => true,
                KeysTarget::Variables { .. } => {
                    parts.env.is_some() && parts.variable_rules.is_some()
                }
            };
            if keys.value.from >= parts.lookups.len() || !has_place {
                return Err(InvalidPlan::NoSuchLookup("*".to_owned()));
            }
        }
        Ok(())
    }
}
