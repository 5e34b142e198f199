//! A variable of a container, and where it comes from.

use std::borrow::Cow;

use plan::contract::{ENVIRONMENT_VOLUME, TARGET_VARIABLE};
use serde::Deserialize;

use super::text::{self, null_default};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Variable<'a> {
    #[serde(borrow, default, deserialize_with = "text::text")]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "text::optional")]
    pub(crate) value: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) value_from: Option<ValueFrom<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ValueFrom<'a> {
    #[serde(borrow, default)]
    /// In a box, since few variables have one.
    pub(crate) file_key_ref: Option<Box<FileKeyRef<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileKeyRef<'a> {
    #[serde(borrow, default, deserialize_with = "text::text")]
    pub(crate) volume_name: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "text::text")]
    pub(crate) path: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "text::text")]
    pub(crate) key: Cow<'a, str>,
    #[serde(default, deserialize_with = "null_default")]
    pub(crate) optional: bool,
}

impl Variable<'_> {
    /// The volume of the file that the kubelet reads it from.
    pub(crate) fn volume(&self) -> Option<&str> {
        let from = self.value_from.as_ref()?.file_key_ref.as_ref()?;
        Some(from.volume_name.as_ref())
    }

    /// Whether it is read from a file of ours.
    pub(crate) fn is_secret(&self) -> bool {
        self.volume() == Some(ENVIRONMENT_VOLUME)
    }

    /// Whether it marks the container that gets a signal.
    pub(crate) fn is_signal_marker(&self) -> bool {
        self.name == TARGET_VARIABLE
    }
}
