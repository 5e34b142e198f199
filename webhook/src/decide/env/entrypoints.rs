//! What images start, as annotations say it where nobody can write a container's command.

use plan::ExecLine;

use crate::ask::annotations::SecretsRequest;
use crate::patch::desired_pod::{ContainerVariables, Method};
use crate::pod::{Container, Pod};
use crate::problem::{PREFIX, Problem, Problems};
use crate::text::display_name;

/// Words that a Pod of the largest size may still get: what is injected must pass the next call too.
const MOST_WORDS: usize = 2048;
const MOST_BYTES: usize = 128 * 1024;

/// Each is for one container that gets variables, and has no command of its own. `targets` are all
/// that get some.
pub(super) fn check<'r, 'p: 'r>(
    pod: &Pod<'p>,
    request: &SecretsRequest<'_>,
    targets: impl Iterator<Item = (&'r Container<'p>, &'r ContainerVariables)>,
    problems: &mut Problems,
) {
    if request.commands.is_empty() {
        return;
    }
    let targets: Vec<_> = targets.collect();
    for said in &request.commands {
        let found = targets.iter().find(|(container, _)| container.name == said.container);
        let Some((container, target)) = found else {
            let names = targets.iter().map(|(container, _)| container.name.as_ref());
            let remedy = match problems.did_you_mean(said.container, names) {
                Some(known) => format!("did you mean {PREFIX}command.{known:.64}?"),
                None => "use the name of a container that gets variables, or remove it".to_owned(),
            };
            let what = format!(
                "no container {:?} of the Pod gets variables",
                display_name(said.container)
            );
            problems.push(Problem::annotation(said.key, what, remedy));
            continue;
        };
        let known = container.command.as_deref().unwrap_or_default();
        // A line of ours has the words from here, or those of an earlier call.
        if !known.is_empty() && ExecLine::parse(known).is_none() {
            problems.push(Problem::annotation(
                said.key,
                "the container has a command of its own",
                "remove the annotation; the command is what is started",
            ));
        } else if target.method == Method::FileKeyRef {
            problems.push(Problem::annotation(
                said.key,
                "the kubelet sets the variables of the container, and nothing is put before its command",
                "remove it, or env-method: file-key-ref",
            ));
        }
    }
    let own = pod.all_containers().map(|(_, _, container)| container);
    let own = own.flat_map(|it| it.own_command().iter().chain(it.args.iter().flatten()));
    let is_there = |name: &str| {
        targets.iter().any(|(container, _)| {
            let known = container.command.as_deref().unwrap_or_default();
            container.name == name && ExecLine::parse(known).is_some()
        })
    };
    let said = request.commands.iter().filter(|said| !is_there(said.container));
    let said = said.flat_map(|said| &said.words);
    let lengths = own.map(|word| word.as_ref().len()).chain(said.map(String::len));
    let (words, bytes) = lengths.fold((0, 0), |(words, bytes), length| (words + 1, bytes + length));
    if words > MOST_WORDS || bytes > MOST_BYTES {
        problems.push(Problem::pod(
            "the Pod",
            format!(
                "with what {PREFIX}command.… says it has more than {MOST_WORDS} words or {MOST_BYTES} bytes in command and args together"
            ),
            "make several Pods of it",
        ));
    }
}
