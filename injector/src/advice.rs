//! What a person can check, for each way in which a source fails. Pure words.

use cloud::{Class, Error};
use plan::{Lookup, Plan, Provider};

use crate::exit::Exit;
use crate::report::Problem;

/// Who and where the run is; `subject` is what the token says.
pub(crate) struct Advisor<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) subject: Option<&'a str>,
}

impl Advisor<'_> {
    pub(crate) fn problem(&self, lookup: &Lookup, error: &Error) -> Problem {
        let mut problem = Problem::new(Exit::from(error.class()), error.to_string())
            .about(lookup.source.to_string());
        problem.advice.push(match error.class() {
            Class::Identity => self.identity(error.operation(), error.code(), lookup),
            Class::Denied => self.denied(lookup),
            Class::NotFound => not_found(lookup),
            Class::Throttled => THROTTLED.to_owned(),
            Class::Unreachable if self.lacks_private_ca(lookup) => PRIVATE_CA.to_owned(),
            Class::Unreachable => unreachable(error.host(), error.code(), error.status()),
            Class::Rejected => rejected(error.code()),
            Class::Malformed => malformed(error.host()),
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
        if operation.ends_with(" AssumeRole") {
            let other = self.role(lookup);
            return format!(
                "allow sts:AssumeRole on {other} for {role}, and {role} (with the external id, if \
                 one is required) in the trust policy of {other}"
            );
        }
        if code.contains("Expired") || is_about_time(code) {
            return "the clock of the node, and that the kubelet renews the token".to_owned();
        }
        if code.contains("AudienceNotMatch") {
            return format!("the client ids of {provider} must contain sts.aliyuncs.com");
        }
        if code.starts_with("EntityNotExist") {
            return format!("that {role} exists; the role comes from the Pod's ServiceAccount");
        }
        if ["Signature", "Issuer", "Fingerprint", "Url"].iter().any(|part| code.contains(part)) {
            return format!("that {provider} belongs to this cluster (RRSA: issuer and keys)");
        }
        let subject = self.subject.unwrap_or("system:serviceaccount:NAMESPACE:SERVICEACCOUNT");
        format!("the trust policy of {role} must allow oidc:sub {subject} from {provider}")
    }

    fn denied(&self, lookup: &Lookup) -> String {
        let (name, region) = (lookup.source.name(), lookup.region.as_str());
        let role = self.role(lookup);
        match lookup.source.provider() {
            Provider::Kms => {
                let resource = if lookup.source.arn_region().is_some() {
                    name.to_owned()
                } else {
                    format!("acs:kms:{region}:*:secret/{name}")
                };
                format!("allow kms:GetSecretValue (and kms:Decrypt) on {resource} for {role}")
            }
            Provider::Oos => format!(
                "allow oos:GetSecretParameter on acs:oos:{region}:*:secretparameter/{name} for \
                 {role}, and kms:GetSecretValue and kms:Decrypt for the KMS secret behind it"
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

fn rejected(code: Option<&str>) -> String {
    let code = code.unwrap_or_default();
    if code.contains("Disabled") {
        "the state of the secret and of its key: one of them is disabled".to_owned()
    } else if code.contains("Delet") {
        "the state of the secret and of its key: one of them is scheduled for deletion; restore it"
            .to_owned()
    } else if is_about_time(code) {
        "the clock of the node".to_owned()
    } else {
        "the code above in the service's documentation, with the request id".to_owned()
    }
}

fn is_about_time(code: &str) -> bool {
    ["TimeStamp", "Timestamp", "TimeTooSkewed"].iter().any(|part| code.contains(part))
}

const PRIVATE_CA: &str = "that the gateway's own CA is given (annotation ca-config-map): public \
                          CAs do not count for it";

const THROTTLED: &str = "the account's request limits, and what else uses them; a longer timeout \
                         lets more retries happen";

#[cfg(test)]
mod tests {
    use plan::{
        Assume, FileMode, FileName, Identity, MountPath, OnMissing, PlanBuilder, ProviderArn,
        Reference, Region, RoleArn, SessionName,
    };

    use super::*;

    const ROLE: &str = "acs:ram::1:role/app";

    fn lookup(source: &str) -> Lookup {
        Lookup {
            source: Reference::parse(source).unwrap().source,
            region: Region::parse("cn-hangzhou").unwrap(),
            endpoint: None,
            assume: None,
        }
    }

    fn plan() -> Plan {
        let identity = Identity {
            role: RoleArn::parse(ROLE).unwrap(),
            provider: ProviderArn::parse("acs:ram::1:oidc-provider/ack").unwrap(),
            session: SessionName::parse("s1").unwrap(),
            duration: 900,
            region: Region::parse("cn-hangzhou").unwrap(),
            endpoint: None,
        };
        let mut builder = PlanBuilder::new(identity, MountPath::default());
        let name = FileName::parse("db").unwrap();
        builder.file(name, lookup("kms://db"), None, FileMode::OWNER, OnMissing::Fail);
        builder.build().unwrap()
    }

    #[test]
    fn a_denial_names_action_resource_and_role() {
        let plan = plan();
        let advisor = Advisor { plan: &plan, subject: None };
        for (source, resource) in [
            ("kms://a/b", "on acs:kms:cn-hangzhou:*:secret/a/b for"),
            ("kms://acs:kms:cn-beijing:2:secret/x", "on acs:kms:cn-beijing:2:secret/x for"),
            ("oos://a", "oos:GetSecretParameter on acs:oos:cn-hangzhou:*:secretparameter/a for"),
            ("oos-parameter://a", "oos:GetParameter on acs:oos:cn-hangzhou:*:parameter/a for"),
        ] {
            let advice = advisor.denied(&lookup(source));
            assert!(advice.contains(resource) && advice.contains(ROLE), "{advice}");
        }
        let mut other = lookup("kms://a");
        let role = RoleArn::parse("acs:ram::2:role/theirs").unwrap();
        other.assume = Some(Assume { role, external_id: None });
        assert!(advisor.denied(&other).ends_with("for acs:ram::2:role/theirs"));
    }

    #[test]
    fn a_refused_identity_names_what_has_to_trust_whom() {
        let plan = plan();
        let subject = Some("system:serviceaccount:shop:checkout");
        let advisor = Advisor { plan: &plan, subject };
        let oidc = |code| advisor.identity("STS AssumeRoleWithOIDC", code, &lookup("kms://a"));
        assert_eq!(
            oidc(Some("AuthenticationFail.NoPermission")),
            "the trust policy of acs:ram::1:role/app must allow oidc:sub \
             system:serviceaccount:shop:checkout from acs:ram::1:oidc-provider/ack"
        );
        for (code, words) in [
            ("AuthenticationFail.OIDCToken.Expired", "clock"),
            ("AuthenticationFail.OIDCToken.AudienceNotMatch", "sts.aliyuncs.com"),
            ("AuthenticationFail.OIDCToken.InvalidSignature", "belongs to this cluster"),
            ("AuthenticationFail.OIDCToken.IssuerNotMatch", "belongs to this cluster"),
            ("EntityNotExist.Role", "exists"),
        ] {
            assert!(oidc(Some(code)).contains(words), "{code}: {}", oidc(Some(code)));
        }
        let mut other = lookup("kms://a");
        let role = RoleArn::parse("acs:ram::2:role/theirs").unwrap();
        other.assume = Some(Assume { role, external_id: None });
        let chained = advisor.identity("STS AssumeRole", Some("NoPermission"), &other);
        assert!(
            chained.contains("sts:AssumeRole on acs:ram::2:role/theirs for acs:ram::1:role/app")
        );
    }

    #[test]
    fn what_to_check_depends_on_whether_somebody_answered() {
        assert!(unreachable("h", None, None).contains("network policies"));
        assert!(unreachable("h", None, Some(502)).contains("in between"));
        assert!(unreachable("h", Some("InternalFailure"), Some(500)).contains("health"));
    }

    #[test]
    fn a_secret_that_is_disabled_or_going_away_is_said_so() {
        assert!(rejected(Some("Rejected.Disabled")).contains("is disabled"));
        for code in ["Rejected.PendingDeletion", "Rejected.ResourceInDeleteWindow"] {
            assert!(rejected(Some(code)).contains("scheduled for deletion"));
        }
        assert!(rejected(Some("InvalidTimeStamp.Expired")).contains("clock"));
    }
}
