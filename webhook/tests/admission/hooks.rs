use plan::{FetcherOptions, LogLevel, Plan};
use serde_json::{Value, json};

use crate::support::{ask, injected, pod};

const SECRETS: (&str, &str) = ("secrets", "db: kms://app/db\n");
const SIGNAL: (&str, &str) = ("on-change", "signal=SIGHUP:app");

fn refreshed(more: &[(&str, &str)]) -> Value {
    pod(&[&[SECRETS, ("mode", "refresh")], more].concat())
}

/// A Pod whose container may get a signal from ours.
fn signalled(more: &[(&str, &str)]) -> Value {
    let mut pod = refreshed(&[&[SIGNAL], more].concat());
    pod["spec"]["shareProcessNamespace"] = json!(true);
    pod["spec"]["securityContext"] = json!({"runAsUser": 1000, "runAsGroup": 1000});
    pod
}

/// A Pod that declares a port.
fn called(url: &str) -> Value {
    let mut pod = refreshed(&[("on-change", &format!("http={url}"))]);
    pod["spec"]["containers"][0]["ports"] = json!([{"containerPort": 8080, "protocol": "TCP"}]);
    pod
}

fn sidecar(pod: &Value) -> &Value {
    let containers = pod["spec"]["initContainers"].as_array().unwrap();
    containers.iter().find(|container| container["name"] == "kms-secrets").unwrap()
}

fn plan(pod: &Value) -> Plan {
    Plan::decode(sidecar(pod)["env"][0]["value"].as_str().unwrap()).unwrap()
}

fn unchanged(pod: &Value) -> bool {
    let answer = ask(pod);
    assert_eq!(answer.response["allowed"], true, "{}", answer.response);
    answer.response.get("patch").is_none()
}

fn variable(container: &str) -> Value {
    json!({"name": "SECRETS_INJECTOR_TARGET", "value": container})
}

#[test]
fn every_option_of_the_fetcher_is_an_annotations() {
    let mut pod = called("http://127.0.0.1:8080");
    for (key, value) in [("metrics-port", "9300"), ("log-level", "debug")] {
        pod["metadata"]["annotations"][format!("kms.alibabacloud/{key}")] = json!(value);
    }
    let FetcherOptions { on_change, metrics_port, log_level } = plan(&injected(&pod)).options();
    assert!(on_change.is_some());
    assert_eq!((metrics_port, log_level), (Some(9300), LogLevel::Debug));
}

