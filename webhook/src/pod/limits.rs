//! How large a Pod may be that is injected: far more than any Pod needs, and little enough that a
//! decision stays short whatever stands in it. A Pod that wants nothing of us may be as large as it
//! likes.

use super::Pod;
use super::container::Container;
use super::containers::Containers;
use super::counts::{MOST, MOST_OF_OURS, PodCounts};
use super::marks::{Annotated, MAX_ANNOTATIONS};
use crate::problem::{PREFIX, Problem, Problems};

/// All that has a bound below fits in, and as many annotations of others as Kubernetes allows. Somebody
/// could write more into fields that nobody reads here, and etcd would not keep it.
const MAX_BYTES: usize = 1024 * 1024;
/// No longer path can be opened.
const MAX_PATH_BYTES: usize = 4096;
/// The longest name that problems and plans repeat. The API server lets most names have 63 bytes, and
/// looks only after us.
const MAX_NAME_BYTES: usize = 253;
/// Room for a plan, written generously.
pub(crate) const MAX_ANNOTATION_BYTES: usize = 128 * 1024;

impl Pod<'_> {
    /// Whether it is small enough to be looked at.
    pub(crate) fn is_within_limits(&self) -> bool {
        self.check_limits().is_empty()
    }

    /// A problem for each thing that there is too much of. Nothing else of such a Pod is looked at.
    pub(crate) fn check_limits(&self) -> Problems {
        let mut problems = Problems::default();
        let spec = &self.spec;
        let init = spec.init_containers.as_ref().map(Containers::counts);
        let mut counts = spec.containers.counts().plus(&init.unwrap_or_default());
        if let Some(volumes) = &spec.volumes {
            counts.add_volumes(volumes);
        }
        let PodCounts { theirs, ours } = counts;
        let mut more = |count: usize, most: usize, what: &str| {
            if count > most {
                problems.push(too_many(what, most));
            }
        };
        more(self.bytes, MAX_BYTES, "bytes of JSON");
        more(theirs.containers, MOST.containers, "containers and init containers");
        more(theirs.parts, MOST.parts, "volumes, mounts, ports and environment variables together");
        let names =
            "bytes in names of containers, volumes, mounts, variables and capabilities together";
        more(theirs.names_bytes, MOST.names_bytes, names);
        more(theirs.words, MOST.words, "words in command and args together");
        let texts = "bytes in command, args, values of variables and paths of mounts together";
        more(theirs.texts_bytes, MOST.texts_bytes, texts);
        more(theirs.capabilities, MOST.capabilities, "added capabilities together");
        more(theirs.dropped, MOST.dropped, "dropped capabilities together");
        problems.extend(self.escapes.check());
        if !ours.are_within(&MOST_OF_OURS) {
            problems.push(Problem::pod(
                "the Pod",
                "containers, mounts, variables or words of commands that have names of ours are more than are ever injected",
                "remove what others have written under these names",
            ));
        }
        let mounts = self.all_containers().flat_map(|(_, _, container)| container.mounts());
        let is_long = |path: Option<&str>| path.is_some_and(|path| path.len() > MAX_PATH_BYTES);
        if mounts
            .into_iter()
            .any(|mount| is_long(Some(&mount.mount_path)) || is_long(mount.sub_path.as_deref()))
        {
            problems.push(Problem::pod(
                "the Pod",
                format!("a mountPath or subPath has more than {MAX_PATH_BYTES} bytes"),
                "use a shorter path",
            ));
        }
        if self.has_a_long_name() {
            problems.push(Problem::pod(
                "the Pod",
                format!(
                    "it, its ServiceAccount, a container, a volume or a mount has a name of more than {MAX_NAME_BYTES} bytes"
                ),
                "give it a shorter name",
            ));
        }
        check_annotations(&self.metadata.annotations, &mut problems);
        problems
    }

    /// With what is added to it, above all its plan, which is JSON in JSON.
    pub(crate) fn check_added<'v>(&self, added: impl Iterator<Item = &'v str>) -> Option<Problem> {
        self.escapes.check_with_added(added)
    }

    fn has_a_long_name(&self) -> bool {
        let is_long = |name: &str| name.len() > MAX_NAME_BYTES;
        let of_container = |(_, _, container): (_, _, &Container<'_>)| {
            is_long(&container.name) || container.mounts().iter().any(|mount| is_long(&mount.name))
        };
        is_long(self.name())
            || is_long(self.service_account())
            || self.spec.volumes.iter().flatten().any(|volume| is_long(&volume.name))
            || self.all_containers().any(of_container)
    }
}

fn too_many(what: &str, most: usize) -> Problem {
    Problem::pod(
        "the Pod",
        format!("it has more than {most} {what}, the most that a Pod with secrets may have"),
        "make several Pods of it",
    )
}

fn check_annotations(annotations: &Annotated<'_>, problems: &mut Problems) {
    let theirs = || annotations.ours.iter().filter(|(key, _)| key != "status");
    let count = annotations.count - usize::from(annotations.ours.len() > theirs().count());
    if count > MAX_ANNOTATIONS {
        problems.push(Problem::pod(
            "the annotations",
            format!("there are {count} under {PREFIX}; at most {MAX_ANNOTATIONS} are allowed"),
            "write files and variables into one annotation each, secrets and env",
        ));
        return;
    }
    let keys = annotations.ours.iter().map(|(key, _)| key);
    let mut keys = keys.chain(annotations.untyped.iter().map(|(key, _)| key));
    if let Some(key) = keys.find(|key| key.len() > MAX_NAME_BYTES) {
        problems.push(Problem::annotation(
            &key.chars().take(64).collect::<String>(),
            format!("the name of the annotation has {} bytes; at most 63 are allowed", key.len()),
            "shorten it",
        ));
        return;
    }
    let bytes = annotations.bytes();
    if bytes <= MAX_ANNOTATION_BYTES {
        return;
    }
    let largest = theirs().max_by_key(|(_, value)| value.len());
    let key = largest.map_or("", |(key, _)| key.as_ref());
    problems.push(Problem::annotation(
        key.get(..64).unwrap_or(key),
        format!(
            "with it the annotations under {PREFIX} have {bytes} bytes; at most {MAX_ANNOTATION_BYTES} are allowed"
        ),
        "shorten it",
    ));
}
