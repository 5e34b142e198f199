//! A template is known to be good before it is rendered.

use minijinja::machinery;
use zeroize::Zeroizing;

use crate::evaluator;
use crate::fault::{Fault, Invalid};
use crate::limits::{CheckFuel, MAX_TEMPLATE_BYTES};
use crate::run::SecretCall;
use crate::token_limits;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    secrets: Vec<SecretCall>,
}

/// The parser says this where a template nests deeper than it goes, which is less than tokens may.
const RECURSION: &str = "recursion";

impl Template {
    /// The result is a template that can only fail because of its values, or all that is wrong.
    pub fn parse(text: &str) -> Result<Self, Vec<Invalid>> {
        Self::parse_one_of(text, &mut CheckFuel::default())
    }

    /// What its check costs is not there any more for those that are checked with the same fuel.
    pub fn parse_one_of(text: &str, fuel: &mut CheckFuel) -> Result<Self, Vec<Invalid>> {
        if text.len() > MAX_TEMPLATE_BYTES {
            return Err(vec![Fault::TooLong(text.len()).at(1)]);
        }
        if let Some((before, _)) = text.split_once('\0') {
            return Err(vec![Fault::Nul.at(before.split('\n').count())]);
        }
        let one = |invalid| vec![invalid];
        let targets = token_limits::check(text, &mut fuel.tokens).map_err(one)?;
        let tree = tree(text).map_err(one)?;
        let secrets = evaluator::check(&tree, targets, fuel)?;
        Ok(Self { text: text.to_owned(), secrets })
    }

    /// Each one once, in the order in which they are used first.
    #[must_use]
    pub fn secrets(&self) -> &[SecretCall] {
        &self.secrets
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `value` gives what belongs to a source as it is written in the template.
    pub fn render<'v>(
        &self,
        value: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<Zeroizing<Vec<u8>>, Invalid> {
        if let Some(secret) = self.secrets.iter().find(|it| value(&it.source).is_none()) {
            return Err(Fault::Operation("a source gave no value".to_owned()).at(secret.line));
        }
        let (values, tree) = (|source: &str| value(source), tree(&self.text)?);
        let mut text = evaluator::render(&tree, &values).map_err(|it| *it)?;
        Ok(Zeroizing::new(std::mem::take(&mut *text).into_bytes()))
    }
}

fn tree(text: &str) -> Result<machinery::ast::Stmt<'_>, Invalid> {
    machinery::parse(text, "", token_limits::syntax()).map_err(|error| {
        let is_too_deep = error.detail().is_some_and(|detail| detail.contains(RECURSION));
        let fault = if is_too_deep { Fault::TooDeep } else { Fault::Syntax };
        fault.at(error.line().unwrap_or(1))
    })
}
