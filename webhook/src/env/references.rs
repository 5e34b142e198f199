//! What a container says of the variables that it is to get: references to them, and values of its
//! own.

use plan::VariableName;

use super::{Method, Target};
use crate::consumers::shown;
use crate::container::ENVIRONMENT_VOLUME;
use crate::pod::{Container, Variable};
use crate::problem::{Problem, Problems};

pub(super) fn check(
    target: &Target,
    container: &Container<'_>,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) {
    for (_, name) in &target.variables {
        let own = container.env().iter().find(|known| known.name == name.as_str());
        if own.is_some_and(|own| !is_ours(own)) {
            warnings
                .push(format!("container {} sets {name:.64} itself; the secret wins", target.name));
        }
        let in_path = |path: &str| refers(path, name);
        if container
            .mounts()
            .iter()
            .any(|mount| mount.sub_path_expr.as_deref().is_some_and(in_path))
        {
            problems.push(Problem::pod(
                format!("container {:?}", shown(&container.name)),
                format!("a subPathExpr refers to $({name:.64}), and a secret is no part of a path"),
                "use another variable there",
            ));
        }
        if target.method == Method::Exec
            && let Some(place) = reference(container, name)
        {
            problems.push(Problem::pod(
                format!("container {:?}", shown(&container.name)),
                format!(
                    "{place} refers to $({name:.64}), which the kubelet cannot fill in: it is set when the process starts"
                ),
                "read the variable in the application, or write a file with a template",
            ));
        }
    }
}

/// Whether it is read from a file of ours.
pub(crate) fn is_ours(variable: &Variable<'_>) -> bool {
    let from = variable.value_from.as_ref().and_then(|from| from.file_key_ref.as_ref());
    from.is_some_and(|from| from.volume_name == ENVIRONMENT_VOLUME)
}

/// Where the kubelet would have to know the value.
fn reference(container: &Container<'_>, name: &VariableName) -> Option<String> {
    let is_in = |text: &str| refers(text, name);
    let args = container.args.as_deref().unwrap_or_default();
    if container.own_command().iter().any(|word| is_in(word)) {
        return Some("its command".to_owned());
    }
    if args.iter().any(|word| is_in(word)) {
        return Some("one of its args".to_owned());
    }
    let env = container.env().iter();
    let mut texts = env.filter_map(|known| Some((&known.name, known.value.as_deref()?)));
    let (user, _) = texts.find(|(_, text)| is_in(text))?;
    Some(format!("its variable {:?}", shown(user)))
}

fn refers(text: &str, name: &VariableName) -> bool {
    references(text).any(|found| found == name.as_str())
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
            if let Some((name, behind)) = after.strip_prefix('(').and_then(|on| on.split_once(')'))
            {
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
        ] {
            assert_eq!(references(text).collect::<Vec<_>>(), names, "{text}");
        }
    }
}
