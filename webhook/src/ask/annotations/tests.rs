use std::borrow::Cow;

use super::*;
use crate::pod::Annotated;
use crate::problem::PREFIX;

fn wrong(key: &str, value: &str) -> String {
    let mut annotations = Annotated::default();
    annotations.ours.push((Cow::Borrowed(key), Cow::Borrowed(value)));
    let mut problems = Problems::default();
    read(&Layers::of_pod(&annotations), &mut problems);
    assert_eq!(problems.as_slice().len(), 1, "{key}={value}");
    problems.message()
}

#[test]
fn a_misspelt_key_is_a_problem_with_a_proposal() {
    assert!(wrong("secret", "x").contains("did you mean kms.alibabacloud/secrets?"));
    assert!(wrong("kms-endpiont", "x").contains("did you mean kms.alibabacloud/kms-endpoint?"));
    assert!(wrong("whatever-else", "x").contains("no such annotation"));
    assert!(wrong("injection", "enabled").contains("label"));
}

#[test]
fn a_key_that_this_version_does_not_act_on_is_a_problem() {
    assert!(wrong("regions", "x").contains("this version does not support it"));
}

#[test]
fn a_proxy_is_the_operators_setting() {
    let message = wrong("https-proxy", "http://user:password@proxy.example:3128");
    assert!(message.contains("the operator for httpsProxy in the settings"), "{message}");
    assert!(!message.contains("password"), "{message}");
}

#[test]
fn credentials_are_a_kind_with_the_name_that_it_needs() {
    for (value, words) in [
        ("", "is no kind of credentials"),
        ("RRSA", "is no kind of credentials"),
        ("keys=x", "is no kind of credentials"),
        ("rrsa=app", "rrsa has no name behind it"),
        ("secret", "it names no Secret"),
        ("secret=", "is not the name of a Secret"),
        ("secret=A", "is not the name of a Secret"),
        ("secret=other/keys", "is not the name of a Secret"),
        ("ecs-ram-role=", "is not the name of a RAM role"),
        ("ecs-ram-role=../x", "is not the name of a RAM role"),
    ] {
        assert!(
            wrong("credentials", value).contains(words),
            "{value}: {}",
            wrong("credentials", value)
        );
    }
}

#[test]
fn values_out_of_range_name_the_range() {
    for (key, value, words) in [
        ("role-session-expiration", "60", "900 to 43200"),
        ("service-account-token-expiration", "86400", "600 to 43200"),
        ("run-as-user", "0", "never runs as root"),
        ("run-as-user", "-1", "1 to 2147483647"),
        ("size-limit", "1Ki", "64Ki to 1Gi"),
        ("refresh-interval", "9s", "10s to 24h"),
        ("refresh-interval", "25h", "10s to 24h"),
        ("max-staleness", "721h", "10s to 720h"),
        ("max-staleness", "never", "like 30s"),
        ("on-revoked", "ignore", "keep, remove or fail"),
        ("native-sidecar", "yes", "auto"),
        ("env-method", "shell", "file-key-ref"),
        ("mode", "sometimes", "init, refresh or agent"),
        ("agent-port", "80", "1024 to 65535"),
        ("agent-cache-ttl", "2h", "0s to 1h"),
        ("agent-cache-size", "0", "1 to 1000"),
        ("agent-max-connections", "1001", "1 to 1000"),
        ("agent-response-type", "3", "0 (KMS), 1"),
        ("agent-token-path", "/etc/token", "directory of its own"),
        ("agent-token-path", "token", "directory of its own"),
        ("agent-secrets", " , ", "names no secret"),
        ("agent-secrets", "oos://a", "KMS secrets only"),
        ("agent-secrets", "a#b", "like shop/db"),
        ("agent-secrets", "db?stage=ACSPrevious", "leave the version out"),
        ("timeout", "5", "like 30s"),
        ("timeout", "2h", "1s to 1h"),
        ("timeout", "99999999999s", "like 30s"),
        ("file-mode", "rw", "quoted octal"),
        ("on-missing", "ignore", "fail or skip"),
        ("log-level", "trace", "debug"),
        ("init-first", "yes", "auto"),
        ("mount-path", "relative", "absolute"),
        ("containers", " , ", "names no container"),
        ("ca-config-map", "../x", "ConfigMap"),
        ("resources.limits.memory", "lots", "quantity"),
        ("template", "x", "write kms.alibabacloud/template.FILE"),
        ("template.", "x", "names no file"),
        ("template.a/b", "x", "letters, digits"),
        ("template..x.", "x", "letters, digits"),
        (&format!("template.{}", "x".repeat(55)), "x", "at most 63"),
        ("path-translation", "ab", "one character"),
        ("role-arn", "demo", "role ARN"),
    ] {
        let message = wrong(key, value);
        assert!(message.contains(words), "{key}={value}: {message}");
        assert!(message.starts_with(PREFIX), "{message}");
    }
}
