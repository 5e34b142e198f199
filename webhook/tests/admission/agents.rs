use plan::{Agent, Plan, ResponseType};
use serde_json::{Value, json};

use crate::support::{ask, injected, ours, pod, volume};

const SECRETS: (&str, &str) = ("secrets", "db: kms://app/db\ntoken: oos://app-token\n");

fn served(more: &[(&str, &str)]) -> Value {
    pod(&[&[SECRETS, ("mode", "agent")], more].concat())
}

/// Nothing but an agent.
fn alone(more: &[(&str, &str)]) -> Value {
    pod(&[&[("agent-secrets", "app/*"), ("mode", "agent")], more].concat())
}

fn sidecar<'p>(pod: &'p Value, list: &str) -> &'p Value {
    let containers = pod["spec"][list].as_array().unwrap();
    containers.iter().find(|container| container["name"] == "kms-secrets").unwrap()
}

fn plan_of(container: &Value) -> Plan {
    Plan::decode(container["env"][0]["value"].as_str().unwrap()).unwrap()
}

fn agent(pod: &Value) -> Agent {
    plan_of(sidecar(pod, "initContainers")).mode().agent().unwrap().clone()
}

fn names(agent: &Agent) -> Vec<&str> {
    agent.secrets.iter().map(plan::Glob::as_str).collect()
}

fn refused(pod: &Value) -> String {
    let answer = ask(pod);
    let message = answer.message();
    let first = message.lines().next().unwrap();
    assert!(first.chars().count() <= 200, "{first}");
    message.to_owned()
}

fn unchanged(pod: &Value) -> bool {
    let answer = ask(pod);
    assert_eq!(answer.response["allowed"], true, "{}", answer.response);
    answer.response.get("patch").is_none()
}

