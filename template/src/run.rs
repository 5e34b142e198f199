//! A run over a template renders it, with the values of its sources, or checks it, without them.
//!
//! A check walks every branch and takes what a secret holds for a value of which only the kind is
//! known, so that what fails all the same fails whatever the secrets hold.

use std::collections::HashSet;

use crate::error::Error;
use crate::fault::{Fault, Invalid};
use crate::limits::{FUEL_TO_RENDER, Fuel};
use crate::text::Text;
use crate::value::{TypeKind, Value, ValueResult};

/// So many mistakes are reported; with these mended, the next ones are.
const MOST: usize = 8;

pub(crate) type Values<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;
pub(crate) type WalkResult<T> = Result<T, Box<Invalid>>;
pub(crate) type EvalResult<'a> = WalkResult<Value<'a>>;

pub(crate) struct Run<'a> {
    /// There are none while a template is checked.
    values: Option<&'a Values<'a>>,
    pub(crate) fuel: Fuel,
    /// A check counts the conditions that may keep this place from running.
    conditions: usize,
    secrets: Vec<(&'a str, usize)>,
    invalid: Vec<Invalid>,
}

impl<'a> Run<'a> {
    pub(crate) fn to_check(fuel: Fuel) -> Self {
        Self { values: None, fuel, conditions: 0, secrets: Vec::new(), invalid: Vec::new() }
    }

    pub(crate) fn to_render(values: &'a Values<'a>) -> Self {
        Self { values: Some(values), ..Self::to_check(Fuel(FUEL_TO_RENDER)) }
    }

    pub(crate) fn is_check(&self) -> bool {
        self.values.is_none()
    }

    /// This place runs, whatever the secrets hold.
    pub(crate) fn is_certain(&self) -> bool {
        self.conditions == 0
    }

    /// What runs only if a condition holds is walked if it does. A check walks it in any case.
    pub(crate) fn enter(&mut self, is_taken: bool) -> bool {
        self.conditions += usize::from(self.is_check());
        is_taken || self.is_check()
    }

    pub(crate) fn leave(&mut self) {
        self.conditions -= usize::from(self.is_check());
    }

    /// A mistake ends rendering. A check goes on, until it has found enough.
    pub(crate) fn fault(&mut self, line: usize, fault: Fault) -> EvalResult<'a> {
        let invalid = Box::new(fault.at(line));
        if self.is_check() {
            self.invalid.push(Invalid::clone(&invalid));
            if self.invalid.len() < MOST {
                return Ok(Value::Unknown(TypeKind::Any));
            }
        }
        Err(invalid)
    }

    /// The operation makes values of this kind. One that fails behind a condition may never run, and
    /// the condition may say that its values are other ones there.
    pub(crate) fn resolve(
        &mut self,
        line: usize,
        result: ValueResult<'a>,
        kind: TypeKind,
    ) -> EvalResult<'a> {
        match result {
            Ok(value) => Ok(value),
            Err(Error::Unknown) if self.is_check() => Ok(Value::Unknown(kind)),
            // With more of it the value would be known, and may be asked for what no secret's text has.
            Err(Error::OutOfFuel) if self.is_check() => Ok(Value::Unknown(TypeKind::Any)),
            Err(_) if !self.is_certain() => Ok(Value::Unknown(TypeKind::Any)),
            Err(error) => self.fault(line, Fault::Operation(error.to_string())),
        }
    }

    pub(crate) fn secret(&mut self, line: usize, source: Option<&'a str>) -> EvalResult<'a> {
        let Some(source) = source else { return self.fault(line, Fault::Secret) };
        let Some(values) = self.values else {
            self.secrets.push((source, line));
            return Ok(Value::Unknown(TypeKind::Text));
        };
        let value = values(source).map(|value| Value::Text(Text::Borrowed(value)));
        self.resolve(line, value.ok_or(Error::Unknown), TypeKind::Text)
    }

    /// A check has found the sources, each once with its first line, or all mistakes.
    pub(crate) fn into_result(mut self) -> Result<Vec<(&'a str, usize)>, Vec<Invalid>> {
        if self.secrets.is_empty() && self.invalid.is_empty() {
            self.invalid.push(Fault::NoSecret.at(1));
        }
        let mut known = HashSet::new();
        self.secrets.retain(|(source, _)| known.insert(*source));
        if self.invalid.is_empty() { Ok(self.secrets) } else { Err(self.invalid) }
    }
}
