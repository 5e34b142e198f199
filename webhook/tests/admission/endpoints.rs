//! Hosts that the operator adds, each for its service.

use plan::{Batches, KmsBatches};
use serde_json::Value;
use webhook::settings::{Inputs, Settings};

use crate::support::{
    ask_with, injected_with, plan, pod, review, route, settings_with as settings,
};

fn denied(pod: &Value, settings: &Settings) -> String {
    ask_with(&review(pod), settings).message().to_owned()
}

/// The Pod's endpoint of a service.
fn at(service: &str, host: &str) -> Value {
    let source = if service == "oos" { "a: oos://b" } else { "a: b" };
    pod(&[("secrets", source), (&format!("{service}-endpoint"), host)])
}

#[test]
fn a_host_that_is_allowed_for_secrets_is_none_for_the_token() {
    let settings = settings(&["allowedEndpoints=gateway.example.internal"]);
    for service in ["kms", "oos"] {
        let after = injected_with(&at(service, "gateway.example.internal"), &settings);
        let endpoint = route(&plan(&after).lookups()[0]).endpoint.clone().unwrap();
        assert_eq!(endpoint.as_str(), "gateway.example.internal");
    }
    let message = denied(&at("sts", "gateway.example.internal"), &settings);
    assert!(message.contains("\"gateway.example.internal\" is not allowed here"), "{message}");
    assert!(message.contains("allowedEndpoints.sts"), "{message}");
}

#[test]
fn a_host_is_allowed_for_the_service_that_it_is_listed_for() {
    let file = "{region: cn-hangzhou, clusterId: c0123, allowedEndpoints: \
                {kms: [kms.example.internal], oos: [oos.example.internal], sts: [sts.example.internal]}}";
    let settings = Inputs::new(None, &[], []).unwrap().resolve(Some(file.as_bytes())).unwrap();
    for listed in ["kms", "oos", "sts"] {
        for service in ["kms", "oos", "sts"] {
            let pod = at(service, &format!("{listed}.example.internal"));
            if listed == service {
                injected_with(&pod, &settings);
            } else {
                let message = denied(&pod, &settings);
                assert!(message.contains(&format!("allowedEndpoints.{service}")), "{message}");
            }
        }
    }
}

#[test]
fn an_endpoint_of_another_service_is_one_mistake_and_no_missing_region() {
    let nowhere = settings(&["region="]);
    let secrets = "a: {source: 'oos://b', endpoint: kms.cn-hangzhou.aliyuncs.com}\n\
                   b: {source: kms://c, region: cn-hangzhou}";
    let message = denied(&pod(&[("secrets", secrets)]), &nowhere);
    assert!(message.contains("is not allowed here"), "{message}");
    assert!(!message.contains("no region"), "{message}");
}

#[test]
fn which_hosts_are_asked_for_several_secrets_at_once_is_what_the_operator_says() {
    let batches = |more: &[&str]| {
        let after = injected_with(&pod(&[("secrets", "a: b")]), &settings(more));
        plan(&after).batches()
    };
    let usual = Batches { kms: KmsBatches::Shared, oos: false };
    assert_eq!(batches(&[]), usual);
    assert_eq!(batches(&["batches=shared", "oosBatches=never"]), usual);
    assert_eq!(batches(&["batches=all"]).kms, KmsBatches::All);
    assert_eq!(batches(&["batches=never"]).kms, KmsBatches::Never);
    assert_eq!(batches(&["oosBatches=allowed"]), Batches { oos: true, ..usual });
}
