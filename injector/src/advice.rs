//! What a person can check, for each way in which a source fails. Pure words.

use std::path::Path;

use cloud::Error;
use plan::{Lookup, Plan, Provider};
use secret::Failure;

use crate::exit::Exit;
use crate::report::Problem;

/// Who and where the run is; `subject` is what the token says, where it could be read.
pub(crate) struct Advisor<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) token_file: &'a Path,
    pub(crate) subject: Option<&'a str>,
}

impl Advisor<'_> {
    pub(crate) fn problem(&self, lookup: &Lookup, error: &Error) -> Problem {
        let mut problem = Problem::new(Exit::from(error.failure()), error.to_string())
            .about(lookup.source.to_string());
        problem.advice.push(match error.failure() {
            // Nothing was sent: the token would not do.
            Failure::Identity if error.attempts() == 0 => self.no_token(),
            Failure::Identity => self.identity(error.operation(), error.code(), lookup),
            Failure::Denied => self.denied(lookup),
            Failure::NotFound => not_found(lookup),
            Failure::Throttled => THROTTLED.to_owned(),
            Failure::Unreachable if self.lacks_private_ca(lookup) => PRIVATE_CA.to_owned(),
            Failure::Unreachable => unreachable(error.host(), error.code(), error.status()),
            Failure::Refused => rejected(error.code()),
            Failure::Unusable => malformed(error.host()),
            Failure::Mismatched => mismatched(error.host()),
            Failure::Local => LOCAL.to_owned(),
        });
        if let Some(link) = error.recommendation() {
            problem.advice.push(link.to_owned());
        }
        problem
    }

    fn lacks_private_ca(&self, lookup: &Lookup) -> bool {
        let dedicated = lookup.endpoint.as_ref().is_some_and(plan::Host::is_dedicated_gateway);
        dedicated && !self.plan.private_ca()
    }

    /// Who asks for this lookup.
    fn role<'a>(&'a self, lookup: &'a Lookup) -> &'a str {
        lookup.assume.as_ref().map_or(&self.plan.identity().role, |assume| &assume.role).as_str()
    }

    fn identity(&self, operation: &str, code: Option<&str>, lookup: &Lookup) -> String {
        let identity = self.plan.identity();
        let (role, provider) = (identity.role.as_str(), identity.provider.as_str());
        let code = code.unwrap_or_default();
        if is_about_time(code) {
            return NODE_CLOCK.to_owned();
        }
        let exchange = operation.ends_with(" AssumeRoleWithOIDC");
        let chained = operation.ends_with(" AssumeRole");
        if !exchange && (!chained || is_about_credentials(code)) {
            let asking = if chained { role } else { self.role(lookup) };
            return format!(
                "{NODE_CLOCK}, and that {asking} was not deleted or made anew: the credentials \
                 that STS gave for it are not accepted"
            );
        }
        if chained {
            let other = self.role(lookup);
            return format!(
                "allow sts:AssumeRole on {other} for {role}, and {role} (with the external id, if \
                 one is required) in the trust policy of {other}"
            );
        }
        if code.contains("Expired") {
            return format!("{NODE_CLOCK}, and that the kubelet renews the token");
        }
        if code.contains("AudienceNotMatch") {
            return format!("the client ids of {provider} must contain sts.aliyuncs.com");
        }
        if code.starts_with("EntityNotExist") {
            return format!(
                "that {role} exists, which the Pod's ServiceAccount names, and {provider}"
            );
        }
        if ["Signature", "Issuer", "Fingerprint", "Url"].iter().any(|part| code.contains(part)) {
            return format!("that {provider} belongs to this cluster (RRSA: issuer and keys)");
        }
        let Some(subject) = self.subject.filter(|_| !code.ends_with("OIDCToken.Invalid")) else {
            return self.no_token();
        };
        format!("the trust policy of {role} must allow oidc:sub {subject} from {provider}")
    }

    fn no_token(&self) -> String {
        let file = self.token_file.display();
        format!(
            "the token file {file}: it does not hold a ServiceAccount token; the kubelet writes \
             one, so look for what else is mounted there"
        )
    }

    fn denied(&self, lookup: &Lookup) -> String {
        let (name, region) = (lookup.source.name(), lookup.region.as_str());
        let role = self.role(lookup);
        match lookup.source.provider() {
            Provider::Kms => {
                let full = format!("acs:kms:{region}:*:secret/{name}");
                let resource = if lookup.source.arn_region().is_some() { name } else { &full };
                let key = match resource.split_once(":secret/") {
                    Some((place, _)) => format!(" ({place}:key/...)"),
                    None => String::new(),
                };
                format!(
                    "allow kms:GetSecretValue on {resource}, and kms:Decrypt on its key{key}, for \
                     {role}"
                )
            }
            Provider::Oos => format!(
                "allow oos:GetSecretParameter on acs:oos:{region}:*:secretparameter/{name} for \
                 {role}, kms:GetSecretValue for the KMS secret behind it, and kms:Decrypt on its key"
            ),
            Provider::OosParameter => {
                format!("allow oos:GetParameter on acs:oos:{region}:*:parameter/{name} for {role}")
            }
        }
    }
}

/// A source that was not waited for; it is told only beside a reason.
pub(crate) fn unfinished(lookup: &Lookup) -> Problem {
    let text = "not finished when the run was given up".to_owned();
    Problem::new(Exit::Unreachable, text).about(lookup.source.to_string())
}

fn not_found(lookup: &Lookup) -> String {
    let version = match lookup.source.version() {
        Some(_) => ", and that it has this version or stage",
        None => "",
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

fn malformed(host: &str) -> String {
    format!("that {host} is the service itself, and not a proxy or portal that answers for it")
}

fn mismatched(host: &str) -> String {
    format!(
        "what answers as {host}: a proxy or gateway in between that mixes up answers (it gave one \
         for another question, twice, on two connections)"
    )
}

fn rejected(code: Option<&str>) -> String {
    let code = code.unwrap_or_default();
    if code.contains("Disabled") {
        "the state of the secret and of its key: one of them is disabled".to_owned()
    } else if code.contains("Delet") {
        "the state of the secret and of its key: one of them is scheduled for deletion; restore it"
            .to_owned()
    } else if is_about_time(code) {
        NODE_CLOCK.to_owned()
    } else {
        "the code above in the service's documentation, with the request id".to_owned()
    }
}

fn is_about_credentials(code: &str) -> bool {
    ["SecurityToken", "AccessKeyId", "Signature"].iter().any(|part| code.contains(part))
}

fn is_about_time(code: &str) -> bool {
    ["TimeStamp", "Timestamp", "TimeTooSkewed"].iter().any(|part| code.contains(part))
}

const NODE_CLOCK: &str = "the clock of the node";

const PRIVATE_CA: &str = "that the gateway's own CA is given (annotation ca-config-map): public \
                          CAs do not count for it";

const LOCAL: &str = "the volume at the mount path and what else writes to it";

const THROTTLED: &str = "the account's request limits, and what else uses them; a longer timeout \
                         lets more retries happen";

#[cfg(test)]
mod tests;
