//! Which lookups are asked for in one call, and that call. It is pure.

use secret::Sensitive;
use transport::Request;

use crate::call_info::CallInfo;
use crate::canonical::encoded_length;
use crate::cause::Cause;
use crate::endpoint::is_dedicated_kms;
use crate::keys::Credentials;
use crate::kms_batch::{self, AskedSecret};
use crate::lookup::{AssumedRole, Lookup, Subject};
use crate::matching::own_name;
use crate::oos_batch;
use crate::parts::{AnsweredParts, FoundPart};
use crate::pool_key::PoolKey;
use crate::response::ReadError;
use crate::sign::{self, Stamp};

/// Which values may be asked for together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batching {
    pub kms: KmsBatching,
    /// Secret parameters of OOS, for which roles need a permission of its own.
    pub oos: bool,
}

/// The hosts of KMS that are asked for several secrets at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KmsBatching {
    #[default]
    Never,
    /// Those that all instances share.
    Shared,
    /// The gateways of dedicated instances too.
    All,
}

/// What lookups of one call have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Group {
    pub(crate) route: Route,
    /// The account or region in which all names are meant: an answer may leave it out.
    pub(crate) place: String,
}

/// What a host does not answer once, it does not answer to the same caller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Route {
    pub(crate) endpoint: String,
    pub(crate) assume: Option<AssumedRole>,
    pub(crate) service: BatchService,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BatchService {
    Kms,
    Oos,
}

/// Lookups that are asked for in one call, at least one.
pub(crate) struct Batch<'a> {
    pub(crate) group: Group,
    pub(crate) lookups: Vec<&'a Lookup>,
}

/// Fewer are as quick by themselves, each on a connection of its own.
const FEWEST: usize = 3;

/// Bytes of a request's parameter: what stands before a service may refuse a longer address than 8 KiB.
const LONGEST: usize = 6 * 1024;

impl Batching {
    /// What a lookup has in common with those that it may be asked with.
    pub(crate) fn group(self, lookup: &Lookup) -> Option<Group> {
        let (service, place) = match &lookup.subject {
            Subject::KmsSecret { name, .. } => {
                let may = match self.kms {
                    KmsBatching::Never => false,
                    KmsBatching::Shared => !is_dedicated_kms(&lookup.endpoint),
                    KmsBatching::All => true,
                };
                let place = name.split_once(":secret/").map_or("", |(place, _)| place);
                (may.then_some(BatchService::Kms)?, place)
            }
            // Several are always asked for in their newest version.
            Subject::OosSecretParameter { version: None, region, .. } if self.oos => {
                (BatchService::Oos, region.as_str())
            }
            Subject::OosSecretParameter { .. } | Subject::OosParameter { .. } => return None,
        };
        let (endpoint, assume) = (lookup.endpoint.clone(), lookup.assume.clone());
        Some(Group { route: Route { endpoint, assume, service }, place: place.to_owned() })
    }

    /// The indexes of lookups that go out together, each at most once. `is_usable` says whether a
    /// host is to be asked so.
    pub(crate) fn batches(
        self,
        lookups: &[&Lookup],
        is_usable: impl Fn(&Route) -> bool,
    ) -> Vec<Vec<usize>> {
        let mut groups: Vec<(Group, Vec<usize>)> = Vec::new();
        for (index, lookup) in lookups.iter().enumerate() {
            let Some(group) = self.group(lookup).filter(|group| is_usable(&group.route)) else {
                continue;
            };
            match groups.iter_mut().find(|(known, _)| *known == group) {
                Some((_, members)) => members.push(index),
                None => groups.push((group, vec![index])),
            }
        }
        let split = |(group, members): &(Group, Vec<usize>)| split(lookups, group, members);
        let batches = groups.iter().flat_map(split);
        batches.filter(|batch| batch.len() >= FEWEST).collect()
    }
}

impl Batching {
    /// The values in the body of a successful answer to these lookups, in their order; alone, for fuzzing.
    #[must_use]
    pub fn read(self, lookups: &[&Lookup], answer: &[u8]) -> Option<Vec<Option<Sensitive>>> {
        let parts = Batch::of(self, lookups)?.read(answer, &[]).ok()?;
        let value = |found| match found {
            FoundPart::Value(value) => Some(value.bytes),
            FoundPart::Refused(_) | FoundPart::Alone => None,
        };
        Some(parts.into_found().into_iter().map(value).collect())
    }
}

impl BatchService {
    fn most(self) -> usize {
        match self {
            Self::Kms => kms_batch::MOST,
            Self::Oos => oos_batch::MOST,
        }
    }
}

