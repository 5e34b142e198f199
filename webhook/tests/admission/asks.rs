use plan::{GatewayCa, LogLevel, Network, OnMissing};
use serde_json::{Value, json};

use crate::support::{
    ask, ask_with, injected, injected_with, ours, plan, pod, review, route, rrsa, selected,
    settings, settings_with, volume,
};

/// A Pod that asks for one secret, and for this.
fn with(key: &str, value: &str) -> Value {
    injected(&pod(&[("secrets", "a: b"), (key, value)]))
}

fn expiration(pod: &Value) -> &Value {
    &volume(pod, "kms-rrsa-token")["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"]
}

#[test]
fn what_a_pod_asks_for_is_in_its_plan() {
    let identity = |key: &str, value: &str| rrsa(&plan(&with(key, value))).clone();
    let provider = "acs:ram::7:oidc-provider/own";
    assert_eq!(identity("oidc-provider-arn", provider).provider.as_str(), provider);
    assert_eq!(identity("role-session-name", "a@b").sts.session.as_str(), "shop.a@b");
    for seconds in [900, 43_200] {
        let asked = identity("role-session-expiration", &seconds.to_string());
        assert_eq!(asked.sts.duration, seconds);
    }
    assert_eq!(identity("log-level", "info").sts.duration, 3600);
    let host = "sts-vpc.cn-beijing.aliyuncs.com";
    assert_eq!(identity("sts-endpoint", host).sts.endpoint.unwrap().as_str(), host);
    for (text, level) in
        [("error", LogLevel::Error), ("warn", LogLevel::Warn), ("debug", LogLevel::Debug)]
    {
        assert_eq!(plan(&with("log-level", text)).options().log_level, level);
    }
    assert_eq!(plan(&with("timeout", " 1m30s\n")).timeout().as_secs(), 90);
    assert_eq!(plan(&with("on-missing", "skip")).files()[0].options.on_missing, OnMissing::Skip);
}

