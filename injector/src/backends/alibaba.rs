//! Alibaba Cloud: secrets of KMS and parameters of OOS, asked for with one identity.

mod advice;
pub(crate) mod ask;
mod credentials;
mod trust;
mod words;

use cloud::{Error, Session};
use plan::{AlibabaLookup, Credentials, Plan};
use secret::{Failure, Fetched, Requests, RetryPolicy};
use tokio::time::Instant;

use self::advice::Advisor;
use self::credentials::PodCredentials;
use super::fetch_error::FetchError;
use crate::input::args::Args;
use crate::report::problem::Problem;

pub(crate) struct Alibaba {
    session: Session,
    lookups: Vec<CloudLookup>,
    advisor: Advisor,
}

/// A lookup in the words of the plan and in those of the client.
pub(crate) struct CloudLookup {
    plan: AlibabaLookup,
    cloud: cloud::Lookup,
    /// The first lookup that goes to the same host as the same caller.
    server: usize,
}

impl Alibaba {
    /// `own` are the plan's lookups that it answers for.
    pub(crate) fn new(
        args: &Args,
        plan: &Plan,
        credentials: &Credentials,
        own: &[&AlibabaLookup],
    ) -> Result<Self, Problem> {
        let credentials = PodCredentials::read(args, credentials)?;
        let provider = credentials.provider(ask::network(plan));
        let session = Session::new(trust::transport(args, plan)?, provider, RetryPolicy::default())
            .with_batching(ask::batching(plan));
        let lookups = lookups(plan, own);
        let advisor = Advisor::new(credentials, plan);
        Ok(Self { session, lookups, advisor })
    }

    pub(crate) async fn fetch(
        &self,
        lookup: &CloudLookup,
        retry: RetryPolicy,
        deadline: Instant,
        observer: Option<impl Fn(Failure) + Send + Sync + 'static>,
    ) -> Result<Fetched, FetchError> {
        let session = self.asking(retry, observer);
        let fetched = session.fetch(&lookup.cloud, deadline).await;
        fetched.map_err(|error| self.fetch_error(&lookup.plan, &error))
    }

    /// Which of its lookups go out together, by their positions among these.
    pub(crate) fn batches(&self, own: &[usize]) -> Vec<Vec<usize>> {
        let lookups: Vec<_> = own.iter().filter_map(|own| self.lookup(*own)).collect();
        let lookups: Vec<_> = lookups.iter().map(|lookup| &lookup.cloud).collect();
        self.session.batches(&lookups)
    }

    /// What came for each lookup of a batch, in their order; `None` where one is to be fetched by itself.
    pub(crate) async fn fetch_together(
        &self,
        own: &[usize],
        retry: RetryPolicy,
        deadline: Instant,
        observer: Option<impl Fn(Failure) + Send + Sync + 'static>,
    ) -> Vec<Option<Result<Fetched, FetchError>>> {
        let lookups: Vec<_> = own.iter().filter_map(|own| self.lookup(*own)).collect();
        let asked: Vec<_> = lookups.iter().map(|lookup| &lookup.cloud).collect();
        let parts = self.asking(retry, observer).fetch_together(&asked, deadline).await;
        let told = |(part, lookup): (Option<Result<_, Error>>, &&CloudLookup)| {
            Some(part?.map_err(|error| self.fetch_error(&lookup.plan, &error)))
        };
        parts.into_iter().zip(&lookups).map(told).collect()
    }

    fn asking(
        &self,
        retry: RetryPolicy,
        observer: Option<impl Fn(Failure) + Send + Sync + 'static>,
    ) -> Session {
        let session = self.session.with_retry(retry);
        match observer {
            None => session,
            Some(observer) => session.with_observer(move |error| observer(error.failure())),
        }
    }

    /// One of those that it was made with.
    pub(crate) fn lookup(&self, own: usize) -> Option<&CloudLookup> {
        self.lookups.get(own)
    }

    pub(crate) fn role(&self) -> &str {
        self.advisor.own_role()
    }