#[test]
fn a_sidecar_serves_what_the_pod_lists_and_holds_it_back_until_it_answers() {
    let after = injected(&served(&[]));
    let sidecar = sidecar(&after, "initContainers");
    assert_eq!(
        (&sidecar["args"], &sidecar["restartPolicy"]),
        (&json!(["refresh"]), &json!("Always"))
    );
    assert_eq!(sidecar["startupProbe"]["exec"]["command"], json!(["/secrets-injector", "probe"]));
    let agent = agent(&after);
    // Parameters are no KMS secrets.
    assert_eq!(names(&agent), ["app/db"]);
    assert_eq!(
        (agent.port.get(), agent.cache_ttl.get(), agent.cache_size.get()),
        (2025, 300, 1000)
    );
    assert_eq!((agent.max_connections.get(), agent.response_type), (800, ResponseType::Kms));
    assert_eq!(agent.token.to_string(), "/var/run/kmstoken/token");
    assert_eq!(agent.region.as_str(), "cn-hangzhou");
    assert_eq!(agent.refresh.interval().as_secs(), 300);
    let status = after["metadata"]["annotations"]["kms.alibabacloud/status"].as_str().unwrap();
    assert!(status.contains(r#""mode":"agent""#), "{status}");
    assert!(unchanged(&after), "{}", ask(&after).patch());
}

#[test]
fn the_token_lies_in_memory_and_consumers_may_read_it() {
    let after = injected(&served(&[]));
    assert_eq!(
        volume(&after, "kms-agent"),
        &json!({"name": "kms-agent", "emptyDir": {"medium": "Memory", "sizeLimit": "64Ki"}})
    );
    let mount = json!({"name": "kms-agent", "mountPath": "/var/run/kmstoken"});
    let mounts = sidecar(&after, "initContainers")["volumeMounts"].as_array().unwrap();
    assert!(mounts.contains(&mount), "{mounts:?}");
    let mounts = after["spec"]["containers"][0]["volumeMounts"].as_array().unwrap();
    let read_only =
        json!({"name": "kms-agent", "mountPath": "/var/run/kmstoken", "readOnly": true});
    assert!(mounts.len() == 2 && mounts.contains(&read_only), "{mounts:?}");
    // Nothing is added to its environment: clients of the KMS Agent read the file.
    assert!(after["spec"]["containers"][0].get("env").is_none());
}

#[test]
fn the_token_is_readable_as_files_are() {
    for (context, mode, group) in [
        (json!({"runAsUser": 1000}), "0400", None),
        (json!({"fsGroup": 2000}), "0440", Some(2000)),
        (json!({}), "0444", None),
    ] {
        let mut pod = alone(&[]);
        pod["spec"]["securityContext"] = context;
        let after = injected(&pod);
        assert_eq!(agent(&after).token_mode.to_string(), mode);
        assert_eq!(plan_of(sidecar(&after, "initContainers")).group(), group);
    }
}

#[test]
fn an_agent_needs_no_files() {
    let after = injected(&alone(&[]));
    let plan = plan_of(sidecar(&after, "initContainers"));
    assert!(plan.files().is_empty() && plan.lookups().is_empty());
    assert_eq!(names(&agent(&after)), ["app/*"]);
    assert!(unchanged(&after), "{}", ask(&after).patch());
}

#[test]
fn annotations_say_what_it_serves_and_how() {
    let after = injected(&served(&[
        ("agent-secrets", "kms://shop/*, db-?\nacs:kms:cn-hangzhou:1234567890123456:secret/x"),
        ("agent-port", "8300"),
        ("agent-cache-ttl", "0"),
        ("agent-cache-size", "1"),
        ("agent-max-connections", "20"),
        ("agent-response-type", "2"),
        ("agent-token-path", "/run/agent/kms"),
        ("refresh-interval", "1m"),
        ("max-staleness", "1h"),
        ("kms-endpoint", "kms.{region}.aliyuncs.com"),
        ("cross-account-role-arn", "acs:ram::9876543210987654:role/reader"),
        ("external-id", "shop-1"),
    ]));
    let agent = agent(&after);
    assert_eq!(names(&agent), ["shop/*", "db-?", "acs:kms:cn-hangzhou:1234567890123456:secret/x"]);
    assert_eq!((agent.port.get(), agent.cache_ttl.get(), agent.cache_size.get()), (8300, 0, 1));
    assert_eq!((agent.max_connections.get(), agent.response_type), (20, ResponseType::Vault));
    assert_eq!(agent.token.to_string(), "/run/agent/kms");
    assert_eq!(agent.refresh.max_staleness().unwrap().as_secs(), 3600);
    assert_eq!(agent.endpoint.unwrap().as_str(), "kms.cn-hangzhou.aliyuncs.com");
    let assume = agent.assume.unwrap();
    assert_eq!(assume.role.as_str(), "acs:ram::9876543210987654:role/reader");
    assert_eq!(assume.external_id.unwrap().as_str(), "shop-1");
    assert_eq!(agent.region.as_str(), "cn-hangzhou");
}

#[test]
fn where_a_pod_does_not_restart_the_sidecar_still_holds_it_back() {
    let mut pod = served(&[]);
    pod["spec"]["restartPolicy"] = json!("Never");
    let after = injected(&pod);
    assert_eq!(ours(&after)["args"], json!(["init"]));
    assert!(ours(&after).get("startupProbe").is_none());
    let sidecar = sidecar(&after, "initContainers");
    assert!(sidecar["startupProbe"]["exec"]["command"][1] == "probe", "{sidecar}");
    assert_eq!(sidecar["volumeMounts"], ours(&after)["volumeMounts"]);
    assert!(unchanged(&after), "{}", ask(&after).patch());
}

#[test]
fn beside_the_application_nothing_orders_the_two_and_that_is_said() {
    let pod = served(&[("native-sidecar", "false")]);
    assert!(ask(&pod).warnings().contains("before the agent answers"), "{}", ask(&pod).warnings());
    assert!(ask(&served(&[])).response.get("warnings").is_none());
}

#[test]
fn a_host_network_is_no_place_for_an_agent() {
    let mut pod = served(&[]);
    pod["spec"]["hostNetwork"] = json!(true);
    let message = refused(&pod);
    assert!(message.contains("hostNetwork") && message.contains("mode: refresh"), "{message}");
}

#[test]
fn a_port_that_a_container_has_is_refused() {
    let ports = |port: Value| {
        let mut pod = served(&[]);
        pod["spec"]["containers"][0]["ports"] = json!([port]);
        pod
    };
    for taken in [json!({"containerPort": 2025}), json!({"containerPort": 2025, "protocol": "TCP"})]
    {
        let message = refused(&ports(taken));
        assert!(message.starts_with("kms.alibabacloud/agent-port: container \"app\""), "{message}");
    }
    for free in [
        json!({"containerPort": 2026}),
        json!({"containerPort": 2025, "protocol": "UDP"}),
        // The node's, which leads to another of the container.
        json!({"containerPort": 80, "hostPort": 2025}),
    ] {
        injected(&ports(free));
    }
    let mut pod = served(&[("agent-port", "9000")]);
    pod["spec"]["initContainers"] = json!([{"name": "first", "ports": [{"containerPort": 9000}]}]);
    assert!(refused(&pod).contains("container \"first\" has port 9000"));
}

#[test]
fn a_token_gets_a_directory_of_its_own() {
    let mounted = |path: &str, more: &[(&str, &str)]| {
        let mut pod = served(more);
        pod["spec"]["volumes"] = json!([{"name": "shared-volume", "hostPath": {"path": "/x"}}]);
        pod["spec"]["containers"][0]["volumeMounts"] =
            json!([{"name": "shared-volume", "mountPath": path}]);
        pod
    };
    // An empty directory at just this place is another matter.
    for path in [
        "/var/run/kmstoken",
        "/var/run/kmstoken/",
        "/var/run/kmstoken/x",
        "/var/run",
        // The same, by the usual link.
        "/run/kmstoken",
        "/var",
        // The same, written otherwise: the kubelet takes each.
        "/var/./run/kmstoken",
        "//var/run/kmstoken",
        "var/run/kmstoken",
        "run",
    ] {
        let message = refused(&mounted(path, &[]));
        assert!(message.starts_with("kms.alibabacloud/agent-token-path: container"), "{message}");
        assert!(message.contains("shared-volume"), "{message}");
    }
    let elsewhere = [("agent-token-path", "/data/x/token")];
    assert!(refused(&mounted("/./data", &elsewhere)).contains("mounted at /./data, and"));
    let message = refused(&mounted("/", &[]));
    assert!(message.contains("mounted at /, and") && message.ends_with("every path lies in it"));
    let message = refused(&mounted("/a/../var/run/kmstoken", &[]));
    assert!(message.ends_with("write its mountPath without `..`"), "{message}");
    injected(&mounted("/var/run/kmstoken", &[("agent-token-path", "/var/run/kms/token")]));
    injected(&mounted("/var/run/other", &[]));
    for path in [
        "/etc/token",
        "/proc/token",
        "/token",
        "token",
        "/a/../token",
        "/tmp/token",
        "/usr/local/bin/token",
        "/lib/x/token",
    ] {
        let message = refused(&served(&[("agent-token-path", path)]));
        assert!(message.starts_with("kms.alibabacloud/agent-token-path: "), "{message}");
    }
    for (path, why) in [
        ("/etc/token", "a container needs"),
        ("/run/secrets/token", "a container needs"),
        ("/usr/bin/x/token", "programs"),
        ("/kms-env/token", "environment variables"),
    ] {
        let message = refused(&served(&[("agent-token-path", path)]));
        assert!(message.contains(why), "{message}");
    }
    for path in [
        "/mnt/secrets-store/token",
        "/mnt/secrets-store/a/token",
        "/mnt/token",
        "/etc/kms-ca/token",
        "/secrets-injector/token",
    ] {
        let message = refused(&served(&[("agent-token-path", path)]));
        assert!(message.contains("where something else of ours lies"), "{message}");
    }
}

#[test]
fn an_agent_that_would_serve_nothing_is_refused() {
    let only_parameters = pod(&[("mode", "agent"), ("secrets", "t: oos://app-token")]);
    assert!(refused(&only_parameters).starts_with("kms.alibabacloud/agent-secrets: "));
    let message = refused(&pod(&[("mode", "agent")]));
    assert!(message.contains("nothing to fetch") && message.contains("agent-secrets"), "{message}");
}

#[test]
fn how_an_agent_works_without_one_is_a_problem() {
    for (key, value) in [
        ("agent-secrets", "*"),
        ("agent-port", "2025"),
        ("agent-cache-ttl", "1m"),
        ("agent-cache-size", "10"),
        ("agent-max-connections", "10"),
        ("agent-response-type", "0"),
        ("agent-token-path", "/var/run/kmstoken/token"),
    ] {
        for mode in ["init", "refresh"] {
            let message = refused(&pod(&[SECRETS, ("mode", mode), (key, value)]));
            assert!(message.starts_with(&format!("kms.alibabacloud/{key}: ")), "{message}");
            assert!(message.contains("mode to agent"), "{message}");
        }
    }
}

#[test]
fn a_bad_pattern_is_the_only_problem_that_is_told_of_it() {
    let message = refused(&pod(&[("mode", "agent"), ("agent-secrets", "oos://x")]));
    assert!(message.contains("KMS secrets only") && !message.contains("problems)"), "{message}");
}

#[test]
fn a_missing_region_and_other_mistakes_are_found_at_once() {
    let settings = crate::support::settings_with(&["region="]);
    let review = crate::support::review(&alone(&[("timeout", "soon")]));
    let answer = crate::support::ask_with(&review, &settings);
    let lines: Vec<_> = answer.message().lines().skip(1).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("- kms.alibabacloud/timeout: "), "{lines:?}");
    assert!(lines[1].starts_with("- kms.alibabacloud/region: no region"), "{lines:?}");
}

#[test]
fn a_region_must_be_known() {
    let settings = crate::support::settings_with(&["region="]);
    let review = crate::support::review(&alone(&[]));
    let answer = crate::support::ask_with(&review, &settings);
    assert!(answer.message().starts_with("kms.alibabacloud/region: "), "{}", answer.message());
    let review = crate::support::review(&alone(&[("region", "cn-beijing")]));
    assert_eq!(crate::support::ask_with(&review, &settings).response["allowed"], true);
    // The region of an object will do for the agent too.
    let listed = "- {objectName: app/db, objectAlias: db, region: cn-beijing}";
    let review = crate::support::review(&pod(&[("mode", "agent"), ("secrets", listed)]));
    let answer = crate::support::ask_with(&review, &settings);
    assert!(answer.patch().to_string().contains("kms-agent"));
}

#[test]
fn the_memory_limit_has_room_for_what_it_keeps_and_for_its_clients() {
    let limit = |pod: &Value| {
        let after = injected(pod);
        sidecar(&after, "initContainers")["resources"]["limits"]["memory"].clone()
    };
    // The fetcher's own and a volume of 1Mi, 8Mi of answers, 64Ki for each connection.
    let kib = |connections: u32| (32 + 1 + 8) * 1024 + 64 * connections;
    assert_eq!(limit(&alone(&[])), json!(format!("{}Mi", kib(800) / 1024)));
    let few = [("agent-max-connections", "1")];
    assert_eq!(limit(&alone(&few)), json!(format!("{}Ki", kib(1))));
    let own = [("resources.limits.memory", "50Mi")];
    assert_eq!(limit(&alone(&own)), json!("50Mi"));
}

#[test]
fn a_changed_mode_takes_the_token_from_consumers() {
    let mut changed = injected(&served(&[]));
    changed["metadata"]["annotations"]["kms.alibabacloud/mode"] = json!("refresh");
    let after = injected(&changed);
    let mounts = after["spec"]["containers"][0]["volumeMounts"].as_array().unwrap();
    assert!(mounts.iter().all(|mount| mount["name"] != "kms-agent"), "{mounts:?}");
    assert!(unchanged(&after), "{}", ask(&after).patch());
}

#[test]
fn nobody_else_writes_where_the_token_lies() {
    let mut after = injected(&served(&[]));
    after["spec"]["containers"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "later", "volumeMounts": [{"name": "kms-agent", "mountPath": "/t"}]}));
    let message = refused(&after);
    assert!(message.contains("container \"later\": it mounts the secrets writable"), "{message}");
    // A consumer's own is set back.
    let mut edited = injected(&served(&[]));
    let mounts = edited["spec"]["containers"][0]["volumeMounts"].as_array_mut().unwrap();
    let mount = mounts.iter_mut().find(|mount| mount["name"] == "kms-agent").unwrap();
    mount["readOnly"] = json!(false);
    assert_eq!(injected(&edited), injected(&served(&[])));
}
