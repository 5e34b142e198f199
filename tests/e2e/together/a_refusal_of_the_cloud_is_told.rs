//! The cloud answers, and refuses: what people are told of a Pod that did not start.

use serde_json::json;

use crate::cloud;
use crate::failure::{case, tell};

#[test]
fn when_the_identity_is_not_accepted() {
    let role = |name: &str| format!("acs:ram::1234567890123456:role/{name}");
    let provider = "acs:ram::1234567890123456:oidc-provider/ack-rrsa-other";
    tell(
        "identity",
        &[
            case(
                "no-such-role",
                "kms://app/db",
                &[("role-arn", &role("missing"))],
                11,
                &[
                    "kms://app/db: STS AssumeRoleWithOIDC of acs:ram::1234567890123456:role/missing",
                    "EntityNotExist.Role",
                    "check: that acs:ram::1234567890123456:role/missing exists",
                ],
            ),
            case(
                "no-such-provider",
                "kms://app/db",
                &[("oidc-provider-arn", provider)],
                11,
                &[
                    "STS AssumeRoleWithOIDC",
                    "AuthenticationFail.NoPermission",
                    "request id",
                    "from acs:ram::1234567890123456:oidc-provider/ack-rrsa-other",
                ],
            ),
            // Nobody asked the other account whether it trusts us.
            case(
                "other-account",
                "kms://app/db",
                &[("cross-account-role-arn", &role("checkout"))],
                11,
                &[
                    "STS AssumeRole of acs:ram::1234567890123456:role/checkout",
                    "check: allow sts:AssumeRole on acs:ram::1234567890123456:role/checkout",
                    "in the trust policy of acs:ram::1234567890123456:role/checkout",
                ],
            ),
        ],
    );
}

#[test]
fn when_the_role_may_not_read() {
    let nobody = "acs:ram::1234567890123456:role/nobody";
    tell(
        "denied",
        &[
            case(
                "kms",
                "kms://other/db",
                &[],
                12,
                &[
                    "kms://other/db: KMS GetSecretValue of other/db at kms-vpc.cn-hangzhou.aliyuncs.com",
                    "request id",
                    "check: allow kms:GetSecretValue on acs:kms:cn-hangzhou:*:secret/other/db",
                    "kms:Decrypt on its key",
                    "for acs:ram::1234567890123456:role/app",
                ],
            ),
            case(
                "oos",
                "oos://app-token",
                &[("role-arn", nobody)],
                12,
                &[
                    "oos://app-token: OOS GetSecretParameter of app-token",
                    "check: allow oos:GetSecretParameter on acs:oos:cn-hangzhou:*:secretparameter/app-token",
                    "for acs:ram::1234567890123456:role/nobody",
                ],
            ),
            case(
                "plain",
                "oos-parameter://app-flags",
                &[("role-arn", nobody)],
                12,
                &["check: allow oos:GetParameter on acs:oos:cn-hangzhou:*:parameter/app-flags"],
            ),
        ],
    );
}

#[test]
fn when_there_is_no_such_secret() {
    tell(
        "not-found",
        &[
            case(
                "kms",
                "kms://app/missing",
                &[],
                13,
                &[
                    "kms://app/missing: KMS GetSecretValue of app/missing",
                    "request id",
                    "check: that \"app/missing\" exists in cn-hangzhou in the account of the role",
                    "on-missing: skip",
                ],
            ),
            case(
                "stage",
                "kms://app/db?stage=ACSPrevious",
                &[],
                13,
                &["kms://app/db?stage=ACSPrevious: ", "and that it has this version or stage"],
            ),
            case("oos", "oos://app-missing", &[], 13, &["check: that \"app-missing\" exists"]),
            case(
                "region",
                "kms://app/db",
                &[("region", "cn-beijing")],
                13,
                &["at kms-vpc.cn-beijing.aliyuncs.com", "exists in cn-beijing"],
            ),
        ],
    );
}

#[test]
fn when_the_service_refuses() {
    let version = json!([{ "id": "v1", "text": "lab-canary-Zr7gHd4u" }]);
    let disabled =
        cloud::secret_as("disabled", json!({ "versions": version, "state": "key_disabled" }));
    let deleted =
        cloud::secret_as("deleted", json!({ "versions": version, "state": "delete_window" }));
    tell(
        "refused",
        &[
            case(
                "disabled",
                &format!("kms://{disabled}"),
                &[],
                18,
                &[
                    "Disabled",
                    "check: the state of the secret and of its key: one of them is disabled",
                ],
            ),
            case(
                "deleted",
                &format!("kms://{deleted}"),
                &[],
                18,
                &[
                    "check: the state of the secret and of its key: one of them is scheduled for deletion",
                ],
            ),
        ],
    );
}
