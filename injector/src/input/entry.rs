//! What a plan puts into the Pod's memory volumes: one entry for each file, those that hold
//! environment variables included.

use std::borrow::Cow;
use std::path::PathBuf;

use plan::{Content, FileMode, FileOptions, Plan, Selection, Selector, Template, VariableName};

use crate::input::args::Args;

/// A volume that is ours to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemoryVolume {
    /// What applications see under their mount.
    Files,
    Environment,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) volume: MemoryVolume,
    pub(crate) name: Cow<'a, str>,
    pub(crate) options: FileOptions,
    pub(crate) origin: Origin<'a>,
    pub(crate) form: Form<'a>,
}

/// What its content is made of. Sources are indexes into the plan's lookups.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin<'a> {
    Value { from: usize, select: Option<&'a Selector> },
    Template(&'a Template),
}

/// How a value is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form<'a> {
    /// The value is written byte by byte.
    File,
    /// The value is written byte by byte, and must fit into an environment.
    Exec(&'a VariableName),
    /// The value is written as the kubelet reads it.
    FileKeyRef(&'a VariableName),
}

/// The entries of a plan, in its order, files first.
pub(crate) fn entries(plan: &Plan) -> Vec<Entry<'_>> {
    let files = plan.files().iter().map(|file| Entry {
        volume: MemoryVolume::Files,
        name: Cow::Borrowed(file.name.as_str()),
        options: file.options,
        origin: match &file.content {
            Content::Value(Selection { from, select }) => {
                Origin::Value { from: *from, select: select.as_ref() }
            }
            Content::Template(template) => Origin::Template(template),
        },
        form: Form::File,
    });
    let variables = plan.env().into_iter().flat_map(|env| {
        env.variables.iter().flat_map(move |variable| {
            let entry = move |container, mode, form| Entry {
                volume: MemoryVolume::Environment,
                name: Cow::Owned(plan::variable_file(container, &variable.name)),
                options: FileOptions::new(mode, variable.on_missing),
                origin: Origin::Value { from: variable.from, select: variable.select.as_ref() },
                form,
            };
            let exec = variable.exec.iter();
            let exec = exec.map(move |c| entry(c, env.mode, Form::Exec(&variable.name)));
            // The kubelet reads everything.
            let form = Form::FileKeyRef(&variable.name);
            let read = variable.file_key_ref.iter();
            exec.chain(read.map(move |c| entry(c, FileMode::OWNER, form)))
        })
    });
    files.chain(variables).collect()
}

impl MemoryVolume {
    /// The volumes that a plan has.
    pub(crate) fn of(plan: &Plan) -> impl Iterator<Item = Self> {
        [Self::Files].into_iter().chain(plan.env().map(|_| Self::Environment))
    }

    pub(crate) fn path(self, args: &Args, plan: &Plan) -> PathBuf {
        match self {
            Self::Files => args.mount(plan.mount()),
            Self::Environment => args.environment(),
        }
    }
}

impl Entry<'_> {
    /// All sources that it needs, some of them perhaps twice.
    pub(crate) fn sources(&self) -> impl Iterator<Item = usize> {
        let (value, secrets) = match self.origin {
            Origin::Value { from, .. } => (Some(from), &[][..]),
            Origin::Template(template) => (None, template.secrets.as_slice()),
        };
        value.into_iter().chain(secrets.iter().map(|secret| secret.from))
    }

    pub(crate) fn is_template(&self) -> bool {
        matches!(self.origin, Origin::Template(_))
    }

    /// Whether a lookup's value is in it.
    pub(crate) fn uses(&self, lookup: usize) -> bool {
        self.sources().any(|source| source == lookup)
    }

    pub(crate) fn is_file(&self, name: &str) -> bool {
        self.volume == MemoryVolume::Files && self.name == name
    }

    /// Whether a person means it by this name.
    pub(crate) fn is_called(&self, text: &str) -> bool {
        match self.form {
            Form::File => self.name == text,
            Form::Exec(name) | Form::FileKeyRef(name) => name.as_str() == text,
        }
    }

    /// Its name, for people.
    pub(crate) fn description(&self) -> String {
        match self.form {
            Form::File => format!("file {:?}", self.name),
            Form::Exec(name) | Form::FileKeyRef(name) => format!("variable {name}"),
        }
    }
}
