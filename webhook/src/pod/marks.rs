//! A Pod's annotations and label of ours, picked out while its JSON is read.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::text::{self, Text};
use crate::problem::PREFIX;

/// With it the component ack-kms-agent-webhook-injector adds a KMS Agent.
pub(crate) const KMS_AGENT: &str = "kms-agent-webhook-injector/inject";

/// Annotations of ours, without the status.
pub(super) const MAX_ANNOTATIONS: usize = 128;

/// With the status.
const MAX_KEPT_ANNOTATIONS: usize = MAX_ANNOTATIONS + 1;

/// Annotations under our prefix, keys without it, in the order of the Pod: as many as a Pod may have.
#[derive(Debug, Default)]
pub(crate) struct Annotated<'a> {
    pub(crate) ours: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Keys of ours whose values are no strings, with what they are instead.
    pub(crate) untyped: Vec<(Cow<'a, str>, &'static str)>,
    /// A static Pod's shadow in the API: nothing can be injected into it.
    pub(crate) mirror: bool,
    /// How many there are, kept or not.
    pub(crate) count: usize,
    /// Another webhook is asked for an agent, which would answer at the same place.
    pub(crate) asks_for_kms_agent: bool,
}

/// The values of the labels that count.
#[derive(Debug, Default)]
pub(crate) struct Labelled<'a> {
    pub(crate) injection: Option<Cow<'a, str>>,
    /// Elastic container instances: a virtual node.
    pub(crate) eci: Option<Cow<'a, str>>,
}

/// A value that should be a string.
enum Given<'a> {
    Text(Cow<'a, str>),
    Other(&'static str),
}

impl<'de: 'a, 'a> Deserialize<'de> for Given<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Given<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Given::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Given::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Given::Other("a boolean"))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Given::Other("a number"))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Given::Other("a number"))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Given::Other("a number"))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Given::Other("nothing"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Given::Other("a list"))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Given::Other("a mapping"))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Annotated<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Annotated<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("annotations")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut found = Annotated::default();
                while let Some(Text(key)) = map.next_key()? {
                    found.mirror |= key == "kubernetes.io/config.mirror";
                    if let Some(name) = strip(&key, PREFIX) {
                        found.count += 1;
                        if found.count > MAX_KEPT_ANNOTATIONS {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                        match map.next_value()? {
                            Given::Text(value) => found.ours.push((name, value)),
                            Given::Other(kind) => found.untyped.push((name, kind)),
                        }
                    } else if key == KMS_AGENT {
                        let value = map.next_value()?;
                        found.asks_for_kms_agent =
                            !matches!(value, Given::Text(text) if text == "false");
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(found)
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Labelled<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Labels<'a> {
            #[serde(
                borrow,
                default,
                rename = "kms.alibabacloud/injection",
                deserialize_with = "text::optional"
            )]
            injection: Option<Cow<'a, str>>,
            #[serde(
                borrow,
                default,
                rename = "alibabacloud.com/eci",
                deserialize_with = "text::optional"
            )]
            eci: Option<Cow<'a, str>>,
        }
        let Labels { injection, eci } = Labels::deserialize(deserializer)?;
        Ok(Self { injection, eci })
    }
}

impl Annotated<'_> {
    /// How many bytes keys and texts have, without the status.
    pub(crate) fn bytes(&self) -> usize {
        let theirs = self.ours.iter().filter(|(key, _)| key != "status");
        theirs.map(|(key, value)| key.len() + value.len()).sum()
    }
}

fn strip<'a>(key: &Cow<'a, str>, prefix: &str) -> Option<Cow<'a, str>> {
    match key {
        Cow::Borrowed(text) => text.strip_prefix(prefix).map(Cow::Borrowed),
        Cow::Owned(text) => text.strip_prefix(prefix).map(|rest| Cow::Owned(rest.to_owned())),
    }
}
