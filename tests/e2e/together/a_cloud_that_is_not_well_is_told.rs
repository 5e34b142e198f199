//! The cloud does not answer, or not with what was asked for: what people are told of a Pod that did
//! not start.

use serde_json::json;

use crate::cloud;
use crate::failure::{case, tell};
use crate::pods::with;

#[test]
fn when_the_service_throttles_until_the_time_is_over() {
    let secret = cloud::secret("throttled", "lab-canary-Gt4xWb7p");
    cloud::fault(&secret, json!({ "kind": "rejected_throttling" }));
    let source = format!("kms://{secret}");
    tell(
        "throttled",
        &[case(
            "kms",
            &source,
            &[("timeout", "3s")],
            14,
            &[
                &format!("{source}: KMS GetSecretValue"),
                "Rejected.Throttling",
                "attempts",
                "check: the account's request limits",
                "a longer timeout lets more retries happen",
            ],
        )],
    );
}

#[test]
fn when_the_service_cannot_be_reached() {
    let reset = cloud::secret("reset", "lab-canary-Lx8dYf2k");
    cloud::fault(&reset, json!({ "kind": "reset" }));
    let down = cloud::secret("down", "lab-canary-Cv1nSa6e");
    cloud::fault(&down, json!({ "kind": "unavailable" }));
    let portal = cloud::secret("portal", "lab-canary-Mq9hJz3r");
    cloud::fault(&portal, json!({ "kind": "html" }));
    let soon = [("timeout", "3s")];
    let source = |secret: &str| format!("kms://{secret}");
    let mut lost = case(
        "no-dns",
        "kms://app/db",
        &soon,
        15,
        &[
            "STS AssumeRoleWithOIDC",
            "at sts-vpc.cn-hangzhou.aliyuncs.com",
            "check: that Pods reach sts-vpc.cn-hangzhou.aliyuncs.com on port 443: DNS",
        ],
    );
    lost.pod = with(lost.pod, "/spec/dnsPolicy", json!("None"));
    lost.pod = with(lost.pod, "/spec/dnsConfig", json!({ "nameservers": ["127.0.0.53"] }));
    tell(
        "unreachable",
        &[
            case(
                "reset",
                &source(&reset),
                &soon,
                15,
                &[
                    "KMS GetSecretValue",
                    "attempts",
                    "check: that Pods reach kms-vpc.cn-hangzhou.aliyuncs.com on port 443: DNS, the VPC endpoint",
                ],
            ),
            case(
                "down",
                &source(&down),
                &soon,
                15,
                &[
                    "ServiceUnavailableTemporary",
                    "check: the health of the service: kms-vpc.cn-hangzhou.aliyuncs.com answers",
                ],
            ),
            case(
                "portal",
                &source(&portal),
                &soon,
                15,
                &[
                    "502",
                    "check: what answers as kms-vpc.cn-hangzhou.aliyuncs.com: a proxy, portal or gateway",
                ],
            ),
            lost,
        ],
    );
}

#[test]
fn when_a_value_does_not_fit() {
    let empty = cloud::secret("empty", "");
    let garbage = cloud::secret("garbage", "lab-canary-Eo2pVm9s");
    cloud::fault(&garbage, json!({ "kind": "garbage" }));
    tell(
        "unusable",
        &[
            case(
                "no-such-key",
                "kms://app/db#passwort",
                &[],
                17,
                &[
                    "kms://app/db#passwort: the JMESPath gives nothing: null, or a key that the value does not have",
                    "check: the JMESPath against the secret's keys",
                ],
            ),
            case(
                "no-json",
                "kms://app/plain#password",
                &[],
                17,
                &[
                    "kms://app/plain#password: the value is not JSON (line 1, column 1)",
                    "check: the secret's value; leave the JMESPath out to get all of it",
                ],
            ),
            case(
                "empty",
                &format!("kms://{empty}#password"),
                &[],
                17,
                &[&empty, "the value is empty, so nothing can be selected"],
            ),
            case(
                "garbage",
                &format!("kms://{garbage}"),
                &[("timeout", "3s")],
                17,
                &[&garbage, "check: that kms-vpc.cn-hangzhou.aliyuncs.com is the service itself"],
            ),
        ],
    );
}
