//! What a container says of the variables that it is to get: references to them, and values of its
//! own.

use std::collections::HashMap;

use plan::contract::{ENVIRONMENT_DIRECTORY, ENVIRONMENT_VOLUME};

use crate::container_path::ContainerPath;
use crate::patch::desired_pod::{ContainerVariables, Method};
use crate::pod::Container;
use crate::problem::{Problem, Problems};
use crate::text::display_name;

/// What a container says of one of its variables.
#[derive(Default)]
struct Mentions<'a> {
    /// Whether it sets the variable by itself, and not from a file of ours.
    sets: bool,
    /// Whether it takes it from a Secret or ConfigMap.
    is_of_an_object: bool,
    in_path: bool,
    /// Where the kubelet would have to know the value.
    at: Option<At<'a>>,
}

/// How many references of a Pod may still be looked up, of all its containers together: each is
/// three letters, and a look-up costs what a hundred letters do.
pub(super) struct Left(Option<usize>);

impl Default for Left {
    fn default() -> Self {
        Self(Some(MAX_REFERENCES))
    }
}

impl Left {
    /// Whether there was one left.
    fn take(&mut self) -> bool {
        self.0 = self.0.and_then(|left| left.checked_sub(1));
        self.0.is_some()
    }

    pub(super) fn problem(&self) -> Option<Problem> {
        self.0.is_none().then(|| {
            Problem::pod(
                "the Pod",
                format!(
                    "its containers with variables refer to more than {MAX_REFERENCES} variables, $(NAME), in commands, args, values and subPathExpr together"
                ),
                "make several Pods of it",
            )
        })
    }
}

/// Far more than Pods have.
const MAX_REFERENCES: usize = 2048;

#[derive(Clone, Copy)]
enum At<'a> {
    Command,
    Args,
    Variable(&'a str),
}

/// Reads each text of the container once, however many variables there are.
pub(super) fn check(
    target: &ContainerVariables,
    container: &Container<'_>,
    left: &mut Left,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) {
    let mut mentions: HashMap<&str, Mentions<'_>> =
        target.variables.iter().map(|name| (name.as_str(), Mentions::default())).collect();
    for own in container.env() {
        if let Some(mentions) = mentions.get_mut(own.name.as_ref()) {
            mentions.sets |= !own.is_secret();
            mentions.is_of_an_object |= own.is_of_an_object();
        }
    }
    let paths = container.mounts().iter().filter_map(|mount| mount.sub_path_expr.as_deref());
    for name in paths.flat_map(references).take_while(|_| left.take()) {
        if let Some(mentions) = mentions.get_mut(name) {
            mentions.in_path = true;
        }
    }
    if target.method == Method::Exec {
        let command = container.own_command().iter().map(|word| (At::Command, word.as_ref()));
        let args = container.args.iter().flatten().map(|word| (At::Args, word.as_ref()));
        let env = container
            .env()
            .iter()
            .filter_map(|known| Some((At::Variable(known.name.as_ref()), known.value.as_deref()?)));
        let said = target.entrypoint.iter().flatten().map(|word| (At::Command, word.as_str()));
        for (at, text) in command.chain(said).chain(args).chain(env) {
            for name in references(text).take_while(|_| left.take()) {
                if let Some(mentions) = mentions.get_mut(name) {
                    mentions.at.get_or_insert(at);
                }
            }
        }
    }
    for name in &target.variables {
        if problems.is_full() {
            return;
        }
        let Some(mentions) = mentions.get(name.as_str()) else { continue };
        let is_required = target.required.iter().any(|required| required == name.as_str());
        if mentions.is_of_an_object && (is_required || target.method == Method::FileKeyRef) {
            warnings.push(format!(
                "container {} takes {name:.64} from a Secret or ConfigMap; the secret wins, and that entry is replaced",
                target.name
            ));
        } else if mentions.sets {
            warnings
                .push(format!("container {} sets {name:.64} itself; the secret wins", target.name));
        }
        if mentions.in_path {
            problems.push(Problem::pod(
                format!("container {:?}", display_name(&container.name)),
                format!("a subPathExpr refers to $({name:.64}), and a secret is no part of a path"),
                "use another variable there",
            ));
        }
        if let Some(at) = mentions.at {
            let place = match at {
                At::Command => "its command".to_owned(),
                At::Args => "one of its args".to_owned(),
                At::Variable(user) => format!("its variable {:?}", display_name(user)),
            };
            problems.push(Problem::pod(
                format!("container {:?}", display_name(&container.name)),
                format!(
                    "{place} refers to $({name:.64}), which the kubelet cannot fill in: it is set when the process starts"
                ),
                "read the variable in the application, or make the whole text one: NAME: {template: \"…\"} in kms.alibabacloud/env, or a file",
            ));
        }
    }
}

/// Where our program and the variables are to be, nothing else may be.
pub(super) fn check_mounts(container: &Container<'_>, problems: &mut Problems) {
    let directory = ContainerPath::new(ENVIRONMENT_DIRECTORY);
    for taken in container.mounts() {
        if problems.is_full() {
            return;
        }
        let (path, at) = (&taken.mount_path, taken.place());
        // Paths that contain `..` are reported by the consumers' `check_mounts`.
        let meets = at.is_within(&directory) && !at.steps_back();
        if meets && taken.name != ENVIRONMENT_VOLUME {
            problems.push(Problem::pod(
                format!("container {:?}", display_name(&container.name)),
                format!(
                    "the volume {:?} is mounted at {path:.100}, where its variables are to be",
                    display_name(&taken.name)
                ),
                "mount it somewhere else",
            ));
        }
    }
}

/// The names in `$(NAME)`, as the kubelet reads them: `$$` is a dollar sign.
fn references(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once('$')?;
            if let Some(after) = after.strip_prefix('$') {
                rest = after;
                continue;
            }
            rest = after;
            if let Some(after) = after.strip_prefix('(') {
                // Where none is closed behind it, none is closed further on.
                let (name, behind) = after.split_once(')')?;
                rest = behind;
                return Some(name);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_as_the_kubelet_finds_them() {
        for (text, names) in [
            ("", &[][..]),
            ("a $(B) $(C)d", &["B", "C"]),
            ("$$(B)", &[]),
            ("$$$(B)", &["B"]),
            ("$B ${B} $(", &[]),
            ("$$$$(B)", &[]),
            ("$(B) $(", &["B"]),
            ("$(A $(B) $(C)", &["A $(B", "C"]),
        ] {
            assert_eq!(references(text).collect::<Vec<_>>(), names, "{text}");
        }
    }
}
