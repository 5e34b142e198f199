//! Containers that see the fetcher's process, where a Pod shares its processes. No one may read
//! its program, so that its memory is closed from its start. None of them has its user either: that user
//! could end it, or open its memory where an image was built without care for that.

use plan::{FileMode, OnChange};

use crate::ask::annotations::SecretsRequest;
use crate::pod::Pod;
use crate::problem::{PREFIX, Problem, Problems};
use crate::text::display_name;

/// Users that neither an image nor a system gives its processes by convention, unlike 65532. Below
/// 65536, so that a Pod with a user namespace of its own has them.
const UNUSED: std::ops::Range<u32> = 61_000..61_100;

#[derive(Debug)]
pub(crate) struct Neighbours {
    /// The field of the Pod that shares its processes.
    field: &'static str,
    /// Each container but ours.
    others: Vec<Other>,
    /// Whether the Pod's author wants a signal, which only the same user may send.
    signals: bool,
}

#[derive(Debug)]
struct Other {
    name: String,
    /// If it is known.
    user: Option<u32>,
}

impl Neighbours {
    /// `None` where every container sees its own processes only.
    pub(crate) fn find(pod: &Pod<'_>, request: &SecretsRequest<'_>) -> Option<Self> {
        let field = match (pod.spec.host_pid, pod.spec.share_process_namespace) {
            (true, _) => "hostPID",
            (false, true) => "shareProcessNamespace",
            (false, false) => return None,
        };
        let others = pod.foreign_containers().map(|(_, _, container)| container);
        Some(Self {
            field,
            others: others
                .map(|other| Other {
                    name: display_name(&other.name).to_string(),
                    user: pod.user_of(other),
                })
                .collect(),
            signals: matches!(request.options.on_change, Some(OnChange::Signal { .. })),
        })
    }

    /// Whether the fetcher must have a user of its own.
    pub(crate) fn keep_apart(&self) -> bool {
        !self.signals
    }

    /// A user that no container has. Many images have the usual one, so that only a Pod that says
    /// all of its users lets it be taken.
    pub(crate) fn unused(&self, usual: u32) -> u32 {
        let is_free = |uid: &u32| self.of(*uid).next().is_none();
        let certain = self.of_unknown_user().next().is_none();
        let mut all = certain.then_some(usual).into_iter().chain(UNUSED);
        all.find(is_free).unwrap_or(usual)
    }

    /// Containers that have this user.
    fn of(&self, uid: u32) -> impl Iterator<Item = &str> {
        self.named(move |other| other.user == Some(uid))
    }

    /// Containers whose user only their image knows.
    fn of_unknown_user(&self) -> impl Iterator<Item = &str> {
        self.named(|other| other.user.is_none())
    }

    fn named(&self, which: impl Fn(&Other) -> bool) -> impl Iterator<Item = &str> {
        self.others.iter().filter(move |other| which(other)).map(|other| other.name.as_str())
    }

    pub(crate) fn check(&self, user: Option<u32>, problems: &mut Problems) {
        // Signals that may not be sent are reported by the check of `on-change`.
        if self.signals {
            return;
        }
        let field = self.field;
        let Some(user) = user else {
            problems.push(Problem::pod(
                "the Pod",
                format!("{field} is set where the platform assigns users, and a container that had ours could end the fetcher"),
                format!("remove {field}, or set {PREFIX}run-as-user to a uid that no container has"),
            ));
            return;
        };
        if let Some(name) = self.of(user).next() {
            problems.push(Problem::annotation(
                "run-as-user",
                format!("container {name:?} has uid {user} too while {field} is set, and could end the fetcher"),
                "use a uid that no container of the Pod has, or leave it out",
            ));
        }
    }

    /// What the Pod's author should know of it. `apart` is the user of all consumers, which the
    /// fetcher would have had, with what files are given to instead.
    pub(crate) fn warning(
        &self,
        user: Option<u32>,
        apart: Option<(u32, FileMode, Option<u32>)>,
    ) -> Option<String> {
        let (theirs, mode, group) = apart.filter(|_| self.keep_apart())?;
        let (field, user) = (self.field, user?);
        let readers = match group {
            Some(group) => format!("{mode}, of group {group}"),
            None => mode.to_string(),
        };
        Some(format!(
            "{field} is set: the fetcher has uid {user} and not {theirs}, so that no container has its user; files have mode {readers}"
        ))
    }
}
