use serde_json::{Value, json};
use webhook::wire::reply::Outcome;

use crate::support::{
    ask, ask_with, injected, injected_with, ours, plan, pod, review, route, rrsa, selected,
    settings, settings_with, volume,
};

fn secrets() -> Value {
    pod(&[("secrets", "db: kms://app/db\nuser: kms://app/db#user\n")])
}

#[test]
fn a_plain_pod_gets_the_fetcher_the_memory_and_the_mount() {
    let after = injected(&secrets());
    let container = ours(&after);
    assert_eq!(container["command"], json!(["/secrets-injector"]));
    assert_eq!(container["args"], json!(["init"]));
    assert_eq!(
        container["volumeMounts"],
        json!([
            {"name": "kms-secrets", "mountPath": "/mnt/secrets-store"},
            {"name": "kms-rrsa-token", "readOnly": true,
             "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"},
        ])
    );
    assert_eq!(
        container["securityContext"],
        json!({
            "allowPrivilegeEscalation": false,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": true,
            "runAsNonRoot": true,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        })
    );
    assert_eq!(container["terminationMessagePolicy"], "FallbackToLogsOnError");
    assert_eq!(
        volume(&after, "kms-secrets")["emptyDir"],
        json!({"medium": "Memory", "sizeLimit": "1Mi"})
    );
    assert_eq!(
        volume(&after, "kms-rrsa-token")["projected"]["sources"],
        json!([{"serviceAccountToken": {"audience": "sts.aliyuncs.com", "expirationSeconds": 3600, "path": "token"}}])
    );
    assert_eq!(
        after["spec"]["containers"][0]["volumeMounts"],
        json!([{"name": "kms-secrets", "mountPath": "/mnt/secrets-store", "readOnly": true}])
    );
    let status: Value = serde_json::from_str(
        after["metadata"]["annotations"]["kms.alibabacloud/status"].as_str().unwrap(),
    )
    .unwrap();
    assert_eq!(status["files"], 2);
    assert_eq!(status["consumers"], json!(["app"]));
}

#[test]
fn the_plan_says_who_fetches_what_from_where() {
    let plan = plan(&injected(&secrets()));
    assert_eq!(rrsa(&plan).role.as_str(), "acs:ram::1234567890123456:role/demo-app");
    assert_eq!(
        rrsa(&plan).provider.as_str(),
        "acs:ram::1234567890123456:oidc-provider/ack-rrsa-c0123"
    );
    assert_eq!(rrsa(&plan).sts.session.as_str(), "shop.checkout");
    assert_eq!(plan.lookups().len(), 1);
    assert_eq!(route(&plan.lookups()[0]).region.as_str(), "cn-hangzhou");
    assert_eq!(plan.files().len(), 2);
    assert_eq!(plan.consumers(), ["app"]);
}

#[test]
fn the_patch_touches_nothing_else() {
    let mut before = secrets();
    before["spec"]["futureField"] = json!({"deep": [1, 2.50, null]});
    before["spec"]["containers"][0]["futureField"] = json!("x");
    before["spec"]["volumes"] = json!([{"name": "own", "futureVolume": {}}]);
    before["spec"]["initContainers"] = json!([{"name": "setup", "image": "s", "futureField": 1}]);
    let mut after = injected(&before);
    let spec = after["spec"].as_object_mut().unwrap();
    spec["volumes"].as_array_mut().unwrap().retain(|volume| volume["name"] == "own");
    spec["initContainers"].as_array_mut().unwrap().retain(|one| one["name"] != "kms-secrets-init");
    for list in ["containers", "initContainers"] {
        spec[list][0].as_object_mut().unwrap().remove("volumeMounts");
    }
    after["metadata"]["annotations"].as_object_mut().unwrap().remove("kms.alibabacloud/status");
    assert_eq!(after, before);
}

#[test]
fn a_pod_that_asks_for_nothing_is_allowed_without_a_patch() {
    let mut opted_out = secrets();
    opted_out["metadata"]["labels"] = json!({"kms.alibabacloud/injection": "disabled"});
    let mut mirror = secrets();
    mirror["metadata"]["annotations"]["kubernetes.io/config.mirror"] = json!("x");
    for pod in [json!({"metadata": {}, "spec": {}}), opted_out, mirror] {
        let answer = ask(&pod);
        assert_eq!(answer.response["allowed"], true);
        assert!(answer.response.get("patch").is_none());
        assert_eq!(answer.outcome, Outcome::Unchanged);
    }
}

