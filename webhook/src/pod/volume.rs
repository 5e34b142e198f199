//! A volume of the Pod, as far as it decides.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::text;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Volume<'a> {
    #[serde(borrow, default, deserialize_with = "text::text")]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) csi: Option<Csi<'a>>,
    #[serde(default)]
    pub(crate) empty_dir: Option<IgnoredAny>,
    #[serde(default)]
    config_map: Option<IgnoredAny>,
    #[serde(default)]
    secret: Option<IgnoredAny>,
    #[serde(default)]
    projected: Option<IgnoredAny>,
    #[serde(default, rename = "downwardAPI")]
    downward_api: Option<IgnoredAny>,
}

impl Volume<'_> {
    /// Kubernetes mounts it read-only, whatever a mount says.
    pub(crate) fn is_read_only(&self) -> bool {
        [&self.config_map, &self.secret, &self.projected, &self.downward_api]
            .iter()
            .any(|kind| kind.is_some())
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Csi<'a> {
    #[serde(borrow, default, deserialize_with = "text::optional")]
    pub(crate) driver: Option<Cow<'a, str>>,
}
