//! As which user the fetcher runs and with which modes it writes, so that every consumer can read
//! and no one else gains anything. Without capabilities no file can be given away.

use plan::FileMode;

use crate::ask::annotations::SecretsRequest;
use crate::decide::neighbours::Neighbours;
use crate::pod::{Container, Pod};
use crate::problem::{Problem, Problems};
use crate::settings::{Settings, Uid};
use crate::text::display_name;

/// The uid that belongs to nobody in distroless images.
const NOBODY: u32 = 65_532;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ownership {
    /// `None` where the platform assigns uids.
    pub(crate) user: Option<u32>,
    pub(crate) group: Option<u32>,
    /// The group that files are given to.
    pub(crate) file_group: Option<u32>,
    pub(crate) mode: FileMode,
    /// A consumer that is known to run as another user, and as which.
    stranger: Option<(String, u32)>,
    pub(crate) warning: Option<String>,
}

pub(crate) fn decide<'p, 'a: 'p>(
    pod: &Pod<'a>,
    consumers: impl Iterator<Item = &'p Container<'a>>,
    request: &SecretsRequest<'_>,
    settings: &Settings,
    problems: &mut Problems,
) -> Ownership {
    let users: Vec<_> = consumers.map(|container| (container, pod.user_of(container))).collect();
    let common = common_user(users.iter().map(|(_, user)| *user));
    let fs_group = pod.spec.security_context.fs_group.and_then(|group| u32::try_from(group).ok());
    let neighbours = Neighbours::find(pod, request);
    let chosen = || match neighbours.as_ref().filter(|neighbours| neighbours.keep_apart()) {
        Some(neighbours) => neighbours.unused(NOBODY),
        None => common.filter(|uid| *uid != 0).unwrap_or(NOBODY),
    };
    let explicit = settings.uid() == Uid::Explicit;
    let user = request.run_as_user.or_else(|| explicit.then(chosen));
    let (mode, file_group) = if user.is_some() && user == common {
        (FileMode::OWNER, None)
    } else if fs_group.is_some() {
        (FileMode::GROUP, fs_group)
    } else {
        (FileMode::ALL, None)
    };
    // Root may have what it takes to read everything, and an image's user may be ours.
    let stranger = users.iter().find_map(|(container, uid)| {
        let uid = uid.filter(|uid| *uid != 0 && user.is_some_and(|user| user != *uid))?;
        Some((display_name(&container.name).to_string(), uid))
    });
    let mode = request.file_mode.unwrap_or(mode);
    let warning = neighbours.and_then(|neighbours| {
        neighbours.check(user, problems);
        let apart = common.filter(|uid| *uid != 0 && request.run_as_user.is_none());
        neighbours.warning(user, apart.map(|uid| (uid, mode, file_group)))
    });
    Ownership {
        user,
        group: request.run_as_group.or_else(|| target_group(pod, request)),
        file_group,
        mode,
        stranger,
        warning,
    }
}

impl Ownership {
    /// Words for a consumer that provably cannot read a file of this mode. Which groups an image's
    /// user has is not known, so a mode that a group reads may be enough.
    pub(crate) fn unreadable(&self, mode: FileMode) -> Option<(String, String)> {
        let (container, uid) = self.stranger.as_ref()?;
        if mode.others_read() || mode.group_reads() {
            return None;
        }
        let user = self.user.unwrap_or(NOBODY);
        Some((
            format!(
                "container {container:?} has uid {uid} and cannot read mode {mode} of uid {user}"
            ),
            "use \"0440\" or \"0444\", or leave it out with kms.alibabacloud/containers".to_owned(),
        ))
    }

    pub(crate) fn check(&self, request: &SecretsRequest<'_>, problems: &mut Problems) {
        if let Some((what, remedy)) = request.file_mode.and_then(|mode| self.unreadable(mode)) {
            problems.push(Problem::annotation("file-mode", what, remedy));
        }
    }
}

/// The group of the container that gets a signal: its process is seen by those who have its user and
/// its group.
fn target_group(pod: &Pod<'_>, request: &SecretsRequest<'_>) -> Option<u32> {
    let name = request.options.on_change.as_ref()?.target()?;
    let (_, _, target) = pod.all_containers().find(|(_, _, known)| known.name == *name)?;
    u32::try_from(target.security_context.run_as_group?).ok()
}