impl<'a> Batch<'a> {
    /// `None` where the lookups do not belong together.
    pub(crate) fn of(batching: Batching, lookups: &[&'a Lookup]) -> Option<Self> {
        let group = batching.group(lookups.first()?)?;
        let belong = |lookup: &&Lookup| batching.group(lookup).as_ref() == Some(&group);
        let fits = lookups.len() <= group.route.service.most();
        (fits && lookups.iter().all(belong)).then(|| Self { group, lookups: lookups.to_vec() })
    }

    /// What the call is about, in words.
    pub(crate) fn info(&self) -> CallInfo {
        let names = self.lookups.len();
        let first = self.lookups.first().map_or("", |lookup| lookup.subject.name());
        CallInfo {
            operation: match self.group.route.service {
                BatchService::Kms => "KMS BatchGetSecretValue",
                BatchService::Oos => "OOS GetSecretParameters",
            },
            host: self.group.route.endpoint.clone(),
            subject: format!("{first} and {} more", names.saturating_sub(1)),
            identity: false,
        }
    }

    pub(crate) fn pool_key(&self, caller: &str) -> PoolKey {
        let action = match self.group.route.service {
            BatchService::Kms => kms_batch::BATCH_GET_SECRET_VALUE.action,
            BatchService::Oos => oos_batch::GET_SECRET_PARAMETERS.action,
        };
        let (caller, place) = (caller.to_owned(), self.group.place.clone());
        PoolKey { action, caller, place, version: None }
    }

    pub(crate) fn request(&self, with: &Credentials, stamp: &Stamp) -> Result<Request, Cause> {
        let Group { route: Route { endpoint, service, .. }, place } = &self.group;
        match service {
            BatchService::Kms => {
                let list = kms_batch::list(&self.secrets());
                let parameters = kms_batch::parameters(&list);
                sign::request(kms_batch::BATCH_GET_SECRET_VALUE, endpoint, &parameters, with, stamp)
            }
            BatchService::Oos => {
                let list = oos_batch::list(&self.parameters());
                let parameters = oos_batch::parameters(&list, place);
                sign::request(oos_batch::GET_SECRET_PARAMETERS, endpoint, &parameters, with, stamp)
            }
        }
    }

    /// What came for each lookup, in their order. `sent` are the secrets of the request.
    pub(crate) fn read(
        &self,
        body: &[u8],
        sent: &[&Sensitive],
    ) -> Result<AnsweredParts, ReadError> {
        match self.group.route.service {
            BatchService::Kms => kms_batch::read(body, &self.secrets(), sent),
            BatchService::Oos => oos_batch::read(body, &self.parameters(), sent),
        }
    }

    fn secrets(&self) -> Vec<AskedSecret<'a>> {
        self.lookups.iter().filter_map(|lookup| AskedSecret::of(lookup)).collect()
    }

    fn parameters(&self) -> Vec<&'a str> {
        self.lookups.iter().map(|lookup| lookup.subject.name()).collect()
    }
}

/// As few batches of as equal sizes as the service's limit allows. An answer does not tell two
/// versions of one name apart, so that no batch has a name twice.
fn split(lookups: &[&Lookup], group: &Group, members: &[usize]) -> Vec<Vec<usize>> {
    let most = group.route.service.most();
    let size = members.len().div_ceil(members.len().div_ceil(most).max(1));
    let mut open: Vec<OpenBatch<'_>> = Vec::new();
    for index in members {
        let Some(lookup) = lookups.get(*index) else { continue };
        let (name, length) = (own_name(lookup.subject.name()), written_length(lookup));
        let fits = |batch: &&mut OpenBatch<'_>| {
            batch.members.len() < size
                && batch.length + length <= LONGEST
                && !batch.names.contains(&name)
        };
        match open.iter_mut().find(fits) {
            Some(batch) => batch.add(*index, name, length),
            None => {
                let mut batch = OpenBatch::default();
                batch.add(*index, name, length);
                open.push(batch);
            }
        }
    }
    open.into_iter().map(|batch| batch.members).collect()
}

#[derive(Default)]
struct OpenBatch<'a> {
    members: Vec<usize>,
    names: Vec<&'a str>,
    length: usize,
}

impl<'a> OpenBatch<'a> {
    fn add(&mut self, index: usize, name: &'a str, length: usize) {
        self.members.push(index);
        self.names.push(name);
        self.length += length;
    }
}

/// Bytes that a lookup takes in the parameter, as it is encoded there.
fn written_length(lookup: &Lookup) -> usize {
    let text = match AskedSecret::of(lookup) {
        Some(secret) => kms_batch::list(&[secret]),
        None => oos_batch::list(&[lookup.subject.name()]),
    };
    encoded_length(&text)
}

#[cfg(test)]
mod tests;
