//! The annotations that count for a Pod: its own, over those that the SecretProviderClass stands for that
//! is named, over those of the operator's rules for its namespace. Who parses them sees one list, and who
//! reports problems where each text is from.

mod class;
mod rules;
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
        settings: &'a Settings,
        problems: &mut Problems,
    ) -> Self {
        let named = Self::without_class(annotations, subject.namespace, settings).class();
        let mut layers = Self::of_pod(annotations);
        if let Some(name) = named {
            layers.lay_class(name, subject, settings, problems);
        }
        layers.lay_rules(subject.namespace, settings, problems);
        layers
    }

    /// What counts as far as no cluster is asked.
    pub(crate) fn without_class(
        annotations: &'a Annotated<'a>,
        namespace: &str,
        settings: &'a Settings,
    ) -> Self {
        let mut layers = Self::of_pod(annotations);
        layers.lay_rules(namespace, settings, &mut Problems::default());
        layers
    }
}
