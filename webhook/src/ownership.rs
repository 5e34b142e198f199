//! As which user the fetcher runs and with which modes it writes, so that every consumer can read
//! and no one else gains anything. Without capabilities no file can be given away.

use plan::FileMode;

use crate::annotations::{self, Request};
use crate::pod::{Container, Pod};
use crate::problem::Problems;
use crate::settings::{Settings, Uid};

/// The uid that belongs to nobody in distroless images.
const NOBODY: u32 = 65_532;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ownership {
    /// `None` where the platform assigns uids.
    pub(crate) user: Option<u32>,
    pub(crate) group: Option<u32>,
    /// The group that files are given to.
    pub(crate) file_group: Option<u32>,
    pub(crate) mode: FileMode,
    /// The one uid of all consumers, where it is known.
    consumers: Option<u32>,
    fs_group: bool,
}

pub(crate) fn decide<'p>(
    pod: &Pod<'_>,
    consumers: impl Iterator<Item = &'p Container<'p>>,
    request: &Request<'_>,
    settings: &Settings,
) -> Ownership {
    let common = common_user(pod, consumers);
    let fs_group = pod.spec.security_context.fs_group.and_then(|group| u32::try_from(group).ok());
    let explicit = settings.uid == Uid::Explicit;
    let user = request.run_as_user.or(if !explicit {
        None
    } else {
        Some(common.filter(|uid| *uid != 0).unwrap_or(NOBODY))
    });
    let (mode, file_group) = if user.is_some() && user == common {
        (FileMode::OWNER, None)
    } else if fs_group.is_some() {
        (FileMode::GROUP, fs_group)
    } else {
        (FileMode::ALL, None)
    };
    Ownership {
        user,
        group: request.run_as_group,
        file_group,
        mode: request.file_mode.unwrap_or(mode),
        consumers: common,
        fs_group: fs_group.is_some(),
    }
}

impl Ownership {
    /// Whether a consumer may be able to read a file of this mode; `false` only when it cannot.
    pub(crate) fn readable(&self, mode: FileMode) -> bool {
        let same_user = self.user.is_none() || self.user == self.consumers;
        mode.others_read() || same_user || (mode.group_reads() && self.fs_group)
    }

    /// The mode that consumers need at least, for a message.
    pub(crate) fn needed(&self) -> FileMode {
        if self.fs_group { FileMode::GROUP } else { FileMode::ALL }
    }

    pub(crate) fn check(&self, request: &Request<'_>, problems: &mut Problems) {
        if let Some(mode) = request.file_mode
            && !self.readable(mode)
        {
            problems.push(annotations::problem(
                "file-mode",
                format!("no consumer could read files of mode {mode}: they run as another user"),
                format!("use \"{}\", or give all consumers one runAsUser", self.needed()),
            ));
        }
    }
}

/// The uid that all consumers are known to have.
fn common_user<'p>(
    pod: &Pod<'_>,
    consumers: impl Iterator<Item = &'p Container<'p>>,
) -> Option<u32> {
    let mut common = None;
    for container in consumers {
        let user = container.security_context.run_as_user.or(pod.spec.security_context.run_as_user);
        match (common, user) {
            (_, None) => return None,
            (None, Some(user)) => common = Some(user),
            (Some(common), Some(user)) if common == user => {}
            (Some(_), Some(_)) => return None,
        }
    }
    u32::try_from(common?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(pod: &str, request: &Request<'_>) -> (Option<u32>, String, Option<u32>) {
        let pod = Pod::read(pod).unwrap();
        let ownership = decide(&pod, pod.spec.containers.iter(), request, &Settings::default());
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
        let request = Request::default();
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
        let request = Request::default();
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
    fn a_mode_that_no_consumer_can_read_is_a_problem() {
        let request = Request { file_mode: Some(FileMode::OWNER), ..Request::default() };
        let json = pod("", "", "");
        let pod = Pod::read(&json).unwrap();
        let ownership = decide(&pod, pod.spec.containers.iter(), &request, &Settings::default());
        let mut problems = Problems::default();
        ownership.check(&request, &mut problems);
        assert!(problems.message().contains("use \"0444\""), "{}", problems.message());
    }

    #[test]
    fn the_platforms_uid_is_not_overridden() {
        let json = pod("", "", "");
        let pod = Pod::read(&json).unwrap();
        let settings = Settings { uid: Uid::Platform, ..Settings::default() };
        let ownership = decide(&pod, pod.spec.containers.iter(), &Request::default(), &settings);
        assert_eq!(ownership.user, None);
    }
}
