use plan::{
    Assume, FileMode, FileName, FileOptions, MountPath, OnMissing, Plan, PlanBuilder, ProviderArn,
    Reference, Region, RoleArn, RoleSession, Rrsa, SessionName,
};

use super::super::credentials::rrsa;
use super::*;

const ROLE: &str = "acs:ram::1:role/app";

fn lookup(source: &str) -> AlibabaLookup {
    let source = Reference::parse(source).unwrap().source.into_alibaba().unwrap();
    AlibabaLookup::in_region(source, Region::parse("cn-hangzhou").unwrap())
}

fn own() -> Rrsa {
    Rrsa {
        role: RoleArn::parse(ROLE).unwrap(),
        named_by: plan::RoleNamer::default(),
        provider: ProviderArn::parse("acs:ram::1:oidc-provider/ack").unwrap(),
        sts: RoleSession {
            session: SessionName::parse("s1").unwrap(),
            duration: 900,
            region: Region::parse("cn-hangzhou").unwrap(),
            endpoint: None,
        },
    }
}

fn plan() -> Plan {
    let mut builder = PlanBuilder::new(own(), MountPath::default());
    let name = FileName::parse("db").unwrap();
    let options = FileOptions::new(FileMode::OWNER, OnMissing::Fail);
    builder.file(name, lookup("kms://db").into(), None, options);
    builder.build().unwrap()
}

fn advisor(plan: &Plan, subject: Option<&str>) -> Advisor {
    let rrsa = rrsa::Rrsa::new(&own(), "/t/token".into(), subject.map(ToOwned::to_owned));
    Advisor::new(PodCredentials::Rrsa(rrsa), plan)
}

/// What is advised where `operation` was refused with `code`.
fn refused_identity(
    advisor: &Advisor,
    operation: &str,
    code: Option<&str>,
    lookup: &AlibabaLookup,
) -> String {
    let diagnosis = Diagnosis::of(Failure::Identity, operation, code);
    advisor.not_accepted(diagnosis, advisor.role(lookup), lookup)
}

#[test]
fn a_denial_names_action_resource_and_role() {
    let advisor = advisor(&plan(), None);
    for (source, resource) in [
        (
            "kms://a/b",
            "on acs:kms:cn-hangzhou:*:secret/a/b, and kms:Decrypt on its key (acs:kms:cn-hangzhou:*:key/...), for",
        ),
        (
            "kms://acs:kms:cn-beijing:2:secret/x",
            "on acs:kms:cn-beijing:2:secret/x, and kms:Decrypt on its key (acs:kms:cn-beijing:2:key/...), for",
        ),
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
    let subject = Some("system:serviceaccount:shop:checkout");
    let advisor = advisor(&plan(), subject);
    let oidc =
        |code| refused_identity(&advisor, "STS AssumeRoleWithOIDC", code, &lookup("kms://a"));
    assert_eq!(
        oidc(Some("AuthenticationFail.NoPermission")),
        "the trust policy of acs:ram::1:role/app must allow oidc:sub \
         system:serviceaccount:shop:checkout from acs:ram::1:oidc-provider/ack; the role is named by \
         the annotation ack.alibabacloud.com/role-arn of its ServiceAccount"
    );
    for (named_by, words) in [
        (plan::RoleNamer::Pod, "the Pod's annotation kms.alibabacloud/role-arn"),
        (plan::RoleNamer::RoleName, "the annotation pod-identity.alibabacloud.com/role-name"),
    ] {
        let named = plan::Rrsa { named_by, ..own() };
        let rrsa = rrsa::Rrsa::new(&named, "/token".into(), subject.map(str::to_owned));
        let advisor = Advisor::new(PodCredentials::Rrsa(rrsa), &plan());
        for code in ["AuthenticationFail.NoPermission", "EntityNotExist.Role"] {
            let call = "STS AssumeRoleWithOIDC";
            let advice = refused_identity(&advisor, call, Some(code), &lookup("kms://a"));
            assert!(advice.contains(words), "{code}: {advice}");
        }
    }
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
    let chained = refused_identity(&advisor, "STS AssumeRole", Some("NoPermission"), &other);
    assert!(chained.contains("sts:AssumeRole on acs:ram::2:role/theirs for acs:ram::1:role/app"));
}

#[test]
fn a_token_that_is_none_is_looked_for_in_its_file() {
    let source = lookup("kms://a");
    for (subject, code) in [
        (Some("system:serviceaccount:shop:checkout"), Some("AuthenticationFail.OIDCToken.Invalid")),
        (None, Some("AuthenticationFail.OIDCToken.Invalid")),
        (None, Some("AuthenticationFail.NoPermission")),
        (None, None),
    ] {
        let advisor = advisor(&plan(), subject);
        let advice = refused_identity(&advisor, "STS AssumeRoleWithOIDC", code, &source);
        assert!(advice.starts_with("the token file /t/token: it does not hold"), "{advice}");
    }
}

#[test]
fn credentials_that_are_not_accepted_are_neither_the_token_nor_the_trust_policy() {
    let advisor = advisor(&plan(), Some("s"));
    let mut other = lookup("kms://a");
    let theirs = "acs:ram::2:role/theirs";
    other.assume = Some(Assume { role: RoleArn::parse(theirs).unwrap(), external_id: None });
    let own = lookup("kms://a");
    for (operation, lookup, role) in [
        ("KMS GetSecretValue", &own, ROLE),
        ("KMS GetSecretValue", &other, theirs),
        ("OOS GetParameter", &own, ROLE),
        ("STS AssumeRole", &other, ROLE),
    ] {
        for code in
            ["InvalidSecurityToken.Expired", "InvalidAccessKeyId.NotFound", "SignatureDoesNotMatch"]
        {
            let advice = refused_identity(&advisor, operation, Some(code), lookup);
            let start = format!("the clock of the node, and that {role} was not deleted");
            assert!(advice.starts_with(&start), "{operation} {code}: {advice}");
        }
    }
}

#[test]
fn what_to_check_depends_on_whether_somebody_answered() {
    assert!(unreachable("h", None, None, None).contains("network policies"));
    assert!(unreachable("h", None, None, Some(502)).contains("in between"));
    assert!(unreachable("h", None, Some("InternalFailure"), Some(500)).contains("health"));
    let proxy = HttpsProxy::parse("proxy.example:3128").unwrap();
    let advice = unreachable("h", Some(&proxy), None, None);
    assert!(advice.contains("proxy.example:3128 (the operator's setting httpsProxy)"), "{advice}");
    assert!(goes_by_proxy("kms.cn-hangzhou.aliyuncs.com") && !goes_by_proxy("100.100.100.200"));
}

/// It speaks no TLS.
#[test]
fn the_metadata_service_is_looked_for_on_its_own_port() {
    let told = metadata("100.100.100.200");
    assert!(told.contains("100.100.100.200 on port 80:") && !told.contains("443"), "{told}");
}

fn refused_with(code: &str) -> &'static str {
    refused(Diagnosis::of(Failure::Refused, "KMS GetSecretValue", Some(code)))
}

#[test]
fn a_secret_that_is_disabled_or_going_away_is_said_so() {
    assert!(refused_with("Rejected.Disabled").contains("is disabled"));
    for code in ["Rejected.PendingDeletion", "Rejected.ResourceInDeleteWindow"] {
        assert!(refused_with(code).contains("scheduled for deletion"));
    }
    assert!(refused_with("InvalidTimeStamp.Expired").contains("clock"));
}
