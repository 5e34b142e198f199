//! One value to fetch: what, where and as whom.

use serde::{Deserialize, Serialize};

use crate::cloud::{Assume, Host, Region};
use crate::source::Source;

/// Files refer to it by index, so that the same value is fetched once however many files it makes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "Fields", into = "Fields")]
pub struct Lookup {
    pub source: Source,
    pub route: Route,
}

/// Where a value is fetched, and as whom: each backend has its own way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    Alibaba(AlibabaRoute),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlibabaRoute {
    pub region: Region,
    pub endpoint: Option<Host>,
    pub assume: Option<Assume>,
}

/// A lookup as the plan has it.
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

impl Lookup {
    /// The route, where Alibaba Cloud is asked.
    #[must_use]
    pub fn alibaba(&self) -> Option<&AlibabaRoute> {
        match &self.route {
            Route::Alibaba(route) => Some(route),
        }
    }
}

impl AlibabaRoute {
    /// The host of the region, asked by the Pod itself.
    #[must_use]
    pub fn in_region(region: Region) -> Self {
        Self { region, endpoint: None, assume: None }
    }
}

impl From<AlibabaRoute> for Route {
    fn from(route: AlibabaRoute) -> Self {
        Self::Alibaba(route)
    }
}

impl From<Fields> for Lookup {
    fn from(fields: Fields) -> Self {
        let Fields { source, region, endpoint, assume } = fields;
        Self { source, route: Route::Alibaba(AlibabaRoute { region, endpoint, assume }) }
    }
}

impl From<Lookup> for Fields {
    fn from(Lookup { source, route }: Lookup) -> Self {
        match route {
            Route::Alibaba(AlibabaRoute { region, endpoint, assume }) => {
                Self { source, region, endpoint, assume }
            }
        }
    }
}
