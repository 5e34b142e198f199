//! A volume of the Pod, as far as it decides.

use std::borrow::Cow;

use serde::Deserialize;

use super::text;

#[derive(Debug, Deserialize)]
pub(crate) struct Volume<'a> {
    #[serde(borrow, default, deserialize_with = "text::text")]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) csi: Option<Csi<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Csi<'a> {
    #[serde(borrow, default, deserialize_with = "text::optional")]
    pub(crate) driver: Option<Cow<'a, str>>,
}
