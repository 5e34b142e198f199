//! Values are compared here: texts by their characters, numbers by all of their digits.

use std::cmp::Ordering;

use crate::decimal::Decimal;
use crate::error::Error;
use crate::fuel::Fuel;
use crate::value::{Value, member};

impl Value<'_> {
    /// A condition takes it for this. Only its last digit may say that a number is not zero.
    pub fn truth(&self, fuel: &mut Fuel) -> Result<bool, Error> {
        Ok(match self {
            Self::Null => false,
            Self::Bool(truth) => *truth,
            Self::Number(number) => {
                fuel.pay_for_bytes(number.len())?;
                !Decimal::read(number).is_zero()
            }
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(members) => !members.is_empty(),
        })
    }

    /// Single values may be equal. Lists and mappings are not looked into.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) => **left == **right,
            (Self::Null, Self::Null) => true,
            _ => self
                .digits()
                .zip(other.digits())
                .is_some_and(|(a, b)| Decimal::read(a).compare(Decimal::read(b)).is_eq()),
        }
    }

    /// Two texts or two numbers have an order.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) => Some(left.cmp(right)),
            (Self::Number(left), Self::Number(right)) => {
                Some(Decimal::read(left).compare(Decimal::read(right)))
            }
            _ => None,
        }
    }

    /// A text is looked for in a text, an item in a list and a key in a mapping.
    pub fn contains(&self, value: &Self, fuel: &mut Fuel) -> Result<bool, Error> {
        Ok(match (self, value) {
            (Self::Text(text), Self::Text(part)) => {
                fuel.pay_for_bytes(text.len())?;
                text.contains(&**part)
            }
            (Self::List(items), _) => {
                let digits: usize = items.iter().filter_map(Self::digits).map(str::len).sum();
                fuel.pay_for_bytes(items.len() + digits)?;
                let number = value.number();
                items.iter().any(|item| match (number, item.number()) {
                    (Some(number), Some(item)) => number.compare(item).is_eq(),
                    _ => item.equals(value),
                })
            }
            (Self::Map(members), Self::Text(key)) => member(members, key).is_some(),
            _ => false,
        })
    }

    /// A boolean counts as one or zero.
    fn digits(&self) -> Option<&str> {
        match self {
            Self::Bool(truth) => Some(if *truth { "1" } else { "0" }),
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    fn number(&self) -> Option<Decimal<'_>> {
        self.digits().map(Decimal::read)
    }
}
