//! A variable of a container, and where it comes from.

use std::borrow::Cow;

use plan::contract::{ENVIRONMENT_VOLUME, TARGET_VARIABLE};
use serde::Deserialize;
use serde::de::IgnoredAny;

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
    #[serde(default)]
    secret_key_ref: Option<IgnoredAny>,
    #[serde(default)]
    config_map_key_ref: Option<IgnoredAny>,
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

    /// Whether the kubelet reads it from an object of the cluster, without which the container does not
    /// start, and whose value the container runtime keeps.
    pub(crate) fn is_of_an_object(&self) -> bool {
        let from = self.value_from.as_ref();
        from.is_some_and(|it| it.secret_key_ref.is_some() || it.config_map_key_ref.is_some())
    }

    /// Whether it marks the container that gets a signal.
    pub(crate) fn is_signal_marker(&self) -> bool {
        self.name == TARGET_VARIABLE
    }
}