    pub(crate) fn requests(&self) -> Vec<Requests> {
        self.session.requests()
    }

    pub(crate) fn exchanges(&self) -> u64 {
        self.session.exchanges()
    }

    /// The same identity, for lookups that are not the plan's.
    pub(crate) fn session(&self) -> Session {
        self.session.clone()
    }

    fn fetch_error(&self, lookup: &AlibabaLookup, error: &Error) -> FetchError {
        FetchError {
            failure: error.failure(),
            text: error.to_string(),
            code: error.code().map(ToOwned::to_owned),
            request_id: error.request_id().map(ToOwned::to_owned),
            caller: self.advisor.caller(lookup),
            attempts: error.attempts(),
            is_revocation: error.is_revocation(),
            advice: self.advisor.advice(lookup, error),
        }
    }
}

impl CloudLookup {
    pub(crate) fn server(&self) -> usize {
        self.server
    }
}

fn lookups(plan: &Plan, own: &[&AlibabaLookup]) -> Vec<CloudLookup> {
    let mut lookups: Vec<CloudLookup> = Vec::with_capacity(own.len());
    for lookup in own {
        let cloud = ask::lookup(plan, lookup);
        // Two roles at one host wait for two exchanges.
        let is_same = |known: &CloudLookup| {
            known.cloud.endpoint == cloud.endpoint && known.cloud.assume == cloud.assume
        };
        let server = lookups.iter().position(is_same).unwrap_or(lookups.len());
        lookups.push(CloudLookup { plan: (*lookup).clone(), cloud, server });
    }
    lookups
}

#[cfg(test)]
mod tests {
    use plan::{
        Assume, FileMode, FileName, FileOptions, Host, MountPath, OnMissing, PlanBuilder,
        ProviderArn, Reference, Region, RoleArn, RoleSession, Rrsa, SessionName,
    };

    use super::*;

    fn lookup(name: &str, endpoint: Option<&str>, role: Option<&str>) -> AlibabaLookup {
        let source = Reference::parse(name).unwrap().source;
        AlibabaLookup {
            source: source.into_alibaba().unwrap(),
            region: Region::parse("cn-hangzhou").unwrap(),
            endpoint: endpoint.map(|host| Host::parse(host).unwrap()),
            assume: role
                .map(|role| Assume { role: RoleArn::parse(role).unwrap(), external_id: None }),
        }
    }

    fn plan(lookup: &AlibabaLookup) -> Plan {
        let rrsa = Rrsa {
            role: RoleArn::parse("acs:ram::1:role/app").unwrap(),
            named_by: plan::RoleNamer::default(),
            provider: ProviderArn::parse("acs:ram::1:oidc-provider/ack").unwrap(),
            sts: RoleSession {
                session: SessionName::parse("s1").unwrap(),
                duration: 900,
                region: Region::parse("cn-hangzhou").unwrap(),
                endpoint: None,
            },
        };
        let mut builder = PlanBuilder::new(rrsa, MountPath::default());
        let name = FileName::parse("f").unwrap();
        let options = FileOptions::new(FileMode::OWNER, OnMissing::Fail);
        builder.file(name, lookup.clone().into(), None, options);
        builder.build().unwrap()
    }

    #[test]
    fn lookups_of_one_host_and_one_role_wait_for_one_server() {
        let gateway = "kst-1.cryptoservice.kms.aliyuncs.com";
        let theirs = Some("acs:ram::2:role/theirs");
        let own = [
            lookup("kms://a", None, None),
            lookup("kms://b", Some(gateway), None),
            lookup("kms://c", None, theirs),
            lookup("kms://d", None, None),
            lookup("oos://e", None, None),
            lookup("kms://f", None, theirs),
        ];
        let (plan, own) = (plan(&own[0]), own.iter().collect::<Vec<_>>());
        let servers: Vec<usize> = lookups(&plan, &own).iter().map(|lookup| lookup.server).collect();
        assert_eq!(servers, [0, 1, 2, 0, 4, 2]);
    }
}
