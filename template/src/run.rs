//! A run over a template renders it, with the values of its sources, or checks it, without them.
//!
//! A check walks every branch and takes what a secret holds for a value of which only the kind is
//! known, so that what fails all the same fails whatever the secrets hold.

use std::collections::HashSet;

use formats::{Error, Fuel, Kinds};

use crate::fault::{Fault, Invalid};
use crate::operand::{Operand, OperandResult};

/// So many mistakes are reported; with these mended, the next ones are.
const MOST: usize = 8;

pub(crate) type Values<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;
pub(crate) type WalkResult<T> = Result<T, Box<Invalid>>;
pub(crate) type EvalResult<'a> = WalkResult<Operand<'a>>;

/// What stands in one `secret("…")`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretCall {
    pub source: String,
    /// Where it is used first.
    pub line: usize,
}

pub(crate) struct Run<'a> {
    /// There are none while a template is checked.
    values: Option<&'a Values<'a>>,
    pub(crate) fuel: Fuel,
    /// A check counts the conditions that may keep this place from running.
    pub(crate) conditions: usize,
    sources: HashSet<&'a str>,
    secrets: Vec<SecretCall>,
    invalid: Vec<Invalid>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(values: Option<&'a Values<'a>>, fuel: Fuel) -> Self {
        let (sources, secrets, invalid) = (HashSet::new(), Vec::new(), Vec::new());
        Self { values, fuel, conditions: 0, sources, secrets, invalid }
    }

    pub(crate) fn is_check(&self) -> bool {
        self.values.is_none()
    }

    /// This place runs, whatever the secrets hold.
    pub(crate) fn is_certain(&self) -> bool {
        self.conditions == 0 || !self.is_check()
    }

    /// A mistake ends rendering. A check goes on, until it has found enough.
    pub(crate) fn fault(&mut self, line: usize, fault: Fault) -> EvalResult<'a> {
        let invalid = Box::new(fault.at(line));
        if self.is_check() {
            self.invalid.push(Invalid::clone(&invalid));
            if self.invalid.len() < MOST {
                return Ok(Operand::Unknown(Kinds::ANY));
            }
        }
        Err(invalid)
    }

    /// An operation that fails behind a condition may never run, and the condition may say that its
    /// values are other ones there. With more fuel the value would be known, and may be asked for what no
    /// secret's text has.
    pub(crate) fn resolve(&mut self, line: usize, result: OperandResult<'a>) -> EvalResult<'a> {
        match result {
            Ok(operand) => Ok(operand),
            Err(Error::OutOfFuel) if self.is_check() => Ok(Operand::Unknown(Kinds::ANY)),
            Err(_) if !self.is_certain() => Ok(Operand::Unknown(Kinds::ANY)),
            Err(error) => self.fault(line, Fault::Operation(error.to_string())),
        }
    }

    pub(crate) fn secret(&mut self, line: usize, source: Option<&'a str>) -> EvalResult<'a> {
        let Some(source) = source else { return self.fault(line, Fault::Secret) };
        let Some(values) = self.values else {
            if self.sources.insert(source) {
                self.secrets.push(SecretCall { source: source.to_owned(), line });
            }
            return Ok(Operand::Unknown(Kinds::TEXT));
        };
        let value = values(source).map(Operand::text);
        self.resolve(line, value.ok_or_else(|| Error::words("a source gave no value")))
    }

    /// A check has found the sources, each once with its first line, or all mistakes.
    pub(crate) fn into_result(mut self) -> Result<Vec<SecretCall>, Vec<Invalid>> {
        if self.secrets.is_empty() && self.invalid.is_empty() {
            self.invalid.push(Fault::NoSecret.at(1));
        }
        if self.invalid.is_empty() { Ok(self.secrets) } else { Err(self.invalid) }
    }
}
