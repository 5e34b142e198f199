//! The annotations under our prefix, each one's value parsed by itself as the table says.
//! How they combine with the Pod, its ServiceAccount and the settings is decided elsewhere.

mod bad;
mod credentials;
mod directories;
mod families;
mod member;
mod request;
mod strays;
mod table;
#[cfg(test)]
mod tests;
mod values;

use self::bad::Bad;
pub(crate) use self::credentials::RequestedCredentials;
use self::member::{Member, member_name};
pub(crate) use self::request::{
    EnvMethod, EnvRequest, Given, InitFirst, ModeName, NativeSidecar, SecretsRequest,
    TemplateRequest,
};
use self::table::Set;
pub use self::table::{ANNOTATIONS, Annotation, Modes};
use crate::ask::layers::{Layered, Layers};
use crate::problem::{PREFIX, Problem, Problems};
use crate::text::nearest::nearest;

/// This project has a meaning for the key, and this version does not act on it.
const UNSUPPORTED: &str = "regions";

/// The annotations that count, each parsed; every bad one is a problem.
pub(crate) fn read<'a>(layers: &Layers<'a>, problems: &mut Problems) -> SecretsRequest<'a> {
    let mut request = SecretsRequest { bad: layers.lost.clone(), ..SecretsRequest::default() };
    for (key, kind) in layers.untyped {
        request.bad.push(key);
        let remedy = match *kind {
            "a list" | "a mapping" => {
                format!("write it as text: `{PREFIX}{key:.64}: |` and the lines below it, indented")
            }
            _ => format!("put quotes around it: `{PREFIX}{key:.64}: \"…\"`"),
        };
        problems.push(Problem::annotation(
            key,
            format!("the value is {kind}, and must be a string"),
            remedy,
        ));
    }
    let mode = layers.text("mode").and_then(|text| values::mode(text.trim()).ok());
    for layered in layers.texts() {
        let Layered { key, text, .. } = layered;
        let set = match Annotation::find(key) {
            // What the operator says for other modes is not the Pod's slip.
            Some(row) if layered.is_rules() && !mode.is_none_or(|mode| row.modes.include(mode)) => {
                continue;
            }
            Some(row) => apply(row, &mut request, key, text).map(|()| {
                if !layered.is_rules() {
                    request.given.push(row.key);
                }
            }),
            None => Err(unknown(key, problems)),
        };
        if let Err((what, remedy)) = set {
            request.bad.push(key);
            problems.push(Problem::annotation(key, what, remedy));
        }
    }
    request
}

/// Whether a text may stand under a key, whatever stands beside it; else what may.
pub(crate) fn check(key: &str, text: &str) -> Result<(), String> {
    match Annotation::find(key).filter(|row| row.is_the_pods()) {
        Some(row) => apply(row, &mut SecretsRequest::default(), key, text)
            .map_err(|(what, _)| format!("{} ({what})", row.value)),
        None => {
            let known = ANNOTATIONS.iter().filter(|row| row.is_the_pods()).map(|row| row.key);
            let meant = nearest(key, known).map(|meant| format!("; did you mean {PREFIX}{meant}?"));
            Err(format!("under the key of an annotation that exists{}", meant.unwrap_or_default()))
        }
    }
}

fn apply<'a>(
    row: &'static Annotation,
    request: &mut SecretsRequest<'a>,
    key: &'a str,
    text: &'a str,
) -> Result<(), Bad> {
    match row.set {
        Set::Value(set) => set(request, text.trim())?,
        Set::Text(set) => set(request, text),
        Set::Family(word, set) => {
            let name = member_name(word, key).flatten();
            set(request, Member { key, name, text })?;
        }
        Set::Written => {}
    }
    Ok(())
}

fn unknown(key: &str, problems: &mut Problems) -> Bad {
    let family = key.split('.').next().unwrap_or(key);
    if family == "injection" {
        return (
            "it is a label and not an annotation".to_owned(),
            "set the label kms.alibabacloud/injection on the namespace (enabled) or the Pod (disabled)"
                .to_owned(),
        );
    }
    if family == "https-proxy" {
        return (
            "the proxy is the operator's to choose, and no Pod's".to_owned(),
            "remove the annotation, and ask the operator for httpsProxy in the settings".to_owned(),
        );
    }
    if family == UNSUPPORTED {
        return ("this version does not support it".to_owned(), "remove the annotation".to_owned());
    }
    let known = ANNOTATIONS.iter().filter(|row| row.is_the_pods()).map(|row| row.key);
    let remedy = match problems.did_you_mean(key, known) {
        Some(known) => format!("did you mean {PREFIX}{known}?"),
        None => "remove it, or see docs/annotations-table.md for those that exist".to_owned(),
    };
    ("there is no such annotation".to_owned(), remedy)
}
