//! A SecretProviderClass as annotations: which parameter of the CSI provider says what which of them
//! says, and what of a class means nothing here.

use super::stack::{CLASS, Layer, Layers};
use crate::class::{Class, SecretProviderClass};
use crate::facts::Subject;
use crate::problem::{Origin, PREFIX, Problem, Problems};
use crate::settings::Settings;

/// What the CSI provider reads, with the annotation that says the same.
const PARAMETERS: [(&str, &str); 3] =
    [(OBJECTS, "secrets"), ("region", "region"), ("pathTranslation", "path-translation")];
const OBJECTS: &str = "objects";
/// Whether the provider asks as the Pod's ServiceAccount. Here nobody else asks.
const AS_POD: &str = "usePodServiceAccountToken";

impl<'a> Layers<'a> {
    /// Lays the class of this name beneath, or says why that cannot be done.
    pub(super) fn lay_class(
        &mut self,
        name: &'a str,
        subject: &Subject<'a>,
        settings: &Settings,
        problems: &mut Problems,
    ) {
        match subject.facts.class() {
            Class::Known(class) => self.lay_parameters(name, class, problems),
            unknown => {
                self.lost.extend(PARAMETERS.map(|(_, key)| key));
                let is_read = settings.secret_provider_classes() || subject.facts.has_class();
                problems.push(no_class(unknown, name, subject.namespace, is_read));
            }
        }
    }

    fn lay_parameters(
        &mut self,
        name: &'a str,
        class: &'a SecretProviderClass,
        problems: &mut Problems,
    ) {
        for parameter in &class.parameters {
            if problems.is_full() {
                break;
            }
            let known = PARAMETERS.iter().find(|(known, _)| *known == parameter.name);
            match (&parameter.value, known) {
                (Err(kind), _) => {
                    self.lost.extend(known.map(|(_, key)| key));
                    let what = format!("the value is {kind}, and must be a string");
                    problems.push(Problem::at(
                        Origin::parameter(name, &parameter.name),
                        what,
                        in_quotes(kind, &parameter.name),
                    ));
                }
                // As the provider takes it: as if it were left out.
                (Ok(text), Some((OBJECTS, _))) if text.trim().is_empty() => {}
                (Ok(text), Some(_)) if text.is_empty() => {}
                (Ok(text), Some((parameter, key))) => {
                    self.lay(key, text, Layer::Class { name, parameter }, problems);
                }
                (Ok(text), None) if parameter.name == AS_POD => self.note_identity(name, text),
                (Ok(_), None) => {
                    let unknown = unknown_parameter(name, &parameter.name, problems);
                    problems.push(unknown);
                }
            }
        }
        if !self.has("secrets") && !self.lost.contains(&"secrets") {
            self.lost.push("secrets");
            problems.push(Problem::at(
                Origin::parameter(name, OBJECTS),
                "the class names no secret",
                "write objects: | and under it a list, such as - objectName: NAME",
            ));
        }
        if class.has_secret_objects {
            self.notes.push(Problem::at(
                Origin::class(name, "secretObjects"),
                format!("no Kubernetes Secret is made of it; set variables with {PREFIX}env, files come without it"),
                "",
            ));
        }
    }

    fn note_identity(&mut self, name: &'a str, text: &str) {
        if text != "true" {
            self.notes.push(Problem::at(
                Origin::parameter(name, AS_POD),
                "the CSI provider fetches with a role of its own then; here the Pod's role fetches",
                "",
            ));
        }
    }
}

fn in_quotes(kind: &str, parameter: &str) -> String {
    match kind {
        "a list" | "a mapping" => {
            format!("write it as text: `{parameter:.64}: |` and the lines below it, indented")
        }
        _ => format!("put quotes around it: `{parameter:.64}: \"…\"`"),
    }
}

fn unknown_parameter(name: &str, parameter: &str, problems: &mut Problems) -> Problem {
    let known = || PARAMETERS.iter().map(|(known, _)| *known).chain([AS_POD]);
    let remedy = match problems.did_you_mean(parameter, known()) {
        Some(known) => format!("did you mean {known}?"),
        None => format!(
            "remove it; the parameters are {}, and what else a Pod wants is said by annotations",
            known().collect::<Vec<_>>().join(", ")
        ),
    };
    let what = "there is no such parameter, and the CSI provider ignores it";
    Problem::at(Origin::parameter(name, parameter), what, remedy)
}

/// Why nothing is known of the class that a Pod names.
fn no_class(class: &Class, name: &str, namespace: &str, is_read: bool) -> Problem {
    let of_pod = |what: String, remedy: &str| Problem::annotation(CLASS, what, remedy);
    match class {
        Class::Unknown if !is_read => of_pod(
            "SecretProviderClasses are not read in this cluster".to_owned(),
            "ask the operator for the chart's value settings.secretProviderClasses: read, or write the class's objects into kms.alibabacloud/secrets",
        ),
        Class::Missing => of_pod(
            format!("there is no SecretProviderClass {name} in namespace {namespace:?}"),
            "create it there, or correct the name; a class of another namespace cannot be used",
        ),
        Class::NotOptedIn => of_pod(
            format!(
                "namespace {namespace:?} is not labelled {PREFIX}injection: enabled, and none of its SecretProviderClasses is read"
            ),
            "set the label on the namespace",
        ),
        Class::Unusable(unusable) => Problem::at(
            Origin::class(name, unusable.field()),
            unusable.to_string(),
            unusable.remedy(),
        ),
        Class::Unreadable(why) => of_pod(
            format!(
                "SecretProviderClass {name} in namespace {namespace:?} could not be read: {why}"
            ),
            "try again",
        ),
        Class::Unknown | Class::Known(_) => of_pod(
            format!("SecretProviderClass {name} is not known here"),
            "offline, it must be in the input, in the namespace of the Pod",
        ),
    }
}
