//! The command of a container whose variables are set at its start: its own, behind ours.

use plan::{ENVIRONMENT_DIRECTORY, ENVIRONMENT_PROGRAM};

/// The command that the Pod's author wrote, behind ours. `required` are variables without which the
/// container is not to start.
pub(crate) fn wrapped(container: &str, required: &str, command: &[&str]) -> Vec<String> {
    let program = program();
    [program.as_str(), "--container", container, "--require", required, "--"]
        .into_iter()
        .chain(command.iter().copied())
        .map(str::to_owned)
        .collect()
}

/// What stands behind ours; `None` where it is not ours.
pub(crate) fn unwrapped<T: AsRef<str>>(command: &[T]) -> Option<&[T]> {
    match command {
        [first, container, _, require, _, dashes, own @ ..]
            if first.as_ref() == program()
                && [container, require, dashes].map(AsRef::as_ref)
                    == ["--container", "--require", "--"] =>
        {
            Some(own)
        }
        _ => None,
    }
}

fn program() -> String {
    format!("{ENVIRONMENT_DIRECTORY}/{ENVIRONMENT_PROGRAM}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_comes_back_as_it_was() {
        let command = ["sh", "-c", "exec --container -- x"];
        let wrapped = wrapped("app", "A,B", &command);
        assert_eq!(wrapped[..3], ["/kms-env/secrets-exec", "--container", "app"]);
        assert_eq!(wrapped[3..6], ["--require", "A,B", "--"]);
        assert_eq!(unwrapped(&wrapped).unwrap(), command);
        assert_eq!(unwrapped(&command), None);
        assert_eq!(unwrapped::<&str>(&[]), None);
    }
}
