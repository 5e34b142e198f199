//! What a Pod wants: files, files from templates, and variables, each together with its secrets.

use std::convert::Infallible;

use plan::{ContainerName, Encoding, FileName, OnMissing, RequestedFileOptions, VariableName};

use super::place::Place;
use super::secret_ref::SecretRef;
use crate::problem::Problem;

/// `S` is what is known of each secret: at first what its annotation says, later also where it is
/// fetched. A secret stays in the file or variable that wants it.
#[derive(Debug)]
pub(crate) struct Wanted<S> {
    pub(crate) files: Vec<WantedFile<S>>,
    pub(crate) templates: Vec<WantedTemplate<S>>,
    pub(crate) variables: Vec<WantedVariable<S>>,
    pub(crate) all_keys: Vec<WantedKeys<S>>,
}

/// The files that annotations ask for.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) values: Vec<WantedFile<SecretRef>>,
    pub(crate) templates: Vec<WantedTemplate<SecretRef>>,
    pub(crate) all_keys: Vec<WantedKeys<SecretRef>>,
    /// What is legal in them, and may not be what was meant.
    pub(crate) warnings: Vec<Problem>,
}

impl Files {
    pub(crate) fn len(&self) -> usize {
        self.values.len() + self.templates.len()
    }

    /// The names that are known, each with what its file says of a source that is missing.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, Option<OnMissing>)> {
        let values = self.values.iter().map(|file| (file.name.as_str(), file.options.on_missing));
        let templates = self.templates.iter();
        values.chain(templates.map(|file| (file.name.as_str(), file.options.on_missing)))
    }

    /// All names, with their places, and whether each is a part of a value.
    pub(super) fn named(&self) -> impl Iterator<Item = (&FileName, &Place, bool)> {
        let value = |file: &'_ WantedFile<SecretRef>| file.secret.selector.is_some();
        let values =
            self.values.iter().map(move |file| (&file.name, &file.secret.place, value(file)));
        values.chain(self.templates.iter().map(|file| (&file.name, &file.place, false)))
    }
}

/// One file that holds a value or a part of it.
#[derive(Debug)]
pub(crate) struct WantedFile<S> {
    pub(crate) name: FileName,
    pub(crate) options: RequestedFileOptions,
    pub(crate) secret: S,
}

/// One file that is made from a template.
#[derive(Debug)]
pub(crate) struct WantedTemplate<S> {
    pub(crate) name: FileName,
    pub(crate) options: RequestedFileOptions,
    pub(crate) place: Place,
    pub(crate) text: String,
    /// All that it names, as it is written there.
    pub(crate) secrets: Vec<(String, S)>,
}

/// One variable, with the containers that get it on each way.
#[derive(Debug)]
pub(crate) struct WantedVariable<S> {
    pub(crate) name: VariableName,
    pub(crate) exec: Vec<ContainerName>,
    pub(crate) file_key_ref: Vec<ContainerName>,
    pub(crate) on_missing: Option<OnMissing>,
    pub(crate) encoding: Option<Encoding>,
    pub(crate) place: Place,
    pub(crate) content: WantedContent<S>,
}

/// A file or a variable for each key of a value.
#[derive(Debug)]
pub(crate) struct WantedKeys<S> {
    pub(crate) prefix: String,
    pub(crate) options: RequestedFileOptions,
    pub(crate) target: WantedTarget,
    pub(crate) place: Place,
    pub(crate) secret: S,
}

/// What keys become.
#[derive(Debug)]
pub(crate) enum WantedTarget {
    /// `slash` stands in the place of each `/` of a key.
    Files { slash: Option<char> },
    /// Variables of these containers.
    Variables(Vec<ContainerName>),
}

/// What is in a variable.
#[derive(Debug)]
pub(crate) enum WantedContent<S> {
    Value(S),
    /// A text, and all that it names, as it is written there.
    Template(String, Vec<(String, S)>),
}

impl<S> WantedContent<S> {
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &S> {
        let (value, named) = match self {
            Self::Value(secret) => (Some(secret), &[][..]),
            Self::Template(_, secrets) => (None, secrets.as_slice()),
        };
        value.into_iter().chain(named.iter().map(|(_, secret)| secret))
    }

    fn try_map<T, E>(
        self,
        more: &mut impl FnMut(S) -> Result<T, E>,
    ) -> Result<WantedContent<T>, E> {
        Ok(match self {
            Self::Value(secret) => WantedContent::Value(more(secret)?),
            Self::Template(text, secrets) => {
                let secrets = secrets.into_iter();
                let secrets = all(secrets.map(|(written, secret)| Ok((written, more(secret)?))))?;
                WantedContent::Template(text, secrets)
            }
        })
    }
}