#[test]
fn what_a_pod_asks_for_is_in_its_container_and_volumes() {
    for group in [0, 2_147_483_647] {
        let after = with("run-as-group", &group.to_string());
        assert_eq!(ours(&after)["securityContext"]["runAsGroup"], group);
    }
    for seconds in [600, 43_200] {
        let after = with("service-account-token-expiration", &seconds.to_string());
        assert_eq!(*expiration(&after), seconds);
    }
    let after = with("ca-config-map", "kms-ca");
    assert!(plan(&after).mounts_gateway_ca());
    assert_eq!(
        *volume(&after, "kms-ca"),
        json!({"name": "kms-ca", "configMap":
            {"name": "kms-ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}})
    );
    assert_eq!(
        ours(&after)["volumeMounts"][2],
        json!({"name": "kms-ca", "mountPath": "/etc/kms-ca", "readOnly": true})
    );
}

/// One counts, the others do not.
#[test]
fn a_gateway_is_trusted_by_what_the_pod_names_else_the_operator_else_alibaba_cloud() {
    let secrets = ("secrets", "a: {source: b, endpoint: kst-1.cryptoservice.kms.aliyuncs.com}");
    let text = include_str!("../../src/settings/example-ca.pem");
    let given = format!("gatewayCa={text}");
    let of = |annotations: &[(&str, &str)], settings: &[&str]| {
        let after = injected_with(&pod(annotations), &settings_with(settings));
        let volumes = after["spec"]["volumes"].as_array().unwrap().iter();
        let mounted = volumes.filter(|volume| volume["name"] == "kms-ca");
        let mounted = mounted.map(|volume| volume["configMap"]["name"].to_string()).next();
        (plan(&after).gateway_ca().cloned(), mounted)
    };
    let ca = plan::CaBundle::parse(text).unwrap();
    let mounted = |name: &str| (Some(GatewayCa::Mounted), Some(format!("{name:?}")));
    assert_eq!(of(&[secrets], &[]), (Some(GatewayCa::Published), None));
    let both = [given.as_str(), "publishedCa=never"];
    for settings in [&both[..1], &both] {
        assert_eq!(of(&[secrets], settings), (Some(GatewayCa::Given(ca.clone())), None));
    }
    assert_eq!(of(&[secrets], &["caConfigMap=operators", &given]), mounted("operators"));
    let own = ("ca-config-map", "pods");
    assert_eq!(of(&[secrets, own], &["caConfigMap=operators", &given]), mounted("pods"));
    // Whoever asks no gateway trusts none of them.
    assert_eq!(of(&[("secrets", "a: b")], &both), (None, None));
}

#[test]
fn the_operators_proxy_is_in_every_plan_and_no_pod_names_another() {
    let settings = settings_with(&["httpsProxy=proxy.example:3128"]);
    let proxy = |pod: &Value| plan(pod).https_proxy().map(ToString::to_string);
    let after = injected_with(&pod(&[("secrets", "a: b")]), &settings);
    assert_eq!(proxy(&after).as_deref(), Some("proxy.example:3128"));
    assert_eq!(proxy(&with("timeout", "1m")), None);
    let own = pod(&[("secrets", "a: b"), ("https-proxy", "proxy.evil.example:3128")]);
    let answer = ask_with(&review(&own), &settings);
    assert!(answer.message().contains("ask the operator for httpsProxy"), "{}", answer.message());
}

#[test]
fn a_pod_goes_before_the_settings() {
    let settings = settings_with(&[
        "oidcProviderArn=acs:ram::9:oidc-provider/mine",
        "kmsEndpoint=kms.cn-hangzhou.aliyuncs.com",
        "oosEndpoint=oos-vpc.cn-hangzhou.aliyuncs.com",
        "stsEndpoint=sts.aliyuncs.com",
        "pathTranslation=-",
        "caConfigMap=operators",
        "timeoutSeconds=30",
        "tokenExpirationSeconds=7200",
        "network=public",
    ]);
    let secrets = ("secrets", "- kms://a/b\n- oos://c/d");
    let hosts = |plan: &plan::Plan| {
        let lookups = plan.lookups().iter();
        lookups
            .map(|lookup| route(lookup).endpoint.as_ref().unwrap().to_string())
            .collect::<Vec<_>>()
    };
    let after = injected_with(&pod(&[secrets]), &settings);
    let operators = plan(&after);
    assert_eq!(*expiration(&after), 7200);
    assert_eq!(operators.network(), Network::Public);
    assert_eq!(
        hosts(&operators),
        ["kms.cn-hangzhou.aliyuncs.com", "oos-vpc.cn-hangzhou.aliyuncs.com"]
    );
    let after = injected_with(
        &pod(&[
            secrets,
            ("oidc-provider-arn", "acs:ram::7:oidc-provider/own"),
            ("kms-endpoint", "kms-vpc.{region}.aliyuncs.com"),
            ("oos-endpoint", "oos.{region}.aliyuncs.com"),
            ("sts-endpoint", "sts.cn-beijing.aliyuncs.com"),
            ("path-translation", "_"),
            ("ca-config-map", "pods"),
            ("timeout", "40s"),
            ("service-account-token-expiration", "900"),
        ]),
        &settings,
    );
    let pods = plan(&after);
    assert_eq!(rrsa(&pods).provider.as_str(), "acs:ram::7:oidc-provider/own");
    assert_eq!(hosts(&pods), ["kms-vpc.cn-hangzhou.aliyuncs.com", "oos.cn-hangzhou.aliyuncs.com"]);
    let sts = rrsa(&pods).sts.endpoint.as_ref().unwrap();
    assert_eq!(sts.as_str(), "sts.cn-beijing.aliyuncs.com");
    assert_eq!(pods.files()[0].name.as_str(), "a_b");
    assert_eq!(volume(&after, "kms-ca")["configMap"]["name"], "pods");
    assert_eq!(pods.timeout().as_secs(), 40);
    assert_eq!(*expiration(&after), 900);
}

#[test]
fn an_object_goes_before_its_pod() {
    let text = "
mapping:
  source: acs:kms:cn-shanghai:1:secret/a
  region: cn-beijing
  endpoint: kms.cn-beijing.aliyuncs.com
  crossAccountRoleArn: acs:ram::9:role/objects
  onMissing: skip
  fileMode: \"0444\"
  jmesPath: b.c
endpoint: {source: d, endpoint: kms.cn-chengdu.aliyuncs.com}
plain: e
";
    let list = "
- objectName: a
  region: cn-beijing
  onMissing: skip
  fileMode: \"0444\"
";
    let ask_for = |text| {
        let mut pod = pod(&[
            ("secrets", text),
            ("region", "cn-shenzhen"),
            ("kms-endpoint", "kms-vpc.{region}.aliyuncs.com"),
            ("cross-account-role-arn", "acs:ram::9:role/pods"),
            ("external-id", "shop-1"),
            ("on-missing", "fail"),
        ]);
        pod["spec"]["securityContext"] = json!({"runAsUser": 1000});
        plan(&injected(&pod))
    };
    let plan = ask_for(text);
    let [first, second, third] = plan.lookups() else { panic!("{plan:?}") };
    let host = |lookup: &plan::Lookup| route(lookup).endpoint.as_ref().unwrap().to_string();
    assert_eq!(route(first).region.as_str(), "cn-beijing");
    assert_eq!(host(first), "kms.cn-beijing.aliyuncs.com");
    let assume = route(first).assume.as_ref().unwrap();
    assert_eq!((assume.role.as_str(), &assume.external_id), ("acs:ram::9:role/objects", &None));
    assert_eq!(route(second).region.as_str(), "cn-chengdu");
    assert_eq!(route(third).region.as_str(), "cn-shenzhen");
    assert_eq!(host(third), "kms-vpc.cn-shenzhen.aliyuncs.com");
    let assume = route(third).assume.as_ref().unwrap();
    assert_eq!(assume.role.as_str(), "acs:ram::9:role/pods");
    assert_eq!(assume.external_id.as_ref().unwrap().as_str(), "shop-1");
    assert_eq!(rrsa(&plan).sts.region.as_str(), "cn-shenzhen");
    assert_eq!(selected(&plan.files()[0]), "b.c");
    for (plan, region) in [(&plan, "cn-beijing"), (&ask_for(list), "cn-beijing")] {
        assert_eq!(route(&plan.lookups()[0]).region.as_str(), region);
        let file = &plan.files()[0];
        assert_eq!(
            (file.options.on_missing, file.options.mode.to_string()),
            (OnMissing::Skip, "0444".to_owned())
        );
    }
    assert_eq!(plan.files()[2].options.on_missing, OnMissing::Fail);
    assert_eq!(plan.files()[2].options.mode.to_string(), "0400");
}

#[test]
fn without_a_region_of_the_pod_an_endpoint_or_the_objects_say_one() {
    let no_region = settings_with(&["region="]);
    let regions = |annotations: &[(&str, &str)]| {
        let plan = plan(&injected_with(&pod(annotations), &no_region));
        let lookup = &plan.lookups()[0];
        assert!(
            route(lookup)
                .endpoint
                .as_ref()
                .unwrap()
                .as_str()
                .contains(route(lookup).region.as_str())
        );
        (route(lookup).region.to_string(), rrsa(&plan).sts.region.to_string())
    };
    let beijing = ("cn-beijing".to_owned(), "cn-beijing".to_owned());
    assert_eq!(
        regions(&[("secrets", "a: b"), ("kms-endpoint", "kms.cn-beijing.aliyuncs.com")]),
        beijing
    );
    assert_eq!(
        regions(&[
            ("secrets", "a: {source: b, region: cn-beijing}"),
            ("kms-endpoint", "kms.{region}.aliyuncs.com"),
        ]),
        beijing
    );
    let operators = settings_with(&["region=", "kmsEndpoint=kms.cn-beijing.aliyuncs.com"]);
    let plan = plan(&injected_with(&pod(&[("secrets", "a: b")]), &operators));
    assert_eq!(route(&plan.lookups()[0]).region.as_str(), "cn-beijing");
}

#[test]
fn a_shared_endpoint_goes_before_the_region_of_pod_and_settings() {
    let asked = pod(&[
        ("secrets", "a: b"),
        ("kms-endpoint", "kms.cn-beijing.aliyuncs.com"),
        ("region", "cn-shenzhen"),
    ]);
    let plan = plan(&injected(&asked));
    assert_eq!(route(&plan.lookups()[0]).region.as_str(), "cn-beijing");
    assert_eq!(rrsa(&plan).sts.region.as_str(), "cn-shenzhen");
}

#[test]
fn a_host_outside_the_cloud_is_refused_wherever_a_pod_names_it() {
    for (key, value, words) in [
        ("secrets", "a: {source: b, endpoint: kms.example.com}", "line 1, file \"a\""),
        ("secrets", "- objectName: b\n  kmsEndpoint: kms.example.com", "line 1, item 1"),
        ("kms-endpoint", "kms.example.com", "kms-endpoint"),
        ("oos-endpoint", "kms.cn-hangzhou.aliyuncs.com", "oos-endpoint"),
        ("sts-endpoint", "sts.example.com", "sts-endpoint"),
        ("sts-endpoint", "kms.cn-hangzhou.aliyuncs.com", "sts-endpoint"),
        ("kms-endpoint", "sts.aliyuncs.com", "kms-endpoint"),
    ] {
        let answer = ask(&pod(&[("secrets", "a: b"), (key, value)]));
        let message = answer.message();
        assert!(message.contains("is not allowed here"), "{key}={value}: {message}");
        assert!(message.contains(words), "{key}={value}: {message}");
        assert_eq!(message.lines().filter(|line| !line.starts_with("- ")).count(), 1, "{message}");
    }
    let answer = ask(&pod(&[("secrets", "a: b"), ("external-id", "shop-1")]));
    assert!(answer.message().contains("cross-account-role-arn"), "{}", answer.message());
}

#[test]
fn a_region_that_does_not_exist_is_told_once() {
    let no_region = settings_with(&["region="]);
    for annotations in [
        &[("secrets", "a: {source: b, region: cn-hangzhuo}")][..],
        &[("secrets", "- acs:kms:cn-hangzhuo:1:secret/b")],
        &[("secrets", "a: b"), ("region", "cn-hangzhuo")],
    ] {
        for settings in [settings(), no_region.clone()] {
            let answer = ask_with(&review(&pod(annotations)), &settings);
            let message = answer.message();
            assert!(message.contains("did you mean cn-hangzhou?"), "{message}");
            assert!(!message.contains("no region is known"), "{message}");
            assert!(!message.contains("problems)"), "{message}");
        }
    }
}

#[test]
fn values_just_out_of_range_are_refused() {
    for (key, value, words) in [
        ("size-limit", "65535", "64Ki to 1Gi"),
        ("size-limit", "1025Mi", "64Ki to 1Gi"),
        ("role-session-expiration", "43201", "900 to 43200"),
        ("service-account-token-expiration", "599", "600 to 43200"),
        ("run-as-user", "2147483648", "1 to 2147483647"),
        ("run-as-group", "2147483648", "0 to 2147483647"),
        ("timeout", "0s", "\"0s\" is too short; use one from 1s to 1h"),
        ("timeout", "3601s", "\"3601s\" is too long; use one from 1s to 1h"),
        ("timeout", "1h1s", "1s to 1h"),
        ("timeout", "1193047h", "is too long"),
        ("timeout", "+5s", "like 30s"),
        ("timeout", "5m30", "like 30s"),
        ("timeout", "30s5m", "like 30s"),
        ("resources.requests.cpu", "-1", "quantity"),
        ("statu", "{}", "there is no such annotation; remove it"),
    ] {
        let answer = ask(&pod(&[("secrets", "a: b"), (key, value)]));
        let message = answer.message();
        assert!(message.contains(words), "{key}={value}: {message}");
        assert!(message.starts_with(&format!("kms.alibabacloud/{key}: ")), "{message}");
    }
}

#[test]
fn where_the_platform_assigns_users_every_consumer_may_read() {
    let settings = settings_with(&["uid=platform"]);
    let after = injected_with(&pod(&[("secrets", "a: b")]), &settings);
    assert!(ours(&after)["securityContext"].get("runAsUser").is_none());
    assert_eq!(plan(&after).files()[0].options.mode.to_string(), "0444");
    let mut known = pod(&[("secrets", "a: b"), ("file-mode", "0400")]);
    known["spec"]["securityContext"] = json!({"runAsUser": 1000});
    assert_eq!(plan(&injected_with(&known, &settings)).files()[0].options.mode.to_string(), "0400");
}

#[test]
fn a_bad_identity_is_told_once() {
    let no_cluster = settings_with(&["clusterId="]);
    for (key, words) in
        [("oidc-provider-arn", "not an OIDC provider ARN"), ("role-arn", "not a role ARN")]
    {
        let mut pod = pod(&[("secrets", "a: b"), (key, "x")]);
        if key == "role-arn" {
            pod["metadata"]["annotations"]["kms.alibabacloud/oidc-provider-arn"] =
                json!("acs:ram::7:oidc-provider/own");
        }
        let answer = ask_with(&review(&pod), &no_cluster);
        assert!(answer.message().contains(words), "{}", answer.message());
        assert!(!answer.message().contains("problems)"), "{}", answer.message());
    }
}

#[test]
fn a_mode_that_only_others_read_is_enough_for_another_user() {
    let mut asked = pod(&[("secrets", "a: b"), ("run-as-user", "7"), ("file-mode", "0404")]);
    asked["spec"]["securityContext"] = json!({"runAsUser": 1000});
    assert_eq!(plan(&injected(&asked)).files()[0].options.mode.to_string(), "0404");
}
