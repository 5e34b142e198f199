//! `oos-parameter://NAME`: a plain parameter of OOS, which has no versions and is no JSON.

use std::fmt;

use super::oos::{InvalidOosName, check_name};
use crate::source::written::Written;

pub(in crate::source) const SCHEME: &str = "oos-parameter";
pub(in crate::source) const FORM: &str = "oos-parameter://NAME";

/// A plain parameter of OOS.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OosParameter {
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOosParameter {
    #[error(transparent)]
    Name(#[from] InvalidOosName),
    #[error("oos-parameter:// takes no version and no JMESPath; write oos-parameter://NAME")]
    NotPlain,
}

impl OosParameter {
    pub(in crate::source) fn parse(written: &Written<'_>) -> Result<Self, InvalidOosParameter> {
        if written.selector.is_some() || written.options().next().is_some() {
            return Err(InvalidOosParameter::NotPlain);
        }
        check_name(written.name, 200)?;
        Ok(Self { name: written.name.to_owned() })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for OosParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}://{}", self.name)
    }
}
