//! What of ours a Pod has already: from an earlier call, a copy, or an older version. Names of ours
//! are reserved; a container of our name is ours only if it carries a plan. Replicas of two releases
//! see each other's Pods while one takes the place of the other: what a later release made stays as it
//! is, what an earlier one made is made anew.

use plan::{CREDENTIALS_PLACES, MAX_ENCODED_BYTES, Plan, Recorded};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::pod::reserved;
use crate::pod::{List, Pod, Room};
use crate::problem::{Problem, Problems};
use crate::settings::Injector;
use crate::settings::image;
use crate::text::display_name;
use plan::contract::{INIT_CONTAINER, PLAN_VARIABLE, SECRETS_VOLUME, SIDECAR};

#[derive(Debug, Default)]
pub(crate) struct Existing {
    /// At most one of each name.
    pub(crate) containers: Vec<Ours>,
    /// Whether a container has a name of ours and carries no plan. What follows from it is not
    /// reported.
    pub(crate) has_lookalike: bool,
    /// Whether volumes of ours are there, and the container is gone that they were added for. What
    /// follows from it is not reported.
    pub(crate) is_torn: bool,
    /// Volumes of our names, by position.
    pub(crate) volumes: Vec<(usize, Value)>,
}

/// A container of ours as it is now.
#[derive(Debug)]
pub(crate) struct Ours {
    pub(crate) name: String,
    pub(crate) list: List,
    pub(crate) index: usize,
    pub(crate) value: Value,
    recorded: Recorded,
    /// The image is one of the operator's repository or of its mirrors, in any version.
    has_our_image: bool,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Raw<'a> {
    spec: RawSpec<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct RawSpec<'a> {
    #[serde(borrow, default)]
    init_containers: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    containers: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    volumes: Option<Vec<&'a RawValue>>,
}

impl Existing {
    /// Looks at names first: a Pod that was never injected costs no second reading.
    pub(crate) fn find(
        pod: &Pod<'_>,
        json: &str,
        injector: &Injector,
        problems: &mut Problems,
    ) -> Self {
        let mut existing = Self::default();
        let named: Vec<_> = pod
            .all_containers()
            .filter(|(_, _, container)| reserved::is_container(&container.name))
            .map(|(list, index, container)| (list, index, container.name.to_string()))
            .collect();
        let volumes = || {
            let all = pod.spec.volumes.iter().flatten().enumerate();
            all.filter(|(_, volume)| reserved::is_volume(&volume.name))
        };
        let raw = match named.is_empty() {
            true => None,
            false => serde_json::from_str::<Raw<'_>>(json).ok(),
        };
        let mut room = Room::of_ours();
        for (list, index, name) in named {
            let place = list == List::Init || name == SIDECAR;
            let known = existing.containers.iter().any(|ours| ours.name == name);
            let raw = raw.as_ref().filter(|_| place && !known);
            match raw.and_then(|raw| Ours::read(raw, list, index, &name, injector, &mut room)) {
                Some(ours) => existing.containers.push(ours),
                _ => {
                    existing.has_lookalike = true;
                    problems.push(Problem::pod(
                        format!("container {:?}", display_name(&name)),
                        "the name is reserved for the container that fetches secrets, and this one carries no plan that can be read",
                        "remove the container, or give it another name",
                    ));
                }
            }
        }
        if existing.is_injected() {
            let raws = raw.and_then(|raw| raw.spec.volumes).unwrap_or_default();
            for (index, volume) in volumes() {
                match raws.get(index).and_then(|raw| room.read(raw.get())) {
                    Some(value) => existing.volumes.push((index, value)),
                    None => {
                        problems.push(Problem::pod(
                            format!("volume {:?}", display_name(&volume.name)),
                            "the name is reserved, and this volume is larger than any of ours",
                            "remove the volume, or give it another name",
                        ));
                        break;
                    }
                }
            }
        } else if !existing.has_lookalike
            && is_torn(volumes().map(|(_, volume)| volume.name.as_ref()))
        {
            existing.is_torn = true;
            problems.push(Problem::pod(
                "the Pod",
                format!(
                    "it has volumes of an earlier injection, and no container {INIT_CONTAINER} or {SIDECAR} any more: another webhook or tool removed that"
                ),
                "have it leave our container alone; in a manifest remove the volumes kms-secrets and kms-rrsa-token and their mounts too, they are added again",
            ));
        } else if !existing.has_lookalike {
            for (_, volume) in volumes() {
                problems.push(Problem::pod(
                    format!("volume {:?}", display_name(&volume.name)),
                    "the name is reserved for a volume that is added here",
                    "give the volume another name",
                ));
            }
        }
        existing
    }

    /// The consumers that an earlier call recorded.
    pub(crate) fn consumers(&self) -> Option<&[String]> {
        self.containers.iter().find_map(|ours| match &ours.recorded {
            Recorded::Same { consumers } => Some(consumers.as_slice()),
            Recorded::Older | Recorded::Newer(_) | Recorded::Unreadable => None,
        })
    }

    /// The version of the plan, and its container, where a later release than this one made the Pod
    /// what it is. All that it added follows from that plan, so that nothing of it is touched. With a
    /// container of this release beside it, whose plan this fetcher would carry out, nobody made it so.
    pub(crate) fn later_release(&self) -> Option<(u64, &str)> {
        let mut later = self.containers.iter().map(|ours| match ours.recorded {
            Recorded::Newer(version) if ours.has_our_image => Some((version, &*ours.name)),
            _ => None,
        });
        let first = later.next()??;
        later.all(|one| one.is_some()).then_some(first)
    }

    pub(crate) fn is_injected(&self) -> bool {
        !self.containers.is_empty()
    }
}

/// Nobody calls two volumes as ours are called but we.
fn is_torn<'n>(names: impl Iterator<Item = &'n str>) -> bool {
    let (mut secrets, mut credentials) = (false, false);
    for name in names {
        secrets |= name == SECRETS_VOLUME;
        credentials |= CREDENTIALS_PLACES.iter().any(|place| place.volume == name);
    }
    secrets && credentials
}

impl Ours {
    fn read(
        raw: &Raw<'_>,
        list: List,
        index: usize,
        name: &str,
        injector: &Injector,
        room: &mut Room,
    ) -> Option<Self> {
        let containers = match list {
            List::Init => &raw.spec.init_containers,
            List::Main => &raw.spec.containers,
        };
        let container = containers.as_ref()?.get(index)?;
        let value = room.read(container.get())?;
        let carries =
            |variable: &&Value| variable.get("name").and_then(Value::as_str) == Some(PLAN_VARIABLE);
        let variable = value.get("env")?.as_array()?.iter().find(carries)?;
        let plan = variable.get("value")?.as_str()?;
        if plan.len() > MAX_ENCODED_BYTES {
            return None;
        }
        let recorded = Plan::recorded(plan);
        let has_our_image = has_our_image(&value, injector);
        if recorded == Recorded::Unreadable && !has_our_image && !has_our_command(&value, injector)
        {
            return None;
        }
        Some(Self { name: name.to_owned(), list, index, value, recorded, has_our_image })
    }
}

fn has_our_image(container: &Value, injector: &Injector) -> bool {
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    image::has_repository(image, injector.image(), injector.image_mirrors())
}

fn has_our_command(container: &Value, injector: &Injector) -> bool {
    let words = container.get("command").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    words.iter().map(Value::as_str).eq(injector.command().iter().map(|word| Some(word.as_str())))
}
