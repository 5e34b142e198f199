//! One value to fetch: what, where and as whom. Each backend has its own way, in a file below, so that
//! a source of one with the route of another cannot exist.

mod alibaba;

use serde::{Deserialize, Serialize};

pub use self::alibaba::AlibabaLookup;
use crate::cloud::{Assume, Host, Region};
use crate::credentials::CredentialsVolume;
use crate::source::Source;

/// Files refer to it by index, so that the same value is fetched once however many files it makes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Fields", into = "Fields")]
pub enum Lookup {
    Alibaba(AlibabaLookup),
}

/// A lookup as the plan has it: which backend's it is, the source says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    source: Source,
    region: Region,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<Host>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assume: Option<Assume>,
}

/// What people call a lookup of the plan: its source, and where another asks for the same source in
/// another place, that place too.
#[must_use]
pub fn lookup_label(lookups: &[Lookup], index: usize) -> String {
    let Some(lookup) = lookups.get(index) else { return String::new() };
    let source = lookup.source();
    let twins =
        || lookups.iter().enumerate().filter(|(at, it)| *at != index && it.source() == source);
    let places: Vec<&Lookup> = twins().map(|(_, twin)| twin).collect();
    if places.is_empty() {
        return source.to_string();
    }
    match lookup {
        Lookup::Alibaba(lookup) => {
            let others: Vec<&AlibabaLookup> =
                places.iter().filter_map(|it| it.as_alibaba()).collect();
            format!("{source} ({})", lookup.place(&others))
        }
    }
}

impl Lookup {
    #[must_use]
    pub fn source(&self) -> Source {
        match self {
            Self::Alibaba(lookup) => lookup.source.clone().into(),
        }
    }

    /// For who knows that Alibaba Cloud is asked.
    #[must_use]
    pub fn as_alibaba(&self) -> Option<&AlibabaLookup> {
        match self {
            Self::Alibaba(lookup) => Some(lookup),
        }
    }

    /// Whether it is asked with the plan's credentials.
    #[must_use]
    pub fn needs_credentials(&self) -> bool {
        match self {
            Self::Alibaba(_) => true,
        }
    }

    /// What it needs of the Pod beside the plan's credentials.
    #[must_use]
    pub fn volume(&self) -> Option<CredentialsVolume<'_>> {
        match self {
            Self::Alibaba(_) => None,
        }
    }
}

impl From<AlibabaLookup> for Lookup {
    fn from(lookup: AlibabaLookup) -> Self {
        Self::Alibaba(lookup)
    }
}

impl From<Fields> for Lookup {
    fn from(fields: Fields) -> Self {
        let Fields { source, region, endpoint, assume } = fields;
        match source {
            Source::Alibaba(source) => {
                Self::Alibaba(AlibabaLookup { source, region, endpoint, assume })
            }
        }
    }
}

impl From<Lookup> for Fields {
    fn from(lookup: Lookup) -> Self {
        match lookup {
            Lookup::Alibaba(AlibabaLookup { source, region, endpoint, assume }) => {
                Self { source: source.into(), region, endpoint, assume }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookups(json: &str) -> Vec<Lookup> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn one_source_in_several_places_is_told_apart_and_others_stay_short() {
        let lookups = lookups(
            r#"[{"source":"kms://a","region":"cn-hangzhou"},
            {"source":"kms://a","region":"cn-beijing","endpoint":"kms.cn-beijing.aliyuncs.com"},
            {"source":"kms://b","region":"cn-hangzhou"},
            {"source":"kms://c","region":"cn-hangzhou"},
            {"source":"kms://c","region":"cn-hangzhou","assume":{"role":"acs:ram::1:role/reader"}}]"#,
        );
        let labels: Vec<_> = (0..6).map(|index| lookup_label(&lookups, index)).collect();
        assert_eq!(
            labels,
            [
                "kms://a (in cn-hangzhou, at the region's endpoint)",
                "kms://a (in cn-beijing, at kms.cn-beijing.aliyuncs.com)",
                "kms://b",
                "kms://c (as the Pod's own role)",
                "kms://c (as acs:ram::1:role/reader)",
                ""
            ]
        );
    }
}
