//! What a person can check, for each way in which a source fails. Pure words.

use cloud::{Diagnosis, ECS_METADATA, Error};
use plan::{AlibabaLookup, GatewayCa, HttpsProxy, Plan};
use secret::Failure;

use super::ask;
use super::credentials::PodCredentials;
use super::words::{self, NODE_CLOCK};

/// What advice needs to know of the run.
pub(super) struct Advisor {
    credentials: PodCredentials,
    gateway_ca: Option<GatewayCa>,
    proxy: Option<HttpsProxy>,
}

impl Advisor {
    pub(super) fn new(credentials: PodCredentials, plan: &Plan) -> Self {
        let (gateway_ca, proxy) = (plan.gateway_ca().cloned(), plan.https_proxy().cloned());
        Self { credentials, gateway_ca, proxy }
    }

    pub(super) fn advice(&self, lookup: &AlibabaLookup, error: &Error) -> Vec<String> {
        let diagnosis = error.diagnosis();
        let advice = match error.failure() {
            Failure::Identity if !error.was_sent() => self.credentials.unusable(),
            Failure::Identity => self.not_accepted(diagnosis, error.subject(), lookup),
            Failure::Denied => self.denied(lookup),
            Failure::NotFound => not_found(lookup),
            Failure::Throttled => THROTTLED.to_owned(),
            Failure::Unreachable if error.is_about_issuer() && is_gateway(lookup, error.host()) => {
                self.gateway_ca().to_owned()
            }
            Failure::Unreachable if error.operation() == ECS_METADATA => metadata(error.host()),
            Failure::Unreachable => {
                let proxy = self.proxy.as_ref().filter(|_| goes_by_proxy(error.host()));
                unreachable(error.host(), proxy, error.code(), error.status())
            }
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

    /// By which CA the gateway would be trusted, and who can name another.
    fn gateway_ca(&self) -> &'static str {
        match &self.gateway_ca {
            None => NO_CA,
            Some(GatewayCa::Published) => NOT_PUBLISHED,
            Some(GatewayCa::Mounted) => OTHER_MOUNTED,
            Some(GatewayCa::Given(_)) => OTHER_GIVEN,
        }
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

fn is_gateway(lookup: &AlibabaLookup, host: &str) -> bool {
    let endpoint = lookup.endpoint.as_ref();
    endpoint.is_some_and(|endpoint| endpoint.is_dedicated_gateway() && endpoint.as_str() == host)
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

/// The metadata service of the node, which is asked by its address, does not.
fn goes_by_proxy(host: &str) -> bool {
    plan::Host::parse(host).is_ok()
}

fn unreachable(
    host: &str,
    proxy: Option<&HttpsProxy>,
    code: Option<&str>,
    status: Option<u16>,
) -> String {
    match (code, status, proxy) {
        (Some(_), _, _) => {
            format!("the health of the service: {host} answers, with an error of its own")
        }
        (None, Some(_), _) => {
            format!("what answers as {host}: a proxy, portal or gateway in between")
        }
        (None, None, Some(proxy)) => format!(
            "that Pods reach the proxy {proxy} (the operator's setting httpsProxy): DNS, network \
             policies, security groups; that it opens connections to {host} on port 443 (CONNECT) \
             for everybody, without a login, and leaves the certificate as it is"
        ),
        (None, None, None) => format!(
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

const NO_CA: &str = "that the gateway's own CA is given (annotation ca-config-map, or the operator's \
                     setting gatewayCa or publishedCa): public CAs do not count for it";

const NOT_PUBLISHED: &str = "that it is the gateway that answers; none of the CAs that Alibaba Cloud \
                             publishes signed this certificate. Where the instance has a CA of its \
                             own (its page in the KMS console has the file), give that: annotation \
                             ca-config-map, or the operator's setting gatewayCa";

const OTHER_MOUNTED: &str = "the CA in the ConfigMap (annotation ca-config-map, or the operator's \
                             setting caConfigMap): nothing else counts for the gateway, and it did \
                             not sign this certificate. The instance's page in the KMS console has \
                             the right file";

const OTHER_GIVEN: &str = "the operator's setting gatewayCa: nothing else counts for the gateway, and \
                           it did not sign this certificate. The instance's page in the KMS console \
                           has the right file; annotation ca-config-map wins over the setting";

const LOCAL: &str = "the volume at the mount path and what else writes to it";

const THROTTLED: &str = "the account's request limits, and what else uses them; a longer timeout \
                         lets more retries happen";

#[cfg(test)]
mod tests;
