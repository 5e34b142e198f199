//! These bounds say how large a template and what it makes may be, and how much work that may take.

use formats::Fuel;

/// A template fits into an annotation beside others, and parses in a millisecond.
pub const MAX_TEMPLATE_BYTES: usize = 16 * 1024;

/// The largest secret has as much, and volumes have room for that.
pub const MAX_OUTPUT_BYTES: usize = 64 * 1024;

/// What the parser takes longest for is not the length of a template, but how many words, signs and
/// pieces of text it has. All templates of one Pod have so many, which are parsed and checked in half a
/// millisecond.
pub(crate) const MAX_TOKENS: usize = 3072;

/// The engine reads a number that is written in a template as a machine's number, which takes a hundred
/// times longer where it has more digits than such a number holds.
pub(crate) const MAX_NUMBER_BYTES: usize = 20;

/// A template of the allowed size with values of the allowed size needs this a few times over.
pub(crate) const FUEL_TO_RENDER: usize = 100_000;

/// A check works on what is written out in a template alone, and leaves undecided what takes longer.
pub(crate) const FUEL_TO_CHECK: usize = 64;

/// All templates of one Pod are checked on this.
const FUEL_TO_CHECK_ALL: usize = 512;

/// What may be spent on checking templates that stand in one Pod.
#[derive(Debug)]
pub struct CheckFuel {
    operations: Fuel,
    pub(crate) tokens: usize,
}

impl Default for CheckFuel {
    fn default() -> Self {
        Self { operations: Fuel(FUEL_TO_CHECK_ALL), tokens: MAX_TOKENS }
    }
}

impl CheckFuel {
    /// With this nothing is tried: only kinds of values are checked.
    #[must_use]
    pub fn none() -> Self {
        Self { operations: Fuel(0), ..Self::default() }
    }

    /// What one template may have of it.
    pub(crate) fn take(&mut self) -> Fuel {
        let Fuel(left) = &mut self.operations;
        let taken = FUEL_TO_CHECK.min(*left);
        *left -= taken;
        Fuel(taken)
    }

    pub(crate) fn give_back(&mut self, rest: &mut Fuel) {
        self.operations.0 += std::mem::take(&mut rest.0);
    }
}
