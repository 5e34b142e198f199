//! How much memory and CPU the fetcher asks for, and how large its volumes may become.

use plan::contract::MAX_VALUE_BYTES;
use plan::{MAX_FILES, MAX_VARIABLES, room_of_all_keys};

use crate::ask::annotations::SecretsRequest;
use crate::ask::secrets::Files;
use crate::patch::fetcher_resources::{FetcherResources, RequestAndLimit};
use crate::pod::{Amount, Amounts, List, Pod, Resources};
use crate::problem::{Problem, Problems};
use crate::quantity::{Quantity, WrittenQuantity};
use crate::settings::Settings;

/// Requests and a memory limit always; a cpu limit only where the Pod is Guaranteed and would
/// not stay so without: throttling makes a start slow.
pub(crate) fn decide(
    pod: &Pod<'_>,
    request: &SecretsRequest<'_>,
    memory: Quantity,
    settings: &Settings,
    problems: &mut Problems,
) -> FetcherResources {
    let defaults = settings.injector().resources();
    let wanted = &request.resources;
    let own = |amount: &Option<WrittenQuantity>| amount.clone();
    let memory_limit = own(&wanted.memory_limit).unwrap_or_else(|| {
        // What is written into memory volumes counts as the writer's memory, as the agent does.
        WrittenQuantity::of_bytes(Quantity::bytes(32 << 20).plus(memory))
    });
    let whole = &pod.spec.resources;
    let resources = if whole.say_something() {
        within(pod, whole, request, &memory_limit, problems)
    } else if is_guaranteed(pod) {
        let cpu = own(&wanted.cpu_limit).or_else(|| own(&wanted.cpu_request));
        let cpu = cpu.unwrap_or_else(|| defaults.guaranteed_cpu().clone());
        let is_limit = |request: &Option<WrittenQuantity>, limit: &WrittenQuantity| {
            request.as_ref().is_none_or(|request| request.amount() == limit.amount())
        };
        FetcherResources {
            guaranteed: is_limit(&wanted.cpu_request, &cpu)
                && is_limit(&wanted.memory_request, &memory_limit),
            requests: RequestAndLimit {
                cpu: Some(own(&wanted.cpu_request).unwrap_or_else(|| cpu.clone())),
                memory: own(&wanted.memory_request).unwrap_or_else(|| memory_limit.clone()),
                storage: own(&wanted.storage_request),
            },
            limits: RequestAndLimit {
                cpu: Some(cpu),
                memory: memory_limit,
                storage: own(&wanted.storage_limit),
            },
        }
    } else {
        let cpu = own(&wanted.cpu_request)
            .unwrap_or_else(|| lower(defaults.cpu(), wanted.cpu_limit.as_ref()));
        let memory = own(&wanted.memory_request)
            .unwrap_or_else(|| lower(defaults.memory(), wanted.memory_limit.as_ref()));
        FetcherResources {
            requests: RequestAndLimit {
                cpu: Some(cpu),
                memory,
                storage: own(&wanted.storage_request),
            },
            limits: RequestAndLimit {
                cpu: own(&wanted.cpu_limit),
                memory: memory_limit,
                storage: own(&wanted.storage_limit),
            },
            guaranteed: false,
        }
    };
    let FetcherResources { requests, limits, .. } = &resources;
    for (key, request, limit) in [
        ("resources.requests.cpu", requests.cpu.as_ref(), limits.cpu.as_ref()),
        ("resources.requests.memory", Some(&requests.memory), Some(&limits.memory)),
        (
            "resources.requests.ephemeral-storage",
            requests.storage.as_ref(),
            limits.storage.as_ref(),
        ),
    ] {
        let (Some(request), Some(limit)) = (request, limit) else { continue };
        if request.amount() > limit.amount() {
            problems.push(Problem::annotation(
                key,
                format!("the request {} is above the limit {}", request.as_str(), limit.as_str()),
                "lower the request or raise the limit",
            ));
        }
    }
    resources
}

/// Inside the resources of the whole Pod. Up to Kubernetes 1.36 the API server adds up what containers
/// request before it asks webhooks, and refuses a Pod that requests more afterwards: ours request nothing,
/// which it accepts, unless the Pod says otherwise.
fn within(
    pod: &Pod<'_>,
    whole: &Resources<'_>,
    request: &SecretsRequest<'_>,
    memory_limit: &WrittenQuantity,
    problems: &mut Problems,
) -> FetcherResources {
    let wanted = &request.resources;
    let Resources { requests, limits } = whole;
    for (key, own, most) in [
        ("resources.limits.cpu", &wanted.cpu_limit, &limits.cpu),
        ("resources.limits.memory", &wanted.memory_limit, &limits.memory),
    ] {
        above(key, own.as_ref(), most.as_ref(), Quantity::bytes(0), problems);
    }
    for (key, own, most, of) in [
        ("resources.requests.cpu", &wanted.cpu_request, &requests.cpu, Core::Cpu),
        ("resources.requests.memory", &wanted.memory_request, &requests.memory, Core::Memory),
    ] {
        let beside = requested(pod, of);
        above(key, own.as_ref(), most.as_ref(), beside, problems);
    }
    let most = limits.memory.as_ref().and_then(|most| WrittenQuantity::parse(most.text()));
    let or_nothing =
        |own: &Option<WrittenQuantity>| own.clone().unwrap_or_else(WrittenQuantity::zero);
    FetcherResources {
        requests: RequestAndLimit {
            cpu: Some(or_nothing(&wanted.cpu_request)),
            memory: or_nothing(&wanted.memory_request),
            storage: wanted.storage_request.clone(),
        },
        limits: RequestAndLimit {
            cpu: wanted.cpu_limit.clone(),
            memory: lower(memory_limit, most.as_ref()),
            storage: wanted.storage_limit.clone(),
        },
        guaranteed: false,
    }
}

