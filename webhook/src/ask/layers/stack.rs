//! Annotations with where each is from: what lies above counts, and what is laid beneath it says only
//! what is not said yet.

use std::borrow::Cow;

use crate::pod::{Annotated, MAX_ANNOTATION_BYTES};
use crate::problem::{Origin, PREFIX, Problem, Problems};

/// Annotations by key, without our prefix, in the order in which they are read.
#[derive(Debug)]
pub(crate) struct Layers<'a> {
    texts: Vec<Layered<'a>>,
    /// Those of the Pod whose values are no strings, with what they are instead.
    pub(in crate::ask) untyped: &'a [(Cow<'a, str>, &'static str)],
    /// Keys that a layer would have said, had nothing been wrong with it: that is a problem already.
    pub(in crate::ask) lost: Vec<&'a str>,
    /// What is legal in a layer, and may not be what was meant.
    pub(super) notes: Vec<Problem>,
    bytes: usize,
}

/// One annotation of a layer.
#[derive(Debug)]
pub(in crate::ask) struct Layered<'a> {
    pub(in crate::ask) key: &'a str,
    pub(in crate::ask) text: &'a str,
    layer: Layer<'a>,
}

/// Where a text is from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Layer<'a> {
    Pod,
    Class {
        name: &'a str,
        parameter: &'static str,
    },
    /// A rule of the settings.
    Rule {
        name: &'a str,
    },
}

impl<'a> Layers<'a> {
    /// The Pod's own alone.
    pub(crate) fn of_pod(annotations: &'a Annotated<'a>) -> Self {
        let Annotated { ours, untyped, .. } = annotations;
        let own = |(key, text): &'a (Cow<'a, str>, Cow<'a, str>)| Layered {
            key,
            text,
            layer: Layer::Pod,
        };
        let bytes = annotations.bytes();
        let texts = ours.iter().map(own).collect();
        Self { texts, untyped, lost: Vec::new(), notes: Vec::new(), bytes }
    }

    pub(in crate::ask) fn texts(&self) -> impl Iterator<Item = &Layered<'a>> {
        self.texts.iter()
    }

    /// The SecretProviderClass that is named, where its name can be one.
    pub(crate) fn class(&self) -> Option<&'a str> {
        self.text(CLASS).map(str::trim).filter(|name| is_class_name(name))
    }

    /// Whether the Pod's ServiceAccount is asked for a role: no annotation says one, well or badly, nor
    /// credentials of a kind that has its own.
    pub(crate) fn has_role_of_account(&self) -> bool {
        let says_role = |text: &Layered<'_>| match text.key {
            "role-arn" => true,
            "credentials" => text.text.trim() != "rrsa",
            _ => false,
        };
        !self.texts.iter().any(says_role) && !self.untyped.iter().any(|(key, _)| key == "role-arn")
    }

    /// What counts under a key.
    pub(in crate::ask) fn text(&self, key: &str) -> Option<&'a str> {
        self.texts.iter().find(|text| text.key == key).map(|text| text.text)
    }

    /// Whether an annotation is there, be it good or bad.
    pub(super) fn has(&self, key: &str) -> bool {
        self.texts.iter().any(|text| text.key == key)
            || self.untyped.iter().any(|(known, _)| known == key)
    }

    /// Lays a text beneath those that are there.
    pub(super) fn lay(
        &mut self,
        key: &'a str,
        text: &'a str,
        layer: Layer<'a>,
        problems: &mut Problems,
    ) {
        if self.has(key) {
            return;
        }
        self.bytes += key.len() + text.len();
        if self.bytes > MAX_ANNOTATION_BYTES {
            let what = format!(
                "with it the annotations under {PREFIX} have {} bytes; at most {MAX_ANNOTATION_BYTES} are allowed",
                self.bytes
            );
            self.lost.push(key);
            problems.push(Problem::at(layer.origin(key), what, "shorten it"));
            return;
        }
        self.texts.push(Layered { key, text, layer });
    }

    /// Says of each problem where its text is from, which who found it does not know.
    pub(crate) fn trace(&self, problems: &mut Problems) {
        problems.each(|problem| self.trace_one(problem));
    }

    /// The notes about these layers, and others behind them that are about their texts, in words.
    pub(crate) fn warnings(&self, others: impl IntoIterator<Item = Problem>) -> Vec<String> {
        let traced = |mut note: Problem| {
            self.trace_one(&mut note);
            note.to_string()
        };
        self.notes.iter().cloned().chain(others).map(traced).collect()
    }

    fn trace_one(&self, problem: &mut Problem) {
        let Origin::Annotation(key) = &problem.origin else { return };
        let key = key.strip_prefix(PREFIX).unwrap_or(key);
        if let Some(text) = self.texts.iter().find(|text| text.key == key) {
            problem.origin = text.layer.origin(key);
        }
    }
}

impl Layered<'_> {
    /// Whether the operator's rules say it, and nobody for this Pod.
    pub(in crate::ask) fn is_rules(&self) -> bool {
        matches!(self.layer, Layer::Rule { .. })
    }
}

impl Layer<'_> {
    fn origin(self, key: &str) -> Origin {
        match self {
            Self::Pod => Origin::Annotation(format!("{PREFIX}{key}")),
            Self::Class { name, parameter } => Origin::parameter(name, parameter),
            Self::Rule { name } => Origin::rule(name, key),
        }
    }
}

/// As Kubernetes names objects. It goes into the path of a request.
pub(in crate::ask) fn is_class_name(text: &str) -> bool {
    plan::is_subdomain(text)
}

/// The annotation that names a class.
pub(super) const CLASS: &str = "secret-provider-class";