#[test]
fn what_is_not_the_creation_of_a_pod_passes_with_a_warning() {
    for (pointer, value) in [
        ("/request/operation", json!("UPDATE")),
        ("/request/kind/kind", json!("Deployment")),
        ("/request/kind/group", json!("example.com")),
        ("/request/subResource", json!("ephemeralcontainers")),
    ] {
        let mut review = review(&secrets());
        match review.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => review["request"]["subResource"] = value,
        }
        let answer = ask_with(&review, &settings());
        assert_eq!(answer.response["allowed"], true);
        assert!(answer.response.get("patch").is_none());
        assert!(answer.warnings().contains("left"), "{}", answer.response);
    }
}

#[test]
fn a_dry_run_gets_the_same_answer() {
    let mut dry = review(&secrets());
    dry["request"]["dryRun"] = json!(true);
    assert_eq!(ask_with(&dry, &settings()).patch(), ask(&secrets()).patch());
}

#[test]
fn the_same_review_gets_the_same_bytes_every_time() {
    let review = review(&secrets()).to_string();
    let first = webhook::wire::admit::admit(review.as_bytes(), &settings());
    for _ in 0..30 {
        assert_eq!(webhook::wire::admit::admit(review.as_bytes(), &settings()), first);
    }
}

#[test]
fn ours_comes_first_or_directly_behind_a_native_mesh_proxy() {
    let place = |init: Value, first: &str| {
        let mut pod = pod(&[("secrets", "a: b"), ("init-first", first)]);
        pod["spec"]["initContainers"] = init;
        let after = injected(&pod);
        let containers = after["spec"]["initContainers"].as_array().unwrap().clone();
        containers.iter().position(|container| container["name"] == "kms-secrets-init").unwrap()
    };
    let setup = json!({"name": "setup"});
    let proxy = json!({"name": "istio-proxy", "restartPolicy": "Always"});
    let classic = json!({"name": "istio-init"});
    assert_eq!(place(json!([setup]), "auto"), 0);
    assert_eq!(place(json!([classic, setup]), "auto"), 0);
    assert_eq!(place(json!([classic, proxy, setup]), "auto"), 2);
    let linkerd = json!({"name": "linkerd-proxy", "restartPolicy": "Always"});
    assert_eq!(place(json!([proxy, {"name": "first"}, linkerd, setup]), "auto"), 3);
    assert_eq!(place(json!([{"name": "logs", "restartPolicy": "Always"}, setup]), "auto"), 0);
    assert_eq!(place(json!([{"name": "istio-proxy", "restartPolicy": "Never"}]), "auto"), 0);
    assert_eq!(place(json!([proxy, setup]), "true"), 0);
    assert_eq!(place(json!([proxy, setup]), "false"), 2);
    assert_eq!(place(Value::Null, "false"), 0);
}

#[test]
fn consumers_are_all_containers_but_mesh_proxies_or_those_that_are_named() {
    let mounts = |annotations: &[(&str, &str)]| {
        let mut pod = pod(annotations);
        pod["spec"]["containers"] =
            json!([{"name": "app"}, {"name": "helper"}, {"name": "istio-proxy"}]);
        pod["spec"]["initContainers"] = json!([{"name": "setup"}]);
        plan(&injected(&pod)).consumers().join(" ")
    };
    assert_eq!(mounts(&[("secrets", "a: b")]), "setup app helper");
    assert_eq!(
        mounts(&[("secrets", "a: b"), ("containers", "helper, istio-proxy")]),
        "helper istio-proxy"
    );
    assert_eq!(mounts(&[("secrets", "a: b"), ("containers", "app,app,,helper")]), "app helper");
}

#[test]
fn an_init_container_before_ours_is_warned_about() {
    let mut pod = pod(&[("secrets", "a: b"), ("init-first", "false")]);
    pod["spec"]["initContainers"] = json!([{"name": "setup"}]);
    assert!(ask(&pod).warnings().contains("setup runs before"), "{}", ask(&pod).warnings());
    assert_eq!(ask(&pod).response["warnings"].as_array().unwrap().len(), 1);
    pod["spec"]["initContainers"][0]["name"] = json!("set\u{1b}\u{202e}\u{2028}up");
    let answer = ask(&pod);
    assert!(answer.response["warnings"][0].as_str().unwrap().contains("setup runs before"));
}

