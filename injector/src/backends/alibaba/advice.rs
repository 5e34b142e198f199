//! What a person can check, for each way in which a source fails. Pure words.

use cloud::{Diagnosis, ECS_METADATA, Error};
use plan::AlibabaLookup;
use secret::Failure;

use super::ask;
use super::credentials::PodCredentials;
use super::words::{self, NODE_CLOCK};

/// What advice needs to know of the run.
pub(super) struct Advisor {
    credentials: PodCredentials,
    has_private_ca: bool,
}

impl Advisor {
    pub(super) fn new(credentials: PodCredentials, has_private_ca: bool) -> Self {
        Self { credentials, has_private_ca }
    }

    pub(super) fn advice(&self, lookup: &AlibabaLookup, error: &Error) -> Vec<String> {
        let diagnosis = error.diagnosis();
        let advice = match error.failure() {
            Failure::Identity if !error.was_sent() => self.credentials.unusable(),
            Failure::Identity => self.not_accepted(diagnosis, error.subject(), lookup),
            Failure::Denied => self.denied(lookup),
            Failure::NotFound => not_found(lookup),
            Failure::Throttled => THROTTLED.to_owned(),
            Failure::Unreachable if self.lacks_private_ca(lookup) => PRIVATE_CA.to_owned(),
            Failure::Unreachable if error.operation() == ECS_METADATA => metadata(error.host()),
            Failure::Unreachable => unreachable(error.host(), error.code(), error.status()),
            Failure::Refused => refused(diagnosis).to_owned(),
            Failure::Unusable => unusable(error.host()),
            Failure::Mismatched => mismatched(error.host()),
            Failure::Local => LOCAL.to_owned(),
        };
        [advice].into_iter().chain(error.recommendation().map(ToOwned::to_owned)).collect()
    }

    /// The identity that asks for a lookup.
    pub(super) fn caller(&self, lookup: &AlibabaLookup) -> String {
        self.credentials.caller(self.role(lookup))
    }

    fn lacks_private_ca(&self, lookup: &AlibabaLookup) -> bool {
        let endpoint = lookup.endpoint.as_ref();
        let dedicated = endpoint.is_some_and(plan::Host::is_dedicated_gateway);
        dedicated && !self.has_private_ca
    }

    /// The role that asks where a lookup names no other one.
    pub(super) fn own_role(&self) -> &str {
        self.credentials.principal()
    }

    /// The role that asks for this lookup.
    fn role<'a>(&'a self, lookup: &'a AlibabaLookup) -> &'a str {
        let assume = lookup.assume.as_ref();
        assume.map_or(self.own_role(), |assume| assume.role.as_str())
    }

    fn denied(&self, lookup: &AlibabaLookup) -> String {
        ask::permission(lookup, self.role(lookup))
    }

    fn not_accepted(&self, diagnosis: Diagnosis, subject: &str, lookup: &AlibabaLookup) -> String {
        let role = self.own_role();
        match diagnosis {
            Diagnosis::Clock => NODE_CLOCK.to_owned(),
            Diagnosis::Credentials if lookup.assume.is_some() => {
                words::not_accepted(self.role(lookup))
            }
            Diagnosis::Credentials | Diagnosis::OwnCredentials => self.credentials.not_accepted(),
            // A Secret may name a role too, which is assumed before.
            Diagnosis::RoleChain if subject != self.role(lookup) => {
                self.credentials.not_given(diagnosis)
            }
            Diagnosis::RoleChain => {
                let other = self.role(lookup);
                format!(
                    "allow sts:AssumeRole on {other} for {role}, and {role} (with the external \
                     id, if one is required) in the trust policy of {other}"
                )
            }
            Diagnosis::TokenExpired
            | Diagnosis::TokenAudience
            | Diagnosis::NoRole
            | Diagnosis::Provider
            | Diagnosis::NoToken
            | Diagnosis::TrustPolicy
            | Diagnosis::Disabled
            | Diagnosis::Deleted
            | Diagnosis::Other => self.credentials.not_given(diagnosis),
        }
    }
}

fn not_found(lookup: &AlibabaLookup) -> String {
    let version = match lookup.source.has_version() {
        true => ", and that it has this version or stage",
        false => "",
    };
    format!(
        "that {:?} exists in {} in the account of the role{version}; on-missing: skip goes on \
         without it",
        lookup.source.name(),
        lookup.region
    )
}

fn unreachable(host: &str, code: Option<&str>, status: Option<u16>) -> String {
    match (code, status) {
        (Some(_), _) => {
            format!("the health of the service: {host} answers, with an error of its own")
        }
        (None, Some(_)) => format!("what answers as {host}: a proxy, portal or gateway in between"),
        (None, None) => format!(
            "that Pods reach {host} on port 443: DNS, the VPC endpoint or the instance's VPC \
             binding, network policies, security groups; that its certificate is the real one"
        ),
    }
}

fn metadata(host: &str) -> String {
    format!(
        "that Pods reach {host} on port 80: network policies, and whether the node is an ECS instance \
         whose metadata service is switched on"
    )
}

fn unusable(host: &str) -> String {
    format!("that {host} is the service itself, and not a proxy or portal that answers for it")
}

fn mismatched(host: &str) -> String {
    format!(
        "what answers as {host}: a proxy or gateway in between that mixes up answers (it gave one \
         for another question, twice, on two connections)"
    )
}

fn refused(diagnosis: Diagnosis) -> &'static str {
    match diagnosis {
        Diagnosis::Disabled => "the state of the secret and of its key: one of them is disabled",
        Diagnosis::Deleted => {
            "the state of the secret and of its key: one of them is scheduled for deletion; restore it"
        }
        Diagnosis::Clock => NODE_CLOCK,
        _ => "the code above in the service's documentation, with the request id",
    }
}

const PRIVATE_CA: &str = "that the gateway's own CA is given (annotation ca-config-map): public \
                          CAs do not count for it";

const LOCAL: &str = "the volume at the mount path and what else writes to it";

const THROTTLED: &str = "the account's request limits, and what else uses them; a longer timeout \
                         lets more retries happen";

#[cfg(test)]
mod tests;
