//! Work is paid for before it is done.

use crate::error::Error;

/// A unit is so many bytes.
const UNIT: usize = 64;

/// So many texts, numbers, parts of JSON and pieces of 64 bytes may still be read or made.
#[derive(Debug, Default)]
pub struct Fuel(pub usize);

impl Fuel {
    /// What has run out once stays out.
    pub fn pay(&mut self, units: usize) -> Result<(), Error> {
        let left = self.0.checked_sub(units);
        self.0 = left.unwrap_or_default();
        left.map(drop).ok_or(Error::OutOfFuel)
    }

    pub fn pay_for_bytes(&mut self, bytes: usize) -> Result<(), Error> {
        self.pay(bytes / UNIT + 1)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.saturating_mul(UNIT)
    }
}
