//! What a plan puts into the Pod's memory volumes: one entry for each file, those that hold
//! environment variables included.

use std::borrow::Cow;
use std::path::PathBuf;

use plan::{
    AllKeys, Content, FileMode, FileOptions, KeysTarget, MAX_KEYS, Plan, Selection, Selector,
    Template, VariableName,
};
use secret::Sensitive;

use crate::input::args::Args;

/// A volume that is ours to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    pub(crate) content: EntryContent<'a>,
    pub(crate) form: Form<'a>,
}

/// The bytes of an entry are made of this. Sources are indexes into the plan's lookups.
#[derive(Clone, Copy, Debug)]
pub(crate) enum EntryContent<'a> {
    Value { from: usize, select: Option<&'a Selector> },
    Template(&'a Template),
}

impl<'a> EntryContent<'a> {
    fn of(content: &'a Content) -> Self {
        match content {
            Content::Value(Selection { from, select }) => {
                Self::Value { from: *from, select: select.as_ref() }
            }
            Content::Template(template) => Self::Template(template),
        }
    }
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
    /// Each key of the value is a file or a variable of its own. The entry's own file has their names.
    AllKeys(&'a AllKeys),
}

/// The entries of a plan, in its order, files first.
pub(crate) fn entries(plan: &Plan) -> Vec<Entry<'_>> {
    let files = plan.files().iter().map(|file| Entry {
        volume: MemoryVolume::Files,
        name: Cow::Borrowed(file.name.as_str()),
        options: file.options,
        content: EntryContent::of(&file.content),
        form: Form::File,
    });
    let variables = plan.env().into_iter().flat_map(|env| {
        env.variables.iter().flat_map(move |variable| {
            let entry = move |container, mode, form| Entry {
                volume: MemoryVolume::Environment,
                name: Cow::Owned(plan::variable_file(container, &variable.name)),
                options: FileOptions {
                    encoding: variable.encoding,
                    ..FileOptions::new(mode, variable.on_missing)
                },
                content: EntryContent::of(&variable.content),
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
    files.chain(variables).chain(all_keys(plan)).collect()
}

/// One entry for each directory that gets files of all keys, or container that gets variables.
fn all_keys(plan: &Plan) -> impl Iterator<Item = Entry<'_>> {
    plan.all_keys().iter().enumerate().flat_map(|(index, keys)| {
        let AllKeys { value: Selection { from, select }, on_missing, encoding, .. } = keys;
        let entry = |volume, name, mode| Entry {
            volume,
            name: Cow::Owned(name),
            options: FileOptions { mode, on_missing: *on_missing, encoding: *encoding },
            content: EntryContent::Value { from: *from, select: select.as_ref() },
            form: Form::AllKeys(keys),
        };
        match &keys.become_what {
            KeysTarget::Files { mode, .. } => {
                vec![entry(MemoryVolume::Files, format!(".kms-keys-{index}"), *mode)]
            }
            KeysTarget::Variables { exec } => {
                let mode = plan.env().map_or(FileMode::OWNER, |env| env.mode);
                let name = |container| plan::keys_file(container, index);
                let of = |container| entry(MemoryVolume::Environment, name(container), mode);
                exec.iter().map(of).collect()
            }
        }
    })
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
        let (value, secrets) = match self.content {
            EntryContent::Value { from, .. } => (Some(from), &[][..]),
            EntryContent::Template(template) => (None, template.secrets.as_slice()),
        };
        value.into_iter().chain(secrets.iter().map(|secret| secret.from))
    }

    pub(crate) fn is_template(&self) -> bool {
        matches!(self.content, EntryContent::Template(_))
    }

    /// Whether our program must be where it is, for a container to start with it.
    pub(crate) fn is_for_exec(&self) -> bool {
        match self.form {
            Form::Exec(_) => true,
            Form::AllKeys(_) => self.volume == MemoryVolume::Environment,
            Form::File | Form::FileKeyRef(_) => false,
        }
    }

    /// The name of the file of a key that is called so.
    pub(crate) fn file_of(&self, name: &str) -> String {
        match (self.form, self.name.split_once('.')) {
            (Form::AllKeys(_), Some((container, _))) if !container.is_empty() => {
                format!("{container}.{name}")
            }
            _ => name.to_owned(),
        }
    }

    /// The files of all keys, as its own file names them.
    pub(crate) fn files_of_keys(&self, names: &Sensitive) -> Vec<String> {
        let names = std::str::from_utf8(names.expose()).unwrap_or_default();
        names.lines().take(MAX_KEYS).map(|name| self.file_of(name)).collect()
    }

    /// Whether a lookup's value is in it.
    pub(crate) fn uses(&self, lookup: usize) -> bool {
        self.sources().any(|source| source == lookup)
    }

    /// What a template is called in the status: the name of its file, or of its variable.
    pub(crate) fn template_name(&self) -> String {
        match self.volume {
            MemoryVolume::Files => self.name.to_string(),
            MemoryVolume::Environment => format!("variable {}", self.name),
        }
    }

    /// Whether a person means it by this name.
    pub(crate) fn is_called(&self, text: &str) -> bool {
        match self.form {
            Form::File => self.name == text,
            Form::Exec(name) | Form::FileKeyRef(name) => name.as_str() == text,
            Form::AllKeys(_) => text == "*",
        }
    }

    /// Its name, for people.
    pub(crate) fn description(&self) -> String {
        match self.form {
            Form::File => format!("file {:?}", self.name),
            Form::Exec(name) | Form::FileKeyRef(name) => format!("variable {name}"),
            Form::AllKeys(AllKeys { prefix, become_what, .. }) => {
                let what = match become_what {
                    KeysTarget::Files { .. } => "files",
                    KeysTarget::Variables { .. } => "variables",
                };
                format!("{what} {:?}", format!("{prefix}*"))
            }
        }
    }
}
