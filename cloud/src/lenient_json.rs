//! Fields of an answer, read without trust in their shape: what is not of use is passed over
//! without being kept, and no library's error repeats it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// An object and nothing else. A library's error would quote a string that stands there instead.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Object<T>, E> {
        Err(E::custom("a string in place of an object"))
    }
}

/// A list that has at most so many elements.
pub(crate) struct Few<T, const MOST: usize>(pub(crate) Vec<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Few<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FewVisitor(PhantomData))
    }
}

struct FewVisitor<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for FewVisitor<T, MOST> {
    type Value = Few<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            if elements.len() >= MOST {
                return Err(de::Error::custom("too many elements"));
            }
            elements.push(element);
        }
        Ok(Few(elements))
    }
}

/// A whole number, as a number.
pub(crate) struct Number(pub(crate) Option<u32>);

/// A string, where it is one.
#[derive(Default)]
pub(crate) struct Word(pub(crate) Option<String>);

/// The strings of a list that are of use, up to a bound.
#[derive(Default)]
pub(crate) struct Words(Vec<String>);

/// The list under `VersionStage`, where there is one.
#[derive(Default)]
pub(crate) struct Stages(pub(crate) Vec<String>);

/// What becomes of each kind of JSON. What is of no use is passed over.
trait Lenient<'de>: Sized {
    fn none() -> Self;

    fn string(_: &str) -> Self {
        Self::none()
    }

    fn number(_: u64) -> Self {
        Self::none()
    }

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        pass(&mut list)?;
        Ok(Self::none())
    }

    fn object<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::none())
    }
}

fn pass<'de, A: SeqAccess<'de>>(list: &mut A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

struct LenientVisitor<T>(PhantomData<T>);

impl<'de, T: Lenient<'de>> Visitor<'de> for LenientVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        Ok(T::none())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<T, E> {
        Ok(T::none())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<T, E> {
        Ok(T::none())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<T, E> {
        Ok(T::none())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        Ok(T::number(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        Ok(T::string(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::object(map)
    }
}

impl<'de> Lenient<'de> for Number {
    fn none() -> Self {
        Self(None)
    }

    fn number(number: u64) -> Self {
        Self(u32::try_from(number).ok())
    }
}

impl<'de> Lenient<'de> for Word {
    fn none() -> Self {
        Self::default()
    }

    fn string(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
}

impl<'de> Lenient<'de> for Words {
    fn none() -> Self {
        Self::default()
    }

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut words = Vec::new();
        while words.len() < MOST {
            match list.next_element::<Word>()? {
                Some(Word(word)) => words.extend(word),
                None => return Ok(Self(words)),
            }
        }
        pass(&mut list)?;
        Ok(Self(words))
    }
}

impl<'de> Lenient<'de> for Stages {
    fn none() -> Self {
        Self::default()
    }

    fn object<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut stages = Vec::new();
        while let Some(Word(key)) = map.next_key()? {
            if key.as_deref() == Some("VersionStage") {
                Words(stages) = map.next_value()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Self(stages))
    }
}

macro_rules! lenient {
    ($($shape:ty),+) => {$(
        impl<'de> Deserialize<'de> for $shape {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(LenientVisitor(PhantomData))
            }
        }
    )+};
}

lenient!(Number, Word, Words, Stages);

/// A version has at most 8 stages.
const MOST: usize = 16;

#[cfg(test)]
mod tests;
