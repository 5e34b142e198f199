//! `"*": SOURCE`: a file or a variable for each key of a JSON secret.

use plan::{FileName, MAX_ALL_KEYS, RequestedFileOptions, VariableName};

use super::fields::{Fields, Manner};
use super::place::Place;
use super::reader::{Described, Reader};
use super::secret_ref::SecretRef;
use super::wanted::{WantedKeys, WantedTarget};
use crate::ask::yaml::{Node, YamlValue};
use crate::path_translation::PathTranslation;

/// The name that stands for all keys.
pub(super) const ALL: &str = "*";

const FIELDS: [&str; 10] = [
    "source",
    "prefix",
    "fileMode",
    "onMissing",
    "encoding",
    "region",
    "endpoint",
    "jmesPath",
    "crossAccountRoleArn",
    "externalId",
];

/// What stands behind the name.
pub(super) struct KeysBody {
    pub(super) prefix: String,
    pub(super) options: RequestedFileOptions,
    pub(super) secret: SecretRef,
}

impl Reader<'_> {
    /// All keys as files.
    pub(super) fn files_of_keys(&mut self, value: &Node<'_>, place: &Place) {
        let slash = match self.translation {
            PathTranslation::Replace(slash) => Some(slash),
            PathTranslation::Off => None,
        };
        let body = match &value.value {
            YamlValue::Scalar { text, quoted } => {
                let body = self.plain(text, *quoted, place);
                body.map(|body| whole(body, String::new(), place))
            }
            YamlValue::Mapping(entries) => {
                let mut fields = Fields::read(self, entries, place, &FIELDS, Manner::Ours);
                self.keys_body(&mut fields, value, place)
            }
            YamlValue::Sequence(_) => {
                self.problem(place, "all keys are those of one secret", "write \"*\": kms://NAME");
                None
            }
        };
        let Some(KeysBody { prefix, options, secret }) = body else { return };
        if !prefix.is_empty()
            && FileName::parse(&self.translation.apply(&format!("{prefix}x"))).is_err()
        {
            self.problem(
                place,
                "no file name begins with this prefix",
                "use letters, digits and -_.",
            );
            return;
        }
        if self.files.all_keys.len() >= MAX_ALL_KEYS {
            self.problem(
                place,
                format!("all keys of more than {MAX_ALL_KEYS} secrets are wanted"),
                "put several values into one secret",
            );
            return;
        }
        let (target, place) = (WantedTarget::Files { slash }, place.clone());
        self.files.all_keys.push(WantedKeys { prefix, options, target, place, secret });
    }

    /// The fields of a mapping behind the name.
    pub(super) fn keys_body(
        &mut self,
        fields: &mut Fields<'_, '_>,
        node: &Node<'_>,
        place: &Place,
    ) -> Option<KeysBody> {
        let prefix = fields.text(self, "prefix").map(|(text, _)| text).unwrap_or_default();
        let body = self.body(fields, node, place)?;
        Some(whole(body, prefix, place))
    }

    /// Whether variables may begin with this prefix.
    pub(super) fn is_variable_prefix(&mut self, prefix: &str, place: &Place) -> bool {
        let error = VariableName::parse(&format!("{prefix}X")).err();
        if let Some(error) = &error {
            self.problem(place, format!("no variable begins with this prefix: {error}"), "");
        }
        error.is_none()
    }
}

pub(super) fn whole(body: Described, prefix: String, place: &Place) -> KeysBody {
    let Described { reference, at, options } = body;
    let plan::Reference { source, selector } = reference;
    let secret = SecretRef { place: place.clone(), source, selector, at };
    KeysBody { prefix, options, secret }
}
