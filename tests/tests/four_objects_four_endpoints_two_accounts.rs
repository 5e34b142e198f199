//! Four objects of one Pod, each asked at its own endpoint and as its own role.

use std::collections::BTreeMap;

use lab::cloud::{CalledService, SecretSeed};
use lab::fetcher::ACCOUNT;
use lab::stage::{Stage, pod};

const PARTNER: &str = "9876543210987654";
const GATEWAY: &str = "kst-hzz65f176a0ogplgq0001.cryptoservice.kms.aliyuncs.com";

fn list() -> String {
    format!(
        "
- objectName: shop/one
- objectName: shop/two
  kmsEndpoint: {GATEWAY}
- objectName: partner/three
  kmsEndpoint: kms.cn-shanghai.aliyuncs.com
  crossAccountRoleArn: acs:ram::{PARTNER}:role/partner-secrets
  externalId: shop-and-partner
- objectName: partner/four
  region: cn-beijing
  kmsEndpoint: kms-vpc.{{region}}.aliyuncs.com
  crossAccountRoleArn: acs:ram::{PARTNER}:role/partner-secrets
  externalId: shop-and-partner
"
    )
}

async fn stage() -> Stage {
    let stage = Stage::start().await.unwrap();
    for (account, name, region) in [
        (ACCOUNT, "shop/one", "cn-hangzhou"),
        (ACCOUNT, "shop/two", "cn-hangzhou"),
        (PARTNER, "partner/three", "cn-shanghai"),
        (PARTNER, "partner/four", "cn-beijing"),
    ] {
        // The same name and another value wherever a mix-up could look.
        for (place, value) in [(region, "right"), ("cn-shenzhen", "wrong")] {
            let value = format!("{value} {name}");
            stage
                .cloud
                .put_secret(account, SecretSeed::text(name, &value).in_region(place))
                .unwrap();
        }
    }
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn each_object_is_asked_at_its_own_endpoint_as_its_own_role() {
    let stage = stage().await;
    // Mix-ups depend on the order of answers: a few rounds see more orders.
    for round in 0..5 {
        stage.cloud.clear_requests();
        let pod = pod(&[("secrets", &list()), ("ca-config-map", "kms-ca")]);
        let (sandbox, ended) = stage.run(&pod).await.unwrap();
        assert_eq!(ended.code(), Some(0), "{round}: {}", ended.said());
        for (file, seen) in sandbox.files("app").unwrap() {
            let wanted = format!("right {}", file.replace('_', "/"));
            assert_eq!(String::from_utf8(seen.content).unwrap(), wanted, "{round}");
        }
        let asked: BTreeMap<_, _> = stage
            .cloud
            .requests()
            .into_iter()
            .filter(|entry| entry.service == Some(CalledService::Kms))
            .map(|entry| (entry.subject.unwrap(), (entry.host, entry.principal.unwrap())))
            .collect();
        let own = format!("acs:ram::{ACCOUNT}:role/demo-app/shop.checkout");
        let partner = format!("acs:ram::{PARTNER}:role/partner-secrets/shop.checkout");
        for (name, host, principal) in [
            ("shop/one", "kms-vpc.cn-hangzhou.aliyuncs.com", &own),
            ("shop/two", GATEWAY, &own),
            ("partner/three", "kms.cn-shanghai.aliyuncs.com", &partner),
            ("partner/four", "kms-vpc.cn-beijing.aliyuncs.com", &partner),
        ] {
            assert_eq!(asked[name], (host.to_owned(), principal.clone()), "{round}: {name}");
        }
        let requests = stage.cloud.counters().requests;
        assert_eq!(requests["sts.AssumeRoleWithOIDC"], 1, "{round}");
        assert_eq!(requests["sts.AssumeRole"], 1, "{round}: one role, one exchange");
    }
}
