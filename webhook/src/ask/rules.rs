//! Settings whose rules hold annotations that exist, with values that these may have: who loads settings
//! loads them here.

use super::annotations;
use crate::problem::PREFIX;
use crate::settings::{BadSetting, BadSettings, Inputs, LoadError, Settings};

/// As [`Inputs::load`].
pub fn load(inputs: &Inputs) -> Result<Settings, LoadError> {
    checked(inputs.load()?)
}

/// As [`Inputs::resolve`].
pub fn resolve(inputs: &Inputs, content: Option<&[u8]>) -> Result<Settings, LoadError> {
    checked(inputs.resolve(content)?)
}

fn checked(settings: Settings) -> Result<Settings, LoadError> {
    let mut bad = Vec::new();
    for rule in &settings.rules().0 {
        for (key, text) in &rule.annotations {
            let Err(allowed) = annotations::check(key, text) else { continue };
            let field = format!("rules: {PREFIX}{key:.64} of rule {}", rule.name);
            let value = printable::shorten(text);
            bad.push(BadSetting { field: field.into(), value, allowed: allowed.into() });
        }
    }
    if bad.is_empty() { Ok(settings) } else { Err(BadSettings(bad).into()) }
}
