//! Mounts of containers, each with its place, which is read from its path once.

use std::borrow::Cow;
use std::cell::OnceCell;

use plan::contract::SECRETS_VOLUME;
use serde::Deserialize;

use super::text::{self, null_default};
use crate::container_path::ContainerPath;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VolumeMount<'a> {
    #[serde(borrow, default, deserialize_with = "text::text")]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "text::text")]
    pub(crate) mount_path: Cow<'a, str>,
    #[serde(default, deserialize_with = "null_default")]
    pub(crate) read_only: bool,
    #[serde(borrow, default, deserialize_with = "text::optional")]
    pub(crate) sub_path: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "text::optional")]
    pub(crate) sub_path_expr: Option<Cow<'a, str>>,
    /// It is filled at the first call of `place`, which no one makes for a Pod that is too large.
    #[serde(skip)]
    place: OnceCell<ContainerPath<'static>>,
}

impl VolumeMount<'_> {
    /// Whether it is of one file of the secrets, and not the one of all, which has this path.
    pub(crate) fn is_of_one_file(&self, directory: &str) -> bool {
        let is_part = self.sub_path.as_deref().is_some_and(|path| !path.is_empty());
        self.name == SECRETS_VOLUME && is_part && self.mount_path != directory
    }

    /// Where in the container it is.
    pub(crate) fn place(&self) -> &ContainerPath<'static> {
        self.place.get_or_init(|| ContainerPath::new(self.mount_path.clone().into_owned()))
    }
}
