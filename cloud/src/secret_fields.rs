//! Fields of a refusal that must not be shown: values and credentials that stand in it though it is
//! none of the answers in which they belong.

use std::fmt;

use secret::Sensitive;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Where the services put what is secret, in small letters.
const FIELDS: [&str; 4] = ["secretdata", "value", "accesskeysecret", "securitytoken"];
/// No answer has more of them.
const MOST: usize = 32;
/// Nor more bytes in them: the largest value as base64 has 88 KiB. Each text of a refusal is compared with
/// all of it.
const MOST_BYTES: usize = 96 * 1024;
/// Shorter ones stand in any text.
const SHORTEST: usize = 4;

/// Texts under those names, at any depth of an object. `None` where not all of them are known, or where
/// there is more than any answer has: it would take long to look through.
pub(crate) fn secret_fields(body: &[u8]) -> Option<Vec<Sensitive>> {
    if body.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let mut held = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(body);
    Walk { held: &mut held, secret: false }.deserialize(&mut json).ok()?;
    // What follows the object may hold anything.
    json.end().ok()?;
    let bytes = held.iter().map(Sensitive::len).sum::<usize>();
    (held.len() <= MOST && bytes <= MOST_BYTES).then_some(held)
}

/// Whether a text has one of those fields in it, as JSON that somebody quotes has.
pub(crate) fn quotes_secret_field(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let is_key = |(at, field): (usize, &str)| {
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at + field.len()..).unwrap_or_default();
        let after = after.trim_start_matches('\\');
        let closed = after.strip_prefix(['"', '\'']).map(str::trim_start);
        before.ends_with(['"', '\'']) && closed.is_some_and(|rest| rest.starts_with(':'))
    };
    FIELDS.iter().any(|field| text.match_indices(field).any(is_key))
}

struct Walk<'h> {
    /// One more than there may be at most.
    held: &'h mut Vec<Sensitive>,
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
        if self.secret && text.len() >= SHORTEST && self.held.len() <= MOST {
            self.held.push(Sensitive::from(text.to_owned()));
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
                Ok(Name(FIELDS.iter().any(|field| field.eq_ignore_ascii_case(text))))
            }
        }
        deserializer.deserialize_str(Key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(body: &str) -> Option<Vec<String>> {
        let held = secret_fields(body.as_bytes())?;
        Some(held.iter().map(|held| String::from_utf8(held.expose().to_vec()).unwrap()).collect())
    }

    #[test]
    fn values_and_credentials_are_found_wherever_they_stand_in_a_refusal() {
        let body = r#"{"Code":"X","a":[{"SecretData":"first"},{"Credentials":{"AccessKeySecret":"second",
            "SecurityToken":"third","AccessKeyId":"no"}}],"parameter":{"value":{"x":["fourth","",7]}}}"#;
        assert_eq!(texts(body).unwrap(), ["first", "second", "third", "fourth"]);
        assert_eq!(texts(r#"{"Message":"SecretData"}"#).unwrap(), [""; 0]);
    }

    #[test]
    fn what_cannot_be_known_whole_is_not_known() {
        let many =
            |count| format!(r#"{{"Code":"X","Value":[{}"abcd"]}}"#, r#""abcd","#.repeat(count));
        assert_eq!(texts(&many(MOST - 1)).unwrap().len(), MOST);
        for body in [
            many(MOST).as_str(),
            r#"{"SecretData":"cut off","Code"#,
            r#"{"x":1e999,"Code":"X","SecretData":"behind"}"#,
            &format!("{}1{}", "[".repeat(200), "]".repeat(200)),
            "no JSON",
        ] {
            assert_eq!(texts(body), None, "{body}");
        }
    }

    #[test]
    fn a_text_that_quotes_such_a_field_is_recognised() {
        for text in [
            r#"upstream said {"SecretData": "x"}"#,
            r#"upstream said {\"SecurityToken\":\"x\"}"#,
            "upstream said {'AccessKeySecret' : 'x'}",
            r#"upstream said {"value":"x"}"#,
        ] {
            assert!(quotes_secret_field(text), "{text}");
        }
        for text in [
            "Specified SecurityToken is expired.",
            "the parameter \"SecretName\" is bad",
            "The specified parameter \"SecurityToken.Expired\" is not valid.",
            "the \"Value\" is bad",
        ] {
            assert!(!quotes_secret_field(text), "{text}");
        }
    }
}
