//! Marked JSON becomes values without a tree in between, and each part is paid for before it is
//! there: what does not fit into the fuel never fills the memory.

use std::fmt;

use minijinja::State;
use minijinja::value::Value;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::number::{self, Unmarked};

/// Each value takes a hundred bytes of memory, however short it is written.
const VALUE: u64 = 1;
/// A list or an object takes several hundred bytes, one that is empty or has a single member too.
const CONTAINER: u64 = 5;

/// Of the numbers in what it reads, all are marked. No deeper than the parser goes.
#[derive(Clone, Copy)]
pub(super) struct Reader<'s>(pub(super) &'s State<'s, 's>);

impl Reader<'_> {
    fn pay<E: Error>(self, fuel: u64) -> Result<(), E> {
        self.0.consume_fuel(fuel).map_err(|_| E::custom("no fuel is left"))
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("marked JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.pay(VALUE)?;
        Ok(Value::from(()))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Value, E> {
        self.pay(VALUE)?;
        Ok(Value::from(truth))
    }

    fn visit_str<E: Error>(self, marked: &str) -> Result<Value, E> {
        self.pay(VALUE)?;
        Ok(match number::unmark(marked) {
            Unmarked::Number(number) => number::value(number),
            Unmarked::Text(text) => Value::from(text),
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        self.pay(CONTAINER)?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::from(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        self.pay(CONTAINER)?;
        let mut members = Vec::new();
        while let Some(member) = object.next_entry_seed(Key, self)? {
            members.push(member);
        }
        // Of two members with one key the last one counts.
        Ok(Value::from_pairs(members))
    }
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a marked key")
    }

    fn visit_str<E: Error>(self, marked: &str) -> Result<Value, E> {
        let (Unmarked::Number(key) | Unmarked::Text(key)) = number::unmark(marked);
        Ok(Value::from(key))
    }
}