#[test]
fn files_belong_to_whoever_reads_them() {
    let seen = |spec: Value, annotations: &[(&str, &str)]| {
        let mut all = vec![("secrets", "a: b")];
        all.extend_from_slice(annotations);
        let mut pod = pod(&all);
        pod["spec"]["securityContext"] = spec;
        let after = injected(&pod);
        let plan = plan(&after);
        let user = ours(&after)["securityContext"]["runAsUser"].clone();
        (user, plan.files()[0].options.mode.to_string(), plan.group())
    };
    assert_eq!(seen(json!({"runAsUser": 1000}), &[]), (json!(1000), "0400".to_owned(), None));
    assert_eq!(seen(json!({"fsGroup": 2000}), &[]), (json!(65532), "0440".to_owned(), Some(2000)));
    assert_eq!(seen(json!({}), &[]), (json!(65532), "0444".to_owned(), None));
    assert_eq!(seen(json!({"runAsUser": 0}), &[]), (json!(65532), "0444".to_owned(), None));
    assert_eq!(
        seen(json!({"runAsUser": 1000}), &[("run-as-user", "7")]),
        (json!(7), "0444".to_owned(), None)
    );
    assert_eq!(
        seen(json!({"runAsUser": 1000}), &[("file-mode", "0440")]),
        (json!(1000), "0440".to_owned(), None)
    );
}

