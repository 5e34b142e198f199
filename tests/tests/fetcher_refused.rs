//! What the fetcher says when the cloud refuses: the documented exit code, a first line that stands
//! alone, something to check, no value anywhere, and no file.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use lab::cloud::{
    CalledService, Cloud, CloudConfig, Effect, Fault, SecretSeed, SecretState, Seed, TokenRequest,
};
use lab::fetcher::{ACCOUNT, Container, ROLE, Want, builder, plan};

struct Story {
    name: &'static str,
    arrange: fn(&Cloud, &Container),
    source: &'static str,
    code: i32,
    /// All of them on the first line.
    headline: &'static [&'static str],
    /// All of them somewhere in the message.
    advice: &'static [&'static str],
}

const STORIES: [Story; 24] = [
    Story {
        name: "a secret that the role may not read",
        arrange: nothing,
        source: "kms://billing/db",
        code: 12,
        headline: &["kms://billing/db: ", "Forbidden.NoPermission", "status 403", "request id "],
        advice: &[
            "allow kms:GetSecretValue on acs:kms:cn-hangzhou:*:secret/billing/db, and kms:Decrypt \
             on its key (acs:kms:cn-hangzhou:*:key/...), for ",
            ROLE,
        ],
    },
    Story {
        name: "a parameter that the role may not read",
        arrange: nothing,
        source: "oos://billing-token",
        code: 12,
        headline: &["oos://billing-token: ", "status 403", "request id "],
        advice: &["allow oos:GetSecretParameter on acs:oos:cn-hangzhou:*:secretparameter/billing-"],
    },
    Story {
        name: "a secret that does not exist",
        arrange: nothing,
        source: "kms://shop/gone",
        code: 13,
        headline: &["kms://shop/gone: ", "Forbidden.ResourceNotFound", "status 404", "request id "],
        advice: &["exists in cn-hangzhou", "on-missing: skip"],
    },
    Story {
        name: "a version that does not exist",
        arrange: nothing,
        source: "kms://shop/db?version=v9",
        code: 13,
        headline: &["kms://shop/db?version=v9: ", "Forbidden.ResourceNotFound"],
        advice: &["has this version or stage"],
    },
    Story {
        name: "a parameter that does not exist",
        arrange: nothing,
        source: "oos-parameter://shop-gone",
        code: 13,
        headline: &["oos-parameter://shop-gone: ", "EntityNotExists.Parameter"],
        advice: &["exists in cn-hangzhou"],
    },
    Story {
        name: "a secret whose key is disabled",
        arrange: |cloud, _| canary(cloud, SecretState::KeyDisabled),
        source: "kms://shop/canary",
        code: 18,
        headline: &["kms://shop/canary: ", "Rejected.Disabled", "request id "],
        advice: &["is disabled"],
    },
    Story {
        name: "a secret whose key is scheduled for deletion",
        arrange: |cloud, _| canary(cloud, SecretState::KeyPendingDeletion),
        source: "kms://shop/canary",
        code: 18,
        headline: &["kms://shop/canary: ", "Rejected.PendingDeletion"],
        advice: &["scheduled for deletion"],
    },
    Story {
        name: "a secret that is scheduled for deletion",
        arrange: |cloud, _| canary(cloud, SecretState::DeleteWindow),
        source: "kms://shop/canary",
        code: 18,
        headline: &["kms://shop/canary: ", "Rejected.ResourceInDeleteWindow"],
        advice: &["scheduled for deletion"],
    },
    Story {
        name: "a value that is not JSON and was to be selected from",
        arrange: |cloud, _| put(cloud, "CANARY is not JSON"),
        source: "kms://shop/canary#password",
        code: 17,
        headline: &["kms://shop/canary#password: ", "not JSON (line 1, column 1)", "\"f\""],
        advice: &["leave the JMESPath out"],
    },
    Story {
        name: "a value that is empty and was to be selected from",
        arrange: |cloud, _| put(cloud, " "),
        source: "kms://shop/canary#password",
        code: 17,
        headline: &["kms://shop/canary#password: ", "the value is empty", "\"f\""],
        advice: &["that the secret has a value"],
    },
    Story {
        name: "a key that the value does not have",
        arrange: |cloud, _| put(cloud, r#"{"CANARY":"CANARY"}"#),
        source: "kms://shop/canary#password",
        code: 17,
        headline: &["kms://shop/canary#password: ", "gives nothing"],
        advice: &["the JMESPath against the secret's keys"],
    },
    Story {
        name: "a JMESPath that does not fit the value",
        arrange: |cloud, _| put(cloud, r#"{"a":"CANARY"}"#),
        source: "kms://shop/canary#sum(a)",
        code: 17,
        headline: &["kms://shop/canary#sum(a): ", "does not fit the value"],
        advice: &["the JMESPath against the secret's keys"],
    },
    Story {
        name: "a token of another ServiceAccount",
        arrange: |cloud, container| {
            container.put_token(&cloud.mint("shop", "other").unwrap()).unwrap();
        },
        source: "kms://shop/db",
        code: 11,
        headline: &["kms://shop/db and 1 more: ", "AuthenticationFail.NoPermission", "status 401"],
        advice: &[
            "the trust policy of acs:ram::1234567890123456:role/demo-app must allow oidc:sub \
             system:serviceaccount:shop:other from \
             acs:ram::1234567890123456:oidc-provider/ack-rrsa-demo",
        ],
    },
    Story {
        name: "a token that has expired",
        arrange: |cloud, container| {
            let issued = time::OffsetDateTime::now_utc() - time::Duration::hours(3);
            token(cloud, container, |request| request.issued = issued);
        },
        source: "kms://shop/db",
        code: 11,
        headline: &["AuthenticationFail.OIDCToken.Expired"],
        advice: &["the clock of the node"],
    },
    Story {
        name: "a token of one byte",
        arrange: |_, container| container.put_token("~").unwrap(),
        source: "kms://shop/db",
        code: 11,
        headline: &["kms://shop/db and 1 more: STS AssumeRoleWithOIDC", "is not a token: 1 bytes"],
        advice: &["check: the token file ", "serviceaccount/token: it does not hold a Service"],
    },
    Story {
        name: "a token for another audience",
        arrange: |cloud, container| {
            token(cloud, container, |request| request.audiences = vec!["kubernetes".to_owned()]);
        },
        source: "kms://shop/db",
        code: 11,
        headline: &["AuthenticationFail.OIDCToken.AudienceNotMatch"],
        advice: &["must contain sts.aliyuncs.com"],
    },
    Story {
        name: "a token that somebody else signed",
        arrange: |_, container| {
            let other = lab::cloud::Issuer::generate().unwrap();
            let request = TokenRequest::new(ISSUER, "shop", "checkout");
            container.put_token(&other.mint(&request).unwrap()).unwrap();
        },
        source: "kms://shop/db",
        code: 11,
        headline: &["AuthenticationFail.OIDCToken.InvalidSignature"],
        advice: &["belongs to this cluster"],
    },
    Story {
        name: "a token that is none",
        arrange: |_, container| container.put_token("CANARY").unwrap(),
        source: "kms://shop/db",
        code: 11,
        headline: &["AuthenticationFail.OIDCToken.Invalid"],
        advice: &["check: the token file ", "serviceaccount/token: it does not hold a Service"],
    },
    Story {
        name: "an identity that STS does not let in",
        arrange: |cloud, _| strike(cloud, CalledService::Sts, Effect::AccessDenied),
        source: "kms://shop/db",
        code: 11,
        headline: &["kms://shop/db and 1 more: STS AssumeRoleWithOIDC"],
        advice: &["system:serviceaccount:shop:checkout"],
    },
    Story {
        name: "a role that does not exist",
        arrange: |cloud, _| {
            let (code, message) = ("EntityNotExist.Role".to_owned(), "CANARY-FREE".to_owned());
            strike(cloud, CalledService::Sts, Effect::Refuse { status: 404, code, message });
        },
        source: "kms://shop/db",
        code: 11,
        headline: &["EntityNotExist.Role", "status 404"],
        advice: &["that acs:ram::1234567890123456:role/demo-app exists", "oidc-provider/"],
    },
    Story {
        name: "a credential that is expired whenever it is used",
        arrange: |cloud, _| strike(cloud, CalledService::Kms, Effect::ExpiredCredential),
        source: "kms://shop/db",
        code: 11,
        headline: &["kms://shop/db: ", "InvalidSecurityToken.Expired"],
        advice: &["check: the clock of the node, and that ", ROLE],
    },
    Story {
        name: "a code that nobody has heard of",
        arrange: |cloud, _| {
            let (code, message) = ("Unheard.Of".to_owned(), "no".to_owned());
            strike(cloud, CalledService::Kms, Effect::Refuse { status: 400, code, message });
        },
        source: "kms://shop/db",
        code: 18,
        headline: &["kms://shop/db: ", "Unheard.Of", "status 400", "request id "],
        advice: &["the service's documentation"],
    },
    Story {
        name: "a certificate for another name",
        arrange: |cloud, _| {
            let name = "evil.example".to_owned();
            cloud.add_fault(Fault::new(Effect::CertificateName { name }).host("kms-vpc.*"));
        },
        source: "kms://shop/db",
        code: 15,
        headline: &["kms://shop/db: ", "certificate is not accepted"],
        advice: &["kms-vpc.cn-hangzhou.aliyuncs.com"],
    },
    Story {
        name: "a certificate that nobody vouches for",
        arrange: |cloud, _| cloud.add_fault(Fault::new(Effect::UntrustedCertificate)),
        source: "kms://shop/db",
        code: 15,
        headline: &[
            "kms://shop/db and 1 more: STS AssumeRoleWithOIDC",
            "certificate is not accepted",
        ],
        advice: &["sts-vpc.cn-hangzhou.aliyuncs.com"],
    },
];

const ISSUER: &str = "https://oidc-ack-cn-hangzhou.oss-cn-hangzhou.aliyuncs.com/demo";

fn nothing(_: &Cloud, _: &Container) {}

fn canary(cloud: &Cloud, state: SecretState) {
    let secret = SecretSeed::text("shop/canary", "CANARY").in_state(state);
    cloud.put_secret(ACCOUNT, secret).unwrap();
}

fn put(cloud: &Cloud, value: &str) {
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/canary", value)).unwrap();
}

fn strike(cloud: &Cloud, service: CalledService, effect: Effect) {
    cloud.add_fault(Fault::new(effect).service(service));
}

fn token(cloud: &Cloud, container: &Container, change: impl FnOnce(&mut TokenRequest)) {
    let mut request = TokenRequest::new(ISSUER, "shop", "checkout");
    change(&mut request);
    container.put_token(&cloud.issuer().mint(&request).unwrap()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_ends_with_its_code_a_reason_and_no_file() {
    for story in STORIES {
        let name = story.name;
        let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
        let container = Container::new(&cloud).unwrap();
        (story.arrange)(&cloud, &container);
        // Another source that works: it must not become a file either.
        let wants = [Want::new("f", story.source), Want::new("ok", "oos://shop-api-token")];
        let plan = plan(builder().unwrap(), &wants).unwrap();
        let ended = container.init(&plan).await.unwrap();
        let message = ended.message.clone().unwrap_or_default();
        assert_eq!(ended.code(), Some(story.code), "{name}: {}", ended.said());
        for words in story.headline {
            assert!(ended.headline().contains(words), "{name}: no {words:?} in: {message}");
        }
        for words in story.advice {
            assert!(message.contains(words), "{name}: no {words:?} in: {message}");
        }
        let token = std::fs::read_to_string(container.path(TOKEN)).unwrap();
        for secret in ["CANARY\"", "CANARY is", "\"CANARY", "demo-api-token", "demo-second", &token]
        {
            assert!(!ended.said().contains(secret), "{name}: {secret:?} in: {}", ended.said());
        }
        assert!(message.len() <= 4096 && !message.contains("panicked"), "{name}");
        assert!(container.entries().unwrap().is_empty(), "{name}");
        // None of these is mended by waiting.
        assert!(ended.elapsed.as_secs() < 25, "{name}: {:?}", ended.elapsed);
    }
}

const TOKEN: &str = "var/run/secrets/kubernetes.io/serviceaccount/token";

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_of_a_run_is_told_and_one_cause_once() {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    put(&cloud, "CANARY");
    let container = Container::new(&cloud).unwrap();
    let wants = [
        Want::new("a", "kms://shop/gone"),
        Want::new("b", "kms://billing/db"),
        Want::new("c", "kms://shop/db#password"),
        Want::new("d", "oos://shop-gone"),
    ];
    let both = plan(builder().unwrap(), &wants).unwrap();
    let ended = container.init(&both).await.unwrap();
    let message = ended.message.unwrap();
    assert_eq!(ended.status.code(), Some(13), "the code of the first problem: {message}");
    let lines: Vec<&str> = message.lines().filter(|line| !line.starts_with("  ")).collect();
    assert_eq!(lines.len(), 3, "{message}");
    for (line, source) in lines.iter().zip(["kms://shop/gone", "kms://billing/db", "oos://shop-g"])
    {
        assert!(line.starts_with(source), "{message}");
    }

    container.put_token(&cloud.mint("shop", "other").unwrap()).unwrap();
    let refused = container.init(&both).await.unwrap();
    assert!(refused.headline().starts_with("kms://shop/gone and 3 more: STS"), "{refused:?}");
    assert_eq!(cloud.requests().iter().filter(|r| r.status == Some(401)).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fails_leaves_the_files_of_the_run_before() {
    let cloud = Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap();
    let container = Container::new(&cloud).unwrap();
    let wants = [Want::new("db", "kms://shop/db"), Want::new("t", "oos://shop-api-token")];
    let plan = plan(builder().unwrap(), &wants).unwrap();
    assert_eq!(container.init(&plan).await.unwrap().code(), Some(0));
    let (files, entries) = (container.files().unwrap(), container.entries().unwrap());
    strike(&cloud, CalledService::Oos, Effect::AccessDenied);
    assert_eq!(container.init(&plan).await.unwrap().code(), Some(12));
    assert_eq!((container.files().unwrap(), container.entries().unwrap()), (files, entries));
}
