//! Values as JSON has them, and the texts that readers of other languages take for the same values.
//!
//! Numbers keep their texts. What is made here is wiped when it goes, has a bound, and is paid for with
//! fuel, so that whoever asks decides how much work that may be. Errors hold keys and no value.

mod comparison;
mod decimal;
mod error;
pub mod file;
mod fuel;
pub mod json;
mod kinds;
pub mod pem;
pub mod quote;
mod text;
mod value;

pub use crate::decimal::Decimal;
pub use crate::error::Error;
pub use crate::fuel::Fuel;
pub use crate::kinds::Kinds;
pub use crate::text::{Builder, Text};
pub use crate::value::{Members, Value, ValueResult, build, paid_text};
