//! A Pod cannot take a role that trusts another ServiceAccount, whatever its annotations say.

use serde_json::json;

use crate::pods::{annotated, app, with};
use crate::stage::Namespace;

/// In RAM it trusts the ServiceAccount `checkout` of the namespace `shop`, and nobody else.
const CHECKOUT: &str = "acs:ram::1234567890123456:role/checkout";

#[test]
fn a_pod_that_names_the_role_of_another_account_is_refused_by_the_cloud() {
    let place = Namespace::opted_in("thief");
    let secrets = "password: kms://shop/db#password";
    let pod = app("named", "sha256sum < /mnt/secrets-store/password");
    let pod = annotated(pod, &[("secrets", secrets), ("role-arn", CHECKOUT)]);
    place.create(&pod);
    // Its own ServiceAccount may be called like the right one: the namespace is another.
    place.create(&json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": "checkout",
            "annotations": { "ack.alibabacloud.com/role-arn": CHECKOUT },
        },
    }));
    let same = annotated(with(pod, "/metadata/name", json!("called-alike")), &[("role-arn", "")]);
    place.create(&with(same, "/spec/serviceAccountName", json!("checkout")));
    for (pod, account) in [("named", "app"), ("called-alike", "checkout")] {
        place.phase(pod, "Failed");
        let ended = place.ended(pod);
        println!("{pod}:\n{}", ended.message);
        assert_eq!(ended.code, 11, "{}", ended.message);
        let subject = format!("oidc:sub system:serviceaccount:{}:{account}", place.name);
        for words in [
            "STS AssumeRoleWithOIDC of acs:ram::1234567890123456:role/checkout",
            "AuthenticationFail.NoPermission",
            "request id",
            "check: the trust policy of acs:ram::1234567890123456:role/checkout must allow",
            &subject,
            "from acs:ram::1234567890123456:oidc-provider/ack-rrsa-clab",
        ] {
            assert!(ended.message.contains(words), "{words:?} is not in: {}", ended.message);
        }
        // The application never ran.
        let status = &place.get(&format!("pod/{pod}"))["status"]["containerStatuses"][0];
        assert_eq!(status["state"]["waiting"]["reason"], "PodInitializing", "{status}");
    }
}

#[test]
fn nor_does_its_own_role_read_what_belongs_to_another() {
    let place = Namespace::opted_in("reader");
    let pod = app("once", "sha256sum < /mnt/secrets-store/password");
    place.create(&annotated(pod, &[("secrets", "password: kms://shop/db#password")]));
    place.phase("once", "Failed");
    let ended = place.ended("once");
    assert_eq!(ended.code, 12, "{}", ended.message);
    assert!(
        ended.message.contains("kms:GetSecretValue on acs:kms:cn-hangzhou:*:secret/shop/db"),
        "{}",
        ended.message
    );
}
