//! The annotations that count for a Pod: its own, over those that the SecretProviderClass stands for that
//! it names. Who parses them sees one list, and who reports problems where each text is from.

mod class;
mod stack;

pub(crate) use self::stack::Layers;
pub(super) use self::stack::{Layered, is_class_name};
use crate::facts::Subject;
use crate::pod::Annotated;
use crate::problem::Problems;
use crate::settings::Settings;

impl<'a> Layers<'a> {
    /// All that counts, as far as the cluster is known.
    pub(crate) fn of(
        annotations: &'a Annotated<'a>,
        subject: &Subject<'a>,
        settings: &Settings,
        problems: &mut Problems,
    ) -> Self {
        let mut layers = Self::of_pod(annotations);
        if let Some(name) = layers.class() {
            layers.lay_class(name, subject, settings, problems);
        }
        layers
    }

    /// The SecretProviderClass that must be read, where that is turned on.
    pub(crate) fn wanted_class(&self, settings: &Settings) -> Option<&'a str> {
        self.class().filter(|_| settings.secret_provider_classes())
    }
}