/// A problem where ours is more than the Pod has beside what others take of it.
fn above(
    key: &str,
    own: Option<&WrittenQuantity>,
    most: Option<&Amount<'_>>,
    taken: Quantity,
    problems: &mut Problems,
) {
    let Some((own, most)) = own.zip(most) else { return };
    let Some(amount) = Quantity::parse(most.text()) else { return };
    if !own.amount().is_zero() && own.amount().plus(taken) > amount {
        let beside = if taken.is_zero() { "" } else { ", and other containers take a part of it" };
        problems.push(Problem::annotation(
            key,
            format!(
                "{} is more than the whole Pod has (spec.resources: {:.32}){beside}",
                own.as_str(),
                most.text()
            ),
            "lower it or remove it: without it our container requests nothing of a Pod with resources of its own",
        ));
    }
}

#[derive(Clone, Copy)]
enum Core {
    Cpu,
    Memory,
}

/// What containers that run at the same time request together.
fn requested(pod: &Pod<'_>, core: Core) -> Quantity {
    let stays = pod.foreign_containers().filter(|(list, _, container)| {
        *list == List::Main || container.restart_policy.as_deref() == Some("Always")
    });
    let amounts = stays.filter_map(|(_, _, container)| {
        let requests = &container.resources.requests;
        let amount = match core {
            Core::Cpu => requests.cpu.as_ref(),
            Core::Memory => requests.memory.as_ref(),
        };
        Quantity::parse(amount?.text())
    });
    amounts.fold(Quantity::bytes(0), Quantity::plus)
}

/// A default request, or the limit where that is lower.
fn lower(request: &WrittenQuantity, limit: Option<&WrittenQuantity>) -> WrittenQuantity {
    limit.filter(|limit| limit.amount() < request.amount()).unwrap_or(request).clone()
}

const LARGEST_FILE: u64 = MAX_VALUE_BYTES as u64;

/// Room for three generations of files of the largest size, and of all keys.
pub(crate) fn size_limit(request: &SecretsRequest<'_>, files: &Files) -> Quantity {
    let count = u64::try_from(files.len().min(MAX_FILES)).unwrap_or(1);
    let keys = files.all_keys.iter().map(|keys| bytes(room_of_all_keys(keys.prefix.len())));
    let size = keys.fold(3 * LARGEST_FILE * count, u64::saturating_add);
    request.size_limit.unwrap_or_else(|| Quantity::bytes(size.max(1 << 20)))
}

/// Room for the fetcher itself, twice where it is replaced by another version, and for three generations of variables.
/// `all_keys` are groups of keys, counted for each container.
pub(crate) fn environment_size(variables: usize, all_keys: usize) -> Quantity {
    let variables = u64::try_from(variables.min(MAX_VARIABLES)).unwrap_or(1);
    // The names of variables are short, a prefix with them.
    let keys = bytes(room_of_all_keys(0).saturating_mul(all_keys));
    Quantity::bytes(keys.saturating_add((14 << 20) + 3 * LARGEST_FILE * variables))
}

fn bytes(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// As Kubernetes decides the quality of service, before our container is there.
fn is_guaranteed(pod: &Pod<'_>) -> bool {
    let mut containers = pod.foreign_containers().peekable();
    let full = |requests: &Amounts<'_>, limits: &Amounts<'_>| {
        let same = |request: Option<&Amount<'_>>, limit: Option<&Amount<'_>>| {
            let parse = |amount: &Amount<'_>| Quantity::parse(amount.text());
            let Some(limit) = limit.and_then(parse) else { return false };
            // A request that is not written is the limit.
            !limit.is_zero() && request.is_none_or(|request| parse(request) == Some(limit))
        };
        same(requests.cpu.as_ref(), limits.cpu.as_ref())
            && same(requests.memory.as_ref(), limits.memory.as_ref())
    };
    containers.peek().is_some()
        && containers.all(|(_, _, container)| {
            full(&container.resources.requests, &container.resources.limits)
        })
}