/// The uid that all consumers are known to have.
fn common_user(mut users: impl Iterator<Item = Option<u32>>) -> Option<u32> {
    let first = users.next()??;
    users.all(|user| user == Some(first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided_by(pod: &Pod<'_>, request: &SecretsRequest<'_>, settings: &Settings) -> Ownership {
        let mut problems = Problems::default();
        let ownership = decide(pod, pod.spec.containers.iter(), request, settings, &mut problems);
        assert!(problems.as_slice().is_empty(), "{}", problems.message());
        ownership
    }

    fn decided(pod: &str, request: &SecretsRequest<'_>) -> (Option<u32>, String, Option<u32>) {
        let pod = Pod::read(pod).unwrap();
        let ownership = decided_by(&pod, request, &Settings::default());
        (ownership.user, ownership.mode.to_string(), ownership.file_group)
    }

    fn pod(pod_level: &str, first: &str, second: &str) -> String {
        format!(
            r#"{{"spec":{{"securityContext":{{{pod_level}}},"containers":[
                {{"name":"a","securityContext":{{{first}}}}},{{"name":"b","securityContext":{{{second}}}}}]}}}}"#
        )
    }

    #[test]
    fn consumers_of_one_known_user_get_files_for_that_user_alone() {
        let request = SecretsRequest::default();
        for pod in [
            pod(r#""runAsUser":1000,"fsGroup":5"#, "", ""),
            pod("", r#""runAsUser":1000"#, r#""runAsUser":1000"#),
            pod(r#""runAsUser":1"#, r#""runAsUser":1000"#, r#""runAsUser":1000"#),
        ] {
            assert_eq!(decided(&pod, &request), (Some(1000), "0400".to_owned(), None), "{pod}");
        }
    }

    #[test]
    fn otherwise_the_fs_group_reads_and_without_one_the_pod() {
        let request = SecretsRequest::default();
        let grouped = pod(r#""fsGroup":2000"#, r#""runAsUser":1000"#, "");
        assert_eq!(decided(&grouped, &request), (Some(65_532), "0440".to_owned(), Some(2000)));
        for pod in [
            pod("", "", ""),
            pod("", r#""runAsUser":1000"#, r#""runAsUser":1001"#),
            pod(r#""runAsUser":0"#, "", ""),
        ] {
            assert_eq!(decided(&pod, &request), (Some(65_532), "0444".to_owned(), None), "{pod}");
        }
    }

    #[test]
    fn only_a_mode_that_a_consumer_provably_cannot_read_is_a_problem() {
        let request = SecretsRequest {
            file_mode: Some(FileMode::OWNER),
            run_as_user: Some(1000),
            ..SecretsRequest::default()
        };
        let message_of = |second: &str| {
            let json = pod("", r#""runAsUser":1000"#, second);
            let pod = Pod::read(&json).unwrap();
            let ownership = decided_by(&pod, &request, &Settings::default());
            let mut problems = Problems::default();
            ownership.check(&request, &mut problems);
            problems.message()
        };
        for second in [r#""runAsUser":1000"#, r#""runAsUser":0"#, ""] {
            assert_eq!(message_of(second), "", "{second}");
        }
        let message = message_of(r#""runAsUser":2000"#);
        assert!(message.contains("container \"b\" has uid 2000"), "{message}");
    }

    #[test]
    fn the_platforms_uid_is_not_overridden() {
        let json = pod("", "", "");
        let pod = Pod::read(&json).unwrap();
        let settings = crate::settings::tests::of_flags(&["uid=platform"]);
        let ownership = decided_by(&pod, &SecretsRequest::default(), &settings);
        assert_eq!((ownership.user, ownership.mode), (None, FileMode::ALL));
        assert_eq!(ownership.unreadable(FileMode::OWNER), None);
        let json = self::pod(r#""runAsUser":1000"#, "", "");
        let pod = Pod::read(&json).unwrap();
        let ownership = decided_by(&pod, &SecretsRequest::default(), &settings);
        assert_eq!(ownership.unreadable(FileMode::OWNER), None);
    }
}
