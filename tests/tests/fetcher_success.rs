//! What the fetcher writes when the cloud answers: every kind of source, by the Pod's identity.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use lab::cloud::{
    Cloud, CloudConfig, ParameterKind, ParameterSeed, SecretKind, SecretSeed, Seed, StoredPlace,
    VersionSeed,
};
use lab::fetcher::{ACCOUNT, Container, Seen, Want, builder, plan};
use plan::{Batches, KmsBatches};

async fn cloud() -> Cloud {
    Cloud::start(CloudConfig::new(Seed::demo().unwrap())).await.unwrap()
}

fn seen(mode: u32, content: &[u8]) -> Seen {
    Seen { mode, content: content.to_vec() }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_source_becomes_a_file_with_its_exact_bytes() {
    let cloud = cloud().await;
    let binary: Vec<u8> = (0..=255).collect();
    for secret in [
        SecretSeed::binary("shop/binary", &binary),
        SecretSeed::text("shop/text", "CANARY ä\r\n$(HOME) $$ \"\0\t"),
        SecretSeed::text("shop/rds", r#"{"AccountName":"CANARY"}"#).of_kind(SecretKind::Rds),
    ] {
        cloud.put_secret(ACCOUNT, secret).unwrap();
    }
    let flags = ParameterSeed::new(ParameterKind::Secret, "shop-token", "CANARY-1");
    cloud.put_parameter(ACCOUNT, flags).unwrap();
    cloud.update_parameter(&StoredPlace::new(ACCOUNT, "shop-token"), true, "CANARY-2").unwrap();
    let partner = "acs:ram::9876543210987654:role/partner-secrets";
    let gateway = "kst-hzz65f176a0ogplgq0001.cryptoservice.kms.aliyuncs.com";
    let mut builder = builder().unwrap();
    builder.gateway_ca(plan::GatewayCa::Mounted);
    let plan = plan(
        builder,
        &[
            Want::new("binary", "kms://shop/binary"),
            Want::new("text", "kms://shop/text").mode("0444"),
            Want::new("rds", "kms://shop/rds"),
            Want::new("user", "kms://shop/db#username"),
            Want::new("port", "kms://shop/db#port").mode("0640"),
            Want::new("both", "kms://shop/db#{u: username, p: [port]}"),
            Want::new("before", "kms://shop/db?stage=ACSPrevious#password"),
            Want::new("first", "kms://shop/db?version=v1#password"),
            Want::new("arn", "kms://acs:kms:cn-hangzhou:1234567890123456:secret/shop/text"),
            Want::new("token", "oos://shop-token"),
            Want::new("token-1", "oos://shop-token?version=1"),
            Want::new("flags", "oos-parameter://shop-feature-flags"),
            Want::new("partner", "kms://partner/api-key")
                .assuming(partner, Some("shop-and-partner")),
            Want::new("dedicated", "kms://shop/text").at(gateway),
            Want::new("public", "kms://shop/text").at("kms.cn-hangzhou.aliyuncs.com"),
        ],
    )
    .unwrap();
    let container = Container::new(&cloud).unwrap();
    let ended = container.init(&plan).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let text = "CANARY ä\r\n$(HOME) $$ \"\0\t".as_bytes();
    let files = container.files().unwrap();
    for (name, expected) in [
        ("binary", seen(0o400, &binary)),
        ("text", seen(0o444, text)),
        ("rds", seen(0o400, br#"{"AccountName":"CANARY"}"#)),
        ("user", seen(0o400, b"shop")),
        ("port", seen(0o640, b"5432")),
        ("both", seen(0o400, br#"{"p":[5432],"u":"shop"}"#)),
        ("before", seen(0o400, b"demo-first-password")),
        ("first", seen(0o400, b"demo-first-password")),
        ("arn", seen(0o400, text)),
        ("token", seen(0o400, b"CANARY-2")),
        ("token-1", seen(0o400, b"CANARY-1")),
        ("flags", seen(0o400, br#"{"newCheckout":true}"#)),
        ("partner", seen(0o400, b"demo-partner-key")),
        ("dedicated", seen(0o400, text)),
        ("public", seen(0o400, text)),
    ] {
        assert_eq!(files.get(name), Some(&expected), "{name}");
    }
    assert_eq!(files.len(), plan.files().len());
    for canary in ["CANARY", "demo-", "newCheckout"] {
        assert!(!ended.log.replace("demo-app", "").contains(canary), "{canary}: {}", ended.log);
    }
    assert_eq!(ended.message, None);
    let probe = container.run(&plan, &["probe"]).await.unwrap();
    assert_eq!(probe.code(), Some(0), "{}", probe.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_no_and_of_64_kib_arrive_whole() {
    let cloud = cloud().await;
    let large = "CANARY x".repeat(8 * 1024);
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/large", &large)).unwrap();
    cloud.put_secret(ACCOUNT, SecretSeed::text("shop/empty", "")).unwrap();
    cloud.put_secret(ACCOUNT, SecretSeed::binary("shop/none", b"")).unwrap();
    let wants = ["large", "empty", "none"].map(|n| Want::new(n, &format!("kms://shop/{n}")));
    let container = Container::new(&cloud).unwrap();
    let ended = container.init(&plan(builder().unwrap(), &wants).unwrap()).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    let files = container.files().unwrap();
    assert_eq!(files["large"], seen(0o400, large.as_bytes()));
    assert_eq!(files["empty"], seen(0o400, b""));
    assert_eq!(files["none"], seen(0o400, b""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_touches_nothing_until_a_secret_changes() {
    use std::os::unix::fs::MetadataExt;
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let wants = [Want::new("db", "kms://shop/db#password"), Want::new("t", "oos://shop-api-token")];
    let plan = plan(builder().unwrap(), &wants).unwrap();
    let stat = |name: &str| {
        let stat = std::fs::metadata(container.mount().join(name)).unwrap();
        (stat.ino(), stat.mtime(), stat.mtime_nsec())
    };
    assert_eq!(container.init(&plan).await.unwrap().code(), Some(0));
    let (before, entries) = (["db", "t", "."].map(stat), container.entries().unwrap());
    let again = container.init(&plan).await.unwrap();
    assert!(again.log.contains(r#""changed":false"#), "{}", again.log);
    assert_eq!((["db", "t", "."].map(stat), container.entries().unwrap()), (before, entries));

    let place = StoredPlace::new(ACCOUNT, "shop/db");
    cloud.rotate_secret(&place, VersionSeed::text(r#"{"password":"third"}"#)).unwrap();
    let changed = container.init(&plan).await.unwrap();
    assert!(changed.log.contains(r#""changed":true"#), "{}", changed.log);
    assert_eq!(container.files().unwrap()["db"].content, b"third");
    assert_ne!(stat("db"), before[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_sources_need_one_exchange_and_four_connections() {
    let cloud = cloud().await;
    let mut wants = Vec::new();
    for index in 0..40 {
        let name = format!("shop/many-{index}");
        cloud.put_secret(ACCOUNT, SecretSeed::text(&name, &format!("CANARY {index}"))).unwrap();
        wants.push(Want::new(&format!("f{index}"), &format!("kms://{name}")));
        // The same value again is not asked for again.
        wants.push(Want::new(&format!("again{index}"), &format!("kms://{name}")));
    }
    let container = Container::new(&cloud).unwrap();
    let mut builder = builder().unwrap();
    builder.batches(Batches { kms: KmsBatches::Never, oos: false });
    let ended = container.init(&plan(builder, &wants).unwrap()).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    assert_eq!(container.files().unwrap().len(), 80);
    let counters = cloud.counters();
    assert_eq!(counters.requests["sts.AssumeRoleWithOIDC"], 1);
    assert_eq!(counters.requests["kms.GetSecretValue"], 40);
    let kms = counters.hosts["kms-vpc.cn-hangzhou.aliyuncs.com"];
    assert!((1..=4).contains(&kms.accepted), "{kms:?}");
    assert_eq!(ended.log.matches(r#""message":"fetched""#).count(), 40);
    assert!(ended.log.contains(r#""sts_requests":1"#), "{}", ended.log);
}

#[tokio::test(flavor = "multi_thread")]
async fn get_shows_who_asked_and_everything_but_the_value() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let wants = [Want::new("pw", "kms://shop/db#password"), Want::new("no", "kms://billing/db")];
    let plan = plan(builder().unwrap(), &wants).unwrap();
    for asked in ["kms://shop/db", "shop/db", "pw"] {
        let ended = container.run(&plan, &["get", asked]).await.unwrap();
        assert_eq!(ended.code(), Some(0), "{}", ended.said());
        let request = cloud.requests().pop().unwrap();
        let size = r#"{"username":"shop","password":"demo-second-password","port":5432}"#.len();
        for line in [
            "kms://shop/db".to_owned(),
            format!("  asked by    {}", request.principal.unwrap()),
            "  version     v2".to_owned(),
            format!("  size        {size} bytes"),
            format!("  request id  {}", request.request_id),
        ] {
            assert!(ended.stdout.lines().any(|l| l == line), "{line}: {}", ended.stdout);
        }
        assert!(!ended.said().contains("demo-second-password"));
    }
    let ended = container.run(&plan, &["get", "no", "pw"]).await.unwrap();
    assert_eq!(ended.code(), Some(12), "{}", ended.said());
    assert!(ended.stdout.contains("not fetched KMS GetSecretValue"), "{}", ended.stdout);
    assert!(ended.stdout.contains("  version     v2"), "{}", ended.stdout);
    assert!(container.entries().unwrap().is_empty() && ended.message.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_source_that_may_be_skipped_makes_no_file() {
    let cloud = cloud().await;
    let container = Container::new(&cloud).unwrap();
    let missing = Want::new("gone", "kms://shop/gone").skipped_if_missing();
    let db = Want::new("db", "kms://shop/db#port").skipped_if_missing();
    let both = plan(builder().unwrap(), &[missing.clone(), db]).unwrap();
    let ended = container.init(&both).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    assert_eq!(container.files().unwrap().into_keys().collect::<Vec<_>>(), ["db"]);
    assert!(ended.log.contains("the source does not exist; no file"), "{}", ended.log);

    let nothing = plan(builder().unwrap(), &[missing]).unwrap();
    assert_eq!(container.init(&nothing).await.unwrap().code(), Some(0));
    assert!(container.files().unwrap().is_empty());
    assert_eq!(container.run(&nothing, &["probe"]).await.unwrap().code(), Some(0));

    // A secret that may not be read is not a secret that is missing.
    let denied = Want::new("no", "kms://billing/db").skipped_if_missing();
    let ended = container.init(&plan(builder().unwrap(), &[denied]).unwrap()).await.unwrap();
    assert_eq!(ended.code(), Some(12), "{}", ended.said());
}