#[test]
fn a_signal_finds_its_container_by_a_variable_behind_all_others() {
    let mut pod = signalled(&[]);
    let own = json!([{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)"}]);
    pod["spec"]["containers"][0]["env"] = own.clone();
    pod["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "other"}));
    let after = injected(&pod);
    let env = after["spec"]["containers"][0]["env"].as_array().unwrap();
    assert_eq!((&env[..2], &env[2]), (&own.as_array().unwrap()[..], &variable("app")));
    assert!(after["spec"]["containers"][1].get("env").is_none());
    assert_eq!(plan(&after).options().on_change.unwrap().to_string(), "signal=SIGHUP:app");
    assert!(unchanged(&after), "{}", ask(&after).patch());
    assert!(!ask(&pod).warnings().contains("runAsGroup"), "{}", ask(&pod).warnings());
    // A container without any.
    let after = injected(&signalled(&[]));
    assert_eq!(after["spec"]["containers"][0]["env"], json!([variable("app")]));
    assert!(unchanged(&after), "{}", ask(&after).patch());
}

#[test]
fn the_variable_follows_the_annotation_in_a_pod_that_comes_again() {
    let mut pod = signalled(&[]);
    pod["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "other"}));
    let clean = injected(&pod);
    let mut moved = clean.clone();
    moved["metadata"]["annotations"]["kms.alibabacloud/on-change"] = json!("signal=USR1:other");
    let moved = injected(&moved);
    assert_eq!(moved["spec"]["containers"][0]["env"], json!([]));
    assert_eq!(moved["spec"]["containers"][1]["env"], json!([variable("other")]));
    let mut gone = clean.clone();
    gone["metadata"]["annotations"].as_object_mut().unwrap().remove("kms.alibabacloud/on-change");
    let gone = injected(&gone);
    assert_eq!(gone["spec"]["containers"][0]["env"], json!([]));
    assert!(plan(&gone).options().on_change.is_none());
    // Twice, elsewhere or with another value it is put right.
    let mut edited = clean;
    edited["spec"]["containers"][0]["env"] = json!([variable("x"), {"name": "A"}, variable("app")]);
    edited["spec"]["containers"][1]["env"] = json!([variable("app")]);
    let mended = injected(&edited);
    assert_eq!(mended["spec"]["containers"][0]["env"], json!([variable("app"), {"name": "A"}]));
    assert_eq!(mended["spec"]["containers"][1]["env"], json!([]));
    assert!(unchanged(&mended), "{}", ask(&mended).patch());
}

#[test]
fn the_fetcher_has_the_group_of_whom_it_signals() {
    let mut pod = signalled(&[]);
    pod["spec"]["securityContext"] = json!({});
    pod["spec"]["containers"][0]["securityContext"] = json!({"runAsUser": 7, "runAsGroup": 8});
    let after = injected(&pod);
    let ours = &sidecar(&after)["securityContext"];
    assert_eq!((&ours["runAsUser"], &ours["runAsGroup"]), (&json!(7), &json!(8)));
    assert!(!ask(&pod).warnings().contains("runAsGroup"), "{}", ask(&pod).warnings());
    pod["spec"]["containers"][0]["securityContext"] = json!({"runAsUser": 7});
    assert!(ask(&pod).warnings().contains("set its runAsGroup"), "{}", ask(&pod).warnings());
}

#[test]
fn a_signal_that_could_not_be_sent_is_refused_with_what_to_write() {
    let app = |security: Value| {
        let mut pod = signalled(&[]);
        pod["spec"]["securityContext"] = json!({});
        pod["spec"]["containers"][0]["securityContext"] = security;
        pod
    };
    let mut apart = signalled(&[]);
    apart["spec"]["shareProcessNamespace"] = json!(false);
    let mut host = apart.clone();
    host["spec"]["hostPID"] = json!(true);
    let mut init = signalled(&[("on-change", "signal=SIGHUP:setup")]);
    init["spec"]["initContainers"] = json!([{"name": "setup"}]);
    for (pod, words) in [
        (signalled(&[("on-change", "signal=SIGKILL:app")]), "use one of SIGHUP, SIGUSR1"),
        (signalled(&[("on-change", "signal=SIGSTOP:app")]), "use one of SIGHUP, SIGUSR1"),
        (signalled(&[("on-change", "signal=SIGHUP")]), "write signal=SIGHUP:CONTAINER"),
        (signalled(&[("on-change", "restart")]), "write signal=SIGHUP:CONTAINER, http="),
        (signalled(&[("on-change", "signal=SIGHUP:ap")]), "did you mean app?"),
        (signalled(&[("on-change", "signal=SIGHUP:web")]), "name a container of the Pod"),
        (signalled(&[("on-change", "signal=SIGHUP:kms-secrets")]), "kms-secrets is ours"),
        (apart, "set spec.shareProcessNamespace: true"),
        (host, "set spec.shareProcessNamespace: true"),
        (init, "name a container that stays"),
        (app(json!({})), "set runAsUser"),
        (app(json!({"runAsUser": 0})), "runs as root"),
        (
            {
                let mut pod = app(json!({"runAsUser": 5}));
                pod["spec"]["containers"].as_array_mut().unwrap().push(json!({"name": "other"}));
                pod
            },
            "set kms.alibabacloud/run-as-user to \"5\"",
        ),
        (pod(&[SECRETS, SIGNAL]), "the mode is init"),
    ] {
        let answer = ask(&pod);
        let message = answer.message();
        assert!(message.contains("kms.alibabacloud/on-change: "), "{message}");
        assert!(message.contains(words), "{words}: {message}");
        assert!(message.lines().next().unwrap().chars().count() <= 200, "{message}");
    }
}

#[test]
fn our_variable_is_nobody_elses_to_set() {
    let mut pod = refreshed(&[]);
    pod["spec"]["containers"][0]["env"] = json!([variable("x")]);
    let message = ask(&pod).message().to_owned();
    assert!(message.contains("SECRETS_INJECTOR_TARGET is reserved; remove it"), "{message}");
}

#[test]
fn a_call_goes_to_a_declared_port_of_the_pod() {
    for url in ["http://127.0.0.1:8080/-/reload", "http://[::1]:8080"] {
        let after = injected(&called(url));
        assert!(
            plan(&after)
                .options()
                .on_change
                .unwrap()
                .to_string()
                .starts_with(&format!("http={url}"))
        );
        assert!(unchanged(&after), "{}", ask(&after).patch());
        assert!(after["spec"]["containers"][0].get("env").is_none());
    }
    let mut host = called("http://127.0.0.1:8080/");
    host["spec"]["hostNetwork"] = json!(true);
    let mut udp = called("http://127.0.0.1:8080/");
    udp["spec"]["containers"][0]["ports"][0]["protocol"] = json!("UDP");
    let mut none = called("http://127.0.0.1:8080/");
    none["spec"]["containers"][0]["ports"] = json!(null);
    for (pod, words) in [
        (called("http://127.0.0.1:9090/"), "declares the TCP port 9090 (declared: 8080); add"),
        (udp, "add `containerPort: 8080`"),
        (none, "(none is declared)"),
        (host, "127.0.0.1 is the node and not the Pod"),
        (called("https://127.0.0.1:8080/"), "http:// without TLS"),
        (called("http://localhost:8080/"), "write the address, http://127.0.0.1:PORT/PATH"),
        (called(&format!("http://{}:8080/", "10.0.0.7")), "is not this Pod"),
        (called("http://169.254.169.254:8080/"), "is not this Pod"),
        (called("http://127.0.0.1/"), "has no port"),
        (called("http://a:b@127.0.0.1:8080/"), "user or password"),
        (called("http://127.0.0.1:8080/?token=x"), "query or fragment"),
        (called("http://127.0.0.1:8080/a{b}"), "write its bytes as %XX"),
        (called("http://127.0.0.1:8080/%zz"), "two hexadecimal digits"),
        (pod_with_init("http=http://127.0.0.1:8080/"), "the mode is init"),
    ] {
        let answer = ask(&pod);
        let message = answer.message();
        assert!(message.contains("kms.alibabacloud/on-change: "), "{message}");
        assert!(message.contains(words), "{words}: {message}");
    }
}

#[test]
fn a_port_of_ours_is_not_said_to_be_missing() {
    for (port, more, key) in [
        (9300, &[("metrics-port", "9300")][..], "metrics-port"),
        (2025, &[("mode", "agent")], "agent-port"),
        (8300, &[("mode", "agent"), ("agent-port", "8300")], "agent-port"),
    ] {
        let url = format!("http=http://127.0.0.1:{port}/");
        let message =
            ask(&refreshed(&[&[("on-change", &*url)], more].concat())).message().to_owned();
        let wanted =
            format!("port {port} is that of our own container (kms.alibabacloud/{key}); name");
        assert!(message.contains(&wanted), "{message}");
        assert!(!message.contains("containerPort"), "{message}");
    }
}

fn pod_with_init(hook: &str) -> Value {
    pod(&[SECRETS, ("on-change", hook)])
}

#[test]
fn nobody_is_told_where_the_annotation_says_so() {
    let after = injected(&refreshed(&[("on-change", "none")]));
    assert!(plan(&after).options().on_change.is_none());
    assert!(after["spec"]["containers"][0].get("env").is_none());
    assert_eq!(ask(&pod(&[SECRETS, ("on-change", "none")])).response["allowed"], true);
}

#[test]
fn metrics_have_a_port_that_the_sidecar_declares() {
    let metered = |more: &[(&str, &str)]| refreshed(&[&[("metrics-port", "9300")], more].concat());
    let after = injected(&metered(&[]));
    let declared = json!([{"name": "kms-metrics", "containerPort": 9300, "protocol": "TCP"}]);
    assert_eq!(
        (&sidecar(&after)["ports"], plan(&after).options().metrics_port),
        (&declared, Some(9300))
    );
    assert!(unchanged(&after), "{}", ask(&after).patch());
    // The init container has none.
    let mut job = metered(&[]);
    job["spec"]["restartPolicy"] = json!("Never");
    let job = injected(&job);
    assert!(job["spec"]["initContainers"][0].get("ports").is_none());
    assert_eq!(sidecar(&job)["ports"], declared);
    let mut gone = after;
    gone["metadata"]["annotations"]
        .as_object_mut()
        .unwrap()
        .remove("kms.alibabacloud/metrics-port");
    let gone = injected(&gone);
    assert!(sidecar(&gone).get("ports").is_none() && plan(&gone).options().metrics_port.is_none());

    let mut host = metered(&[]);
    host["spec"]["hostNetwork"] = json!(true);
    let mut taken = metered(&[]);
    taken["spec"]["containers"][0]["ports"] = json!([{"containerPort": 9300}]);
    for (pod, words) in [
        (metered(&[("metrics-port", "80")]), "use a whole number from 1024 to 65535"),
        (metered(&[("metrics-port", "65536")]), "use a whole number from 1024 to 65535"),
        (host, "would be the node's"),
        (taken, "container \"app\" declares the port 9300; use another port"),
        (metered(&[("mode", "agent"), ("agent-port", "9300")]), "the agent answers at port 9300"),
        (pod(&[SECRETS, ("metrics-port", "9300")]), "the mode is init"),
    ] {
        let answer = ask(&pod);
        let message = answer.message();
        assert!(message.starts_with("kms.alibabacloud/metrics-port: "), "{message}");
        assert!(message.contains(words), "{words}: {message}");
    }
}