#[test]
fn a_guaranteed_pod_stays_guaranteed_and_others_get_no_cpu_limit() {
    let resources = |own: Value| {
        let mut pod = pod(&[("secrets", "a: b")]);
        pod["spec"]["containers"][0]["resources"] = own;
        ours(&injected(&pod))["resources"].clone()
    };
    let guaranteed = json!({"requests": {"cpu": "100m", "memory": "33Mi"}, "limits": {"cpu": "100m", "memory": "33Mi"}});
    let ordinary =
        json!({"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "33Mi"}});
    assert_eq!(resources(json!({"limits": {"cpu": 1, "memory": "1Gi"}})), guaranteed);
    assert_eq!(
        resources(
            json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1024Mi"}})
        ),
        guaranteed
    );
    assert_eq!(
        resources(json!({"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": "500m"}})),
        ordinary
    );
    for not_quite in [
        json!({"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"memory": "512Mi"}}),
        json!({"limits": {"cpu": 1}}),
        json!({"limits": {"cpu": 0, "memory": 0}}),
    ] {
        assert_eq!(resources(not_quite.clone()), ordinary, "{not_quite}");
    }
    assert_eq!(resources(json!({})), ordinary);
    assert_eq!(resources(Value::Null), ordinary);
}

#[test]
fn resources_and_sizes_can_be_set() {
    let after = injected(&pod(&[
        ("secrets", "a: b"),
        ("resources.requests.cpu", "5m"),
        ("resources.limits.cpu", "50m"),
        ("resources.limits.memory", "64Mi"),
        ("size-limit", "4Mi"),
    ]));
    assert_eq!(
        ours(&after)["resources"],
        json!({"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": {"cpu": "50m", "memory": "64Mi"}})
    );
    assert_eq!(volume(&after, "kms-secrets")["emptyDir"]["sizeLimit"], "4Mi");
    let low =
        [("secrets", "a: b"), ("resources.limits.cpu", "5m"), ("resources.limits.memory", "8Mi")];
    let amounts = json!({"cpu": "5m", "memory": "8Mi"});
    assert_eq!(
        ours(&injected(&pod(&low)))["resources"],
        json!({"requests": amounts, "limits": amounts})
    );
    let many: String = (0..20).map(|index| format!("f{index}: kms://x\n")).collect();
    let after = injected(&pod(&[("secrets", &many)]));
    assert_eq!(volume(&after, "kms-secrets")["emptyDir"]["sizeLimit"], "3840Ki");
    assert_eq!(ours(&after)["resources"]["limits"]["memory"], "36608Ki");
}

/// Whoever writes such a secret chooses how many keys there are, and how long their names.
#[test]
fn all_keys_have_the_room_that_the_worst_of_them_take() {
    let kib = |after: &Value, name: &str| {
        let size = volume(after, name)["emptyDir"]["sizeLimit"].as_str().unwrap().to_owned();
        size.strip_suffix("Ki").unwrap().parse::<u64>().unwrap()
    };
    // Three generations of 256 files of a page, of the value, the names and a sentinel, links of before
    // and of now, and a little beside them.
    let one = 4 * (3 * (256 + 16 + 16 + 1) + 2 * 256 + 32);
    let after = injected(&pod(&[("secrets", r#"{"*": "kms://x"}"#)]));
    assert_eq!(kib(&after, "kms-secrets"), one);
    let long = "p".repeat(64);
    let text = json!({"*": {"source": "kms://x", "prefix": long}, "a": "kms://y"}).to_string();
    let after = injected(&pod(&[("secrets", &text)]));
    assert_eq!(kib(&after, "kms-secrets"), one + 3 * 4 * 4 + 3 * 64);
    let mut started = pod(&[("env", r#"{"*": "kms://x"}"#)]);
    started["spec"]["containers"][0]["command"] = json!(["/app"]);
    let after = injected(&started);
    assert_eq!(kib(&after, "kms-env"), 14 * 1024 + one);
}

#[test]
fn every_object_keeps_its_own_place_and_caller() {
    let text = r#"
- objectName: "test-hangzhou"
  objectAlias: "public"
  kmsEndpoint: "kms.{region}.aliyuncs.com"
- objectName: "test-hangzhou"
  objectAlias: "vpc"
- objectName: "test-hangzhou"
  objectAlias: "dedicated"
  kmsEndpoint: "kst-hzz65f176a0ogplgq.cryptoservice.kms.aliyuncs.com"
- objectName: "acs:kms:eu-west-1:9876543210987654:secret/test-london"
  objectAlias: "london"
  kmsEndpoint: "kms.{region}.aliyuncs.com"
  crossAccountRoleArn: acs:ram::9876543210987654:role/reader
  externalId: shop-1
"#;
    let after = injected(&pod(&[("secrets", text), ("ca-config-map", "kms-ca")]));
    let plan = plan(&after);
    let places: Vec<_> = plan
        .lookups()
        .iter()
        .map(|lookup| {
            (
                route(lookup).region.to_string(),
                route(lookup).endpoint.as_ref().map(ToString::to_string),
            )
        })
        .collect();
    let expected = [
        ("cn-hangzhou", Some("kms.cn-hangzhou.aliyuncs.com")),
        ("cn-hangzhou", None),
        ("cn-hangzhou", Some("kst-hzz65f176a0ogplgq.cryptoservice.kms.aliyuncs.com")),
        ("eu-west-1", Some("kms.eu-west-1.aliyuncs.com")),
    ]
    .map(|(region, host)| (region.to_owned(), host.map(str::to_owned)));
    assert_eq!(places, expected);
    let callers: Vec<_> =
        plan.lookups().iter().map(|lookup| route(lookup).assume.clone()).collect();
    assert!(callers[..3].iter().all(Option::is_none));
    let assume = callers[3].as_ref().unwrap();
    assert_eq!(assume.role.account(), "9876543210987654");
    assert_eq!(assume.external_id.as_ref().unwrap().as_str(), "shop-1");
    assert_eq!(volume(&after, "kms-ca")["configMap"]["name"], "kms-ca");
    assert!(ours(&after)["volumeMounts"].to_string().contains("/etc/kms-ca"));
    assert!(!after["spec"]["containers"][0]["volumeMounts"].to_string().contains("kms-ca"));
}

#[test]
fn a_shared_endpoint_says_the_region_where_nothing_closer_does() {
    let no_region = settings_with(&["region="]);
    let pod = pod(&[(
        "secrets",
        "- objectName: a\n  kmsEndpoint: kms.cn-beijing.aliyuncs.com\n- acs:kms:cn-shanghai:1:secret/b",
    )]);
    let plan = plan(&injected_with(&pod, &no_region));
    assert_eq!(route(&plan.lookups()[0]).region.as_str(), "cn-beijing");
    assert_eq!(route(&plan.lookups()[1]).region.as_str(), "cn-shanghai");
    assert_eq!(rrsa(&plan).sts.region.as_str(), "cn-beijing");
}

#[test]
fn no_dollar_reaches_the_environment() {
    let after = injected(&pod(&[("secrets", "$(HOME): 'kms://a#\"$$b\".c'\n$$x: kms://a\n")]));
    let value = ours(&after)["env"][0]["value"].as_str().unwrap();
    assert!(!value.contains('$'), "{value}");
    let names: Vec<_> = plan(&after).files().iter().map(|file| file.name.to_string()).collect();
    assert_eq!(names, ["$(HOME)", "$$x"]);
    assert_eq!(selected(&plan(&after).files()[0]), "\"$$b\".c");
}

#[test]
fn the_operators_settings_fill_what_the_pod_leaves_open() {
    let settings = settings_with(&[
        "injector.image=registry.example/secrets-injector@sha256:00",
        "injector.imagePullPolicy=Always",
        "injector.extraArgs=--ca,/ca.pem",
        "oidcProviderArn=acs:ram::9:oidc-provider/mine",
        "kmsEndpoint=kms.{region}.aliyuncs.com",
        "stsEndpoint=sts.aliyuncs.com",
        "pathTranslation=-",
        "timeoutSeconds=30",
    ]);
    let after = injected_with(&pod(&[("secrets", "kms://a/b")]), &settings);
    let container = ours(&after);
    assert_eq!(container["image"], "registry.example/secrets-injector@sha256:00");
    assert_eq!(container["imagePullPolicy"], "Always");
    assert_eq!(container["args"], json!(["init", "--ca", "/ca.pem"]));
    let plan = plan(&after);
    assert_eq!(rrsa(&plan).provider.as_str(), "acs:ram::9:oidc-provider/mine");
    assert_eq!(rrsa(&plan).sts.endpoint.as_ref().unwrap().as_str(), "sts.aliyuncs.com");
    assert_eq!(
        route(&plan.lookups()[0]).endpoint.as_ref().unwrap().as_str(),
        "kms.cn-hangzhou.aliyuncs.com"
    );
    assert_eq!(plan.files()[0].name.as_str(), "a-b");
    assert_eq!(plan.timeout().as_secs(), 30);
}

#[test]
fn a_reply_knows_which_review_it_answers() {
    let mut review = review(&secrets());
    let about = |review: &Value| {
        webhook::wire::admit::admit(review.to_string().as_bytes(), &settings()).about.unwrap()
    };
    review["request"]["name"] = json!("app");
    assert_eq!((about(&review).namespace.as_str(), about(&review).name.as_str()), ("shop", "app"));
    review["request"]["name"] = json!("");
    assert_eq!(about(&review).name, "app");
    review["request"]["object"]["metadata"] =
        json!({"name": "checkout-1", "generateName": "checkout-"});
    assert_eq!(about(&review).name, "checkout-1");
    review["request"]["object"]["metadata"] = json!({"generateName": "checkout-6d5f-"});
    assert_eq!(about(&review).name, "checkout-6d5f-");
}

#[test]
fn a_name_that_no_one_has_checked_yet_does_no_harm() {
    let mut pod = secrets();
    pod["spec"]["serviceAccountName"] = json!(format!("{}密码/../$(x)", "a".repeat(57)));
    let session = rrsa(&plan(&injected(&pod))).sts.session.to_string();
    assert_eq!(session, format!("shop.{}..", "a".repeat(57)));
}

#[test]
fn what_a_guaranteed_pod_sets_is_kept_and_the_rest_follows_from_it() {
    let asked = |annotations: &[(&str, &str)], containers: usize| {
        let mut all = vec![("secrets", "a: b")];
        all.extend_from_slice(annotations);
        let mut pod = pod(&all);
        pod["spec"]["containers"][0]["resources"] = json!({"limits": {"cpu": 1, "memory": "1Gi"}});
        for index in 1..containers {
            pod["spec"]["containers"][index - 1]["name"] = json!(format!("app-{index}"));
            pod["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "app"}));
        }
        ours(&injected(&pod))["resources"].clone()
    };
    let both = [("resources.requests.cpu", "150m"), ("resources.limits.cpu", "200m")];
    let amounts = asked(&both, 1);
    assert_eq!(
        (&amounts["requests"]["cpu"], &amounts["limits"]["cpu"]),
        (&json!("150m"), &json!("200m"))
    );
    let amounts = asked(&both[..1], 1);
    assert_eq!(
        (&amounts["requests"]["cpu"], &amounts["limits"]["cpu"]),
        (&json!("150m"), &json!("150m"))
    );
    let amounts = asked(&[("resources.requests.memory", "20Mi")], 1);
    assert_eq!(
        (&amounts["requests"]["memory"], &amounts["limits"]["memory"]),
        (&json!("20Mi"), &json!("33Mi"))
    );
    assert!(asked(&[], 2)["limits"].get("cpu").is_none());
}

#[test]
fn a_consumers_own_mounts_stay() {
    let mut before = secrets();
    let own = json!({"name": "own", "mountPath": "/own"});
    before["spec"]["containers"][0]["volumeMounts"] = json!([own]);
    let after = injected(&before);
    let mounts = after["spec"]["containers"][0]["volumeMounts"].as_array().unwrap();
    assert_eq!(mounts[0], own);
    assert_eq!(mounts[1]["name"], "kms-secrets");
    assert_eq!(mounts.len(), 2);
}

#[test]
fn as_many_files_as_a_plan_may_have_are_injected() {
    let text = |files: usize| (0..files).map(|i| format!("f{i}: x\n")).collect::<String>();
    let most = text(plan::MAX_FILES);
    assert_eq!(plan(&injected(&pod(&[("secrets", &most)]))).files().len(), plan::MAX_FILES);
    let answer = ask(&pod(&[("secrets", &text(plan::MAX_FILES + 1))]));
    assert!(answer.message().contains("it asks for 257 files"), "{}", answer.message());
}