impl<S> Wanted<S> {
    /// All secrets, as often as they are wanted.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &S> {
        let in_files = self.files.iter().map(|file| &file.secret);
        let in_templates = self.templates.iter().flat_map(|file| &file.secrets);
        let in_variables = self.variables.iter().flat_map(|variable| variable.content.secrets());
        let of_keys = self.all_keys.iter().map(|keys| &keys.secret);
        in_files.chain(in_templates.map(|(_, secret)| secret)).chain(in_variables).chain(of_keys)
    }

    /// Makes more of each secret, in the order of `secrets`.
    pub(crate) fn map<T>(self, mut more: impl FnMut(S) -> T) -> Wanted<T> {
        let Ok(made) = self.try_map(|secret| Ok::<_, Infallible>(more(secret)));
        made
    }

    /// The same where it may fail. Every secret is looked at, so that all problems are found; the
    /// first error is the result.
    pub(crate) fn try_map<T, E>(
        self,
        mut more: impl FnMut(S) -> Result<T, E>,
    ) -> Result<Wanted<T>, E> {
        let files = all(self.files.into_iter().map(|file| {
            let WantedFile { name, options, secret } = file;
            Ok(WantedFile { name, options, secret: more(secret)? })
        }));
        let templates = all(self.templates.into_iter().map(|file| {
            let WantedTemplate { name, options, place, text, secrets } = file;
            let secrets = secrets.into_iter().map(|(written, secret)| Ok((written, more(secret)?)));
            let secrets = all(secrets)?;
            Ok(WantedTemplate { name, options, place, text, secrets })
        }));
        let variables = all(self.variables.into_iter().map(|variable| {
            let WantedVariable { name, exec, file_key_ref, on_missing, encoding, place, content } =
                variable;
            let content = content.try_map(&mut more)?;
            Ok(WantedVariable { name, exec, file_key_ref, on_missing, encoding, place, content })
        }));
        let all_keys = all(self.all_keys.into_iter().map(|keys| {
            let WantedKeys { prefix, options, target, place, secret } = keys;
            Ok(WantedKeys { prefix, options, target, place, secret: more(secret)? })
        }));
        Ok(Wanted {
            files: files?,
            templates: templates?,
            variables: variables?,
            all_keys: all_keys?,
        })
    }
}

/// All of them or the first error, after all were made.
fn all<T, E>(made: impl Iterator<Item = Result<T, E>>) -> Result<Vec<T>, E> {
    let made: Vec<_> = made.collect();
    made.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted<u8> {
        let place = Place { key: "secrets".into(), line: 1, what: String::new() };
        let file = |name, secret| {
            let name = FileName::parse(name).unwrap();
            WantedFile { name, options: RequestedFileOptions::default(), secret }
        };
        let variable = VariableName::parse("A").unwrap();
        Wanted {
            files: vec![file("a", 1), file("b", 2)],
            templates: vec![WantedTemplate {
                name: FileName::parse("c").unwrap(),
                options: RequestedFileOptions::default(),
                place,
                text: String::new(),
                secrets: vec![("x".to_owned(), 3), ("y".to_owned(), 4)],
            }],
            variables: vec![WantedVariable {
                name: variable,
                exec: Vec::new(),
                file_key_ref: Vec::new(),
                on_missing: None,
                encoding: None,
                place: Place { key: "env".into(), line: 1, what: String::new() },
                content: WantedContent::Template(String::new(), vec![("z".to_owned(), 5)]),
            }],
            all_keys: vec![WantedKeys {
                prefix: String::new(),
                options: RequestedFileOptions::default(),
                target: WantedTarget::Variables(Vec::new()),
                place: Place { key: "env".into(), line: 1, what: String::new() },
                secret: 6,
            }],
        }
    }

    #[test]
    fn a_secret_stays_in_the_file_or_variable_that_wants_it() {
        let made = wanted().map(|secret| secret * 10);
        let files: Vec<_> =
            made.files.iter().map(|file| (file.name.as_str(), file.secret)).collect();
        assert_eq!(files, [("a", 10), ("b", 20)]);
        let [template] = made.templates.as_slice() else { panic!() };
        assert_eq!(template.secrets, [("x".to_owned(), 30), ("y".to_owned(), 40)]);
        let [variable] = made.variables.as_slice() else { panic!() };
        assert_eq!(variable.content.secrets().collect::<Vec<_>>(), [&50]);
        assert_eq!(made.secrets().copied().collect::<Vec<_>>(), [10, 20, 30, 40, 50, 60]);
    }

    #[test]
    fn every_secret_is_looked_at_although_one_fails() {
        let mut seen = Vec::new();
        let made = wanted().try_map(|secret| {
            seen.push(secret);
            if secret % 2 == 0 { Err(secret) } else { Ok(()) }
        });
        assert_eq!(made.unwrap_err(), 2);
        assert_eq!(seen, [1, 2, 3, 4, 5, 6]);
    }
}
