//! The command of a container whose variables are set at its start: its own, behind ours.

use plan::{ENVIRONMENT_DIRECTORY, ENVIRONMENT_PROGRAM};

/// What stands before the command that the Pod's author wrote.
pub(crate) fn wrapped<'a>(container: &'a str, command: &[&'a str]) -> Vec<String> {
    let program = program();
    [program.as_str(), "exec", "--container", container, "--"]
        .into_iter()
        .chain(command.iter().copied())
        .map(str::to_owned)
        .collect()
}

/// What stands behind ours; `None` where it is not ours.
pub(crate) fn unwrapped<T: AsRef<str>>(command: &[T]) -> Option<&[T]> {
    match command {
        [first, exec, option, _, dashes, own @ ..]
            if first.as_ref() == program()
                && exec.as_ref() == "exec"
                && option.as_ref() == "--container"
                && dashes.as_ref() == "--" =>
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
        let wrapped = wrapped("app", &command);
        assert_eq!(wrapped[..5], ["/kms-env/secrets-injector", "exec", "--container", "app", "--"]);
        assert_eq!(unwrapped(&wrapped).unwrap(), command);
        assert_eq!(unwrapped(&command), None);
        assert_eq!(unwrapped::<&str>(&[]), None);
    }
}
