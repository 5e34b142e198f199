//! What a refusal holds that nobody is to be told: values and credentials that stand in it though it is
//! none of the answers in which they belong.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::sensitive::Sensitive;

/// Where the services put what is secret.
const FIELDS: [&str; 4] = ["SecretData", "Value", "AccessKeySecret", "SecurityToken"];

/// Texts under those names, at any depth.
#[derive(Default)]
pub(crate) struct Held(pub(crate) Vec<Sensitive>);

impl Held {
    pub(crate) fn of(body: &[u8]) -> Self {
        let mut held = Self::default();
        // What was found before the body ends or breaks counts as well.
        let mut json = serde_json::Deserializer::from_slice(body);
        let _ = Walk { held: &mut held, secret: false }.deserialize(&mut json);
        held
    }
}

/// Whether a text has one of those fields in it, as JSON that somebody quotes has.
pub(crate) fn quotes(text: &str) -> bool {
    let names = |rest: &str| FIELDS.iter().any(|field| rest.starts_with(field));
    text.split(['"', '\'']).skip(1).any(names)
}

struct Walk<'h> {
    held: &'h mut Held,
    /// What comes next stands under one of those names.
    secret: bool,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if self.secret {
            self.held.0.push(Sensitive::from(text.to_owned()));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { held, secret } = self;
        while list.next_element_seed(Walk { held, secret })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { held, secret } = self;
        while let Some(Name(named)) = map.next_key()? {
            map.next_value_seed(Walk { held, secret: secret || named })?;
        }
        Ok(())
    }
}

/// Whether a key is one of those names; the key itself is not kept.
struct Name(bool);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Key;
        impl Visitor<'_> for Key {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E>(self, text: &str) -> Result<Name, E> {
                Ok(Name(FIELDS.contains(&text)))
            }
        }
        deserializer.deserialize_str(Key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(body: &str) -> Vec<String> {
        let Held(held) = Held::of(body.as_bytes());
        held.iter().map(|held| String::from_utf8(held.expose().to_vec()).unwrap()).collect()
    }

    #[test]
    fn values_and_credentials_are_found_wherever_they_stand_in_a_refusal() {
        let body = r#"{"Code":"X","a":[{"SecretData":"one"},{"Credentials":{"AccessKeySecret":"two",
            "SecurityToken":"three","AccessKeyId":"no"}}],"Parameter":{"Value":{"x":["four"]}}}"#;
        assert_eq!(held(body), ["one", "two", "three", "four"]);
        assert_eq!(held(r#"{"SecretData":"one","Code"#), ["one"], "cut off");
        assert!(held("no JSON").is_empty() && held(r#""SecretData""#).is_empty());
    }

    #[test]
    fn a_text_that_quotes_such_a_field_is_recognised() {
        for text in [
            r#"upstream said {"SecretData": "x"}"#,
            r#"upstream said {\"SecurityToken\":\"x\"}"#,
            "upstream said {'AccessKeySecret': 'x'}",
        ] {
            assert!(quotes(text), "{text}");
        }
        for text in ["Specified SecurityToken is expired.", "the parameter \"SecretName\" is bad"] {
            assert!(!quotes(text), "{text}");
        }
    }
}
