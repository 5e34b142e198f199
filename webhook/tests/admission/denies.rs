use serde_json::{Value, json};
use webhook::settings::Settings;

use crate::support::{ask, ask_with, pod, review, settings, settings_with};

fn denied(pod: &Value) -> String {
    ask(pod).message().to_owned()
}

#[test]
fn a_denial_names_annotation_line_problem_and_remedy() {
    let message =
        denied(&pod(&[("secrets", "a: kms://x\nb: {source: kms://y, fileMode: 0400}\n")]));
    assert_eq!(
        message,
        "kms.alibabacloud/secrets, line 2, file \"b\", fileMode: 0400 is a bare number, which YAML readers understand differently; write it quoted: fileMode: \"0400\""
    );
}

#[test]
fn all_problems_of_all_annotations_come_at_once() {
    let message = denied(&pod(&[
        ("secrets", "a: s3://x\n../b: kms://y\n"),
        ("secretz", "x"),
        ("timeout", "forever"),
        ("region", "cn-hangzhuo"),
        ("kms-endpoint", "http://169.254.169.254/"),
    ]));
    for words in [
        "s3://",
        "../b",
        "did you mean kms.alibabacloud/secrets?",
        "timeout",
        "did you mean cn-hangzhou?",
        "host only",
    ] {
        assert!(message.contains(words), "{words}: {message}");
    }
    let first = message.lines().next().unwrap();
    assert!(first.chars().count() <= 200 && first.ends_with("(1 of 6 problems)"), "{first}");
}

#[test]
fn our_annotations_without_a_secret_are_nothing_to_fetch() {
    assert!(denied(&pod(&[("mount-path", "/x")])).contains("nothing to fetch"));
    assert!(denied(&pod(&[("secrets", "")])).contains("names no secret"));
}

#[test]
fn an_unknown_identity_says_where_to_put_one() {
    let mut pod = pod(&[("secrets", "a: b")]);
    pod["metadata"]["annotations"].as_object_mut().unwrap().remove("kms.alibabacloud/role-arn");
    let message = denied(&pod);
    assert!(message.contains("ServiceAccount \"checkout\": no RAM role is known"), "{message}");
    assert!(message.contains("ack.alibabacloud.com/role-arn"), "{message}");
}

#[test]
fn an_unknown_region_or_provider_says_who_can_set_it() {
    let answer = ask_with(&review(&pod(&[("secrets", "a: b")])), &Settings::default());
    let message = answer.message();
    assert!(message.contains("kms.alibabacloud/region"), "{message}");
    assert!(message.contains("clusterId"), "{message}");
}

#[test]
fn a_dedicated_gateway_needs_a_ca() {
    let pod = pod(&[("secrets", "a: {source: b, endpoint: kst-1.cryptoservice.kms.aliyuncs.com}")]);
    let never = settings_with(&["publishedCa=never"]);
    let answer = ask_with(&review(&pod), &never);
    assert!(answer.message().contains("ca-config-map"), "{}", answer.message());
    assert!(answer.message().contains("gatewayCa"), "{}", answer.message());
}

#[test]
fn shapes_that_cannot_work_are_refused_in_their_own_words() {
    let with = |pointer: &str, value: Value| {
        let mut pod = pod(&[("secrets", "a: b")]);
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        pod.pointer_mut(parent).unwrap()[key] = value;
        denied(&pod)
    };
    for (pointer, value, words) in [
        ("/spec/os", json!({"name": "windows"}), "Windows"),
        ("/spec/nodeSelector", json!({"kubernetes.io/os": "windows"}), "Windows"),
        (
            "/spec/volumes",
            json!([{"name": "kms-secrets", "emptyDir": {}}]),
            "volume \"kms-secrets\": the name is reserved",
        ),
        (
            "/spec/volumes",
            json!([{"name": "kms-rrsa-token", "hostPath": {"path": "/"}}]),
            "kms-rrsa-token",
        ),
        (
            "/spec/initContainers",
            json!([{"name": "kms-secrets-init", "image": "x"}]),
            "container \"kms-secrets-init\": the name is reserved",
        ),
        (
            "/spec/initContainers",
            json!([{"name": "kms-secrets-init", "env": [{"name": "SECRETS_INJECTOR_PLAN", "value": "{}"}]}]),
            "reserved",
        ),
        (
            "/spec/containers",
            json!([{"name": "kms-secrets"}]),
            "container \"kms-secrets\": the name is reserved",
        ),
        (
            "/spec/containers",
            json!([{"name": "app", "volumeMounts": [{"name": "kms-secrets", "mountPath": "/x"}]}]),
            "mounts the volume \"kms-secrets\"",
        ),
        (
            "/spec/containers",
            json!([{"name": "app", "volumeMounts": [{"name": "kms-rrsa-token", "mountPath": "/x"}]}]),
            "mounts the volume \"kms-rrsa-token\"",
        ),
        (
            "/spec/containers",
            json!([{"name": "app", "volumeMounts": [{"name": "kms-agent", "mountPath": "/x"}]}]),
            "mounts the volume \"kms-agent\"",
        ),
        (
            "/spec/containers",
            json!([{"name": "app", "volumeMounts": [{"name": "own", "mountPath": "/mnt/secrets-store"}]}]),
            "the volume \"own\" is already mounted",
        ),
        (
            "/spec/containers",
            json!([{"name": "app", "volumeMounts": [{"name": "own", "mountPath": "/mnt/secrets-store/sub/"}]}]),
            "already mounted",
        ),
        // The same place, written otherwise: the kubelet takes each.
        (
            "/spec/containers",
            json!([{"name": "app", "volumeMounts": [{"name": "own", "mountPath": "mnt/secrets-store"}]}]),
            "already mounted at mnt/secrets-store",
        ),
        (
            "/spec/containers",
            json!([{"name": "app", "volumeMounts": [{"name": "own", "mountPath": "/./mnt//secrets-store/x"}]}]),
            "already mounted",
        ),
        (
            "/spec/containers",
            json!([{"name": "app", "volumeMounts": [{"name": "own", "mountPath": "/data/../mnt"}]}]),
            "write its mountPath without `..`",
        ),
        (
            "/spec/containers",
            json!([{"name": "app"}, {"name": "app"}]),
            "container \"app\": the Pod has two containers of this name; give one",
        ),
        ("/spec/containers", json!([]), "no container would get the secrets"),
    ] {
        let message = with(pointer, value);
        assert!(message.contains(words), "{words}: {message}");
    }
}

#[test]
fn the_csi_volume_at_the_mount_path_has_its_own_message() {
    let mut pod = pod(&[("secrets", "a: b")]);
    pod["spec"]["volumes"] =
        json!([{"name": "store", "csi": {"driver": "secrets-store.csi.k8s.io", "readOnly": true}}]);
    pod["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "store", "mountPath": "/mnt/secrets-store", "readOnly": true}]);
    let message = denied(&pod);
    assert!(message.contains("the CSI volume \"store\" is already mounted"), "{message}");
    assert!(message.contains("remove the CSI volume"), "{message}");
}

#[test]
fn a_mount_path_hides_nothing_of_the_container_and_nothing_of_ours() {
    for (path, words) in [
        ("/usr/bin", "programs"),
        ("/usr/lib/x", "programs"),
        ("/etc", "a container needs"),
        ("/run/secrets/kubernetes.io/serviceaccount", "a container needs"),
        ("/kms-env/x", "environment variables"),
        ("/secrets-injector", "something else of ours lies (/secrets-injector)"),
        ("/secrets-injector/x", "something else of ours lies (/secrets-injector)"),
        ("/secrets-exec", "something else of ours lies (/secrets-exec)"),
        ("/etc/kms-ca", "something else of ours lies (/etc/kms-ca)"),
    ] {
        let message = denied(&pod(&[("secrets", "a: b"), ("mount-path", path)]));
        assert!(message.starts_with("kms.alibabacloud/mount-path: "), "{message}");
        assert!(message.contains(words), "{words}: {message}");
    }
    for path in ["/usr/local/app/conf", "/etc/app", "/run/secrets/app", "/secrets"] {
        assert_eq!(
            ask(&pod(&[("secrets", "a: b"), ("mount-path", path)])).response["allowed"],
            true,
            "{path}"
        );
    }
}

#[test]
fn a_container_that_may_trace_is_refused_with_shared_processes() {
    for (pod_field, security) in [
        ("shareProcessNamespace", json!({"capabilities": {"add": ["SYS_PTRACE"]}})),
        ("hostPID", json!({"privileged": true})),
        ("hostPID", json!({"capabilities": {"add": ["ALL"]}})),
        ("hostPID", json!({"capabilities": {"add": ["KILL", "CAP_ALL"]}})),
        ("shareProcessNamespace", json!({"capabilities": {"add": ["CAP_SYS_PTRACE"]}})),
        // Container runtimes ignore case.
        ("shareProcessNamespace", json!({"capabilities": {"add": ["sys_ptrace"]}})),
        ("hostPID", json!({"capabilities": {"add": ["Cap_Sys_Ptrace"]}})),
        ("hostPID", json!({"capabilities": {"add": ["all"]}})),
        ("shareProcessNamespace", json!({"capabilities": {"add": ["SYS_ADMIN"]}})),
        ("shareProcessNamespace", json!({"capabilities": {"add": ["KILL", "CAP_PERFMON"]}})),
        ("shareProcessNamespace", json!({"capabilities": {"add": ["bpf"]}})),
        ("shareProcessNamespace", json!({"capabilities": {"add": ["SYS_MODULE"]}})),
        ("shareProcessNamespace", json!({"capabilities": {"add": ["cap_sys_rawio"]}})),
        ("hostPID", json!({"capabilities": {"add": ["CHECKPOINT_RESTORE"]}})),
        ("shareProcessNamespace", json!({"windowsOptions": {"hostProcess": true}})),
    ] {
        let mut pod = pod(&[("secrets", "a: b")]);
        pod["spec"]["containers"][0]["securityContext"] = security;
        assert_eq!(ask(&pod).response["allowed"], true);
        pod["spec"][pod_field] = json!(true);
        assert!(denied(&pod).contains(pod_field));
        let container = pod["spec"]["containers"][0].take();
        pod["spec"]["containers"][0] = json!({"name": "plain"});
        pod["spec"]["initContainers"] = json!([container]);
        assert!(denied(&pod).contains(pod_field));
    }
    let mut pod = pod(&[("secrets", "a: b")]);
    pod["spec"]["shareProcessNamespace"] = json!(true);
    let harmless = json!({"capabilities": {"add": ["NET_ADMIN", "DAC_READ_SEARCH", "SYS_TIME"]}});
    pod["spec"]["containers"][0]["securityContext"] = harmless;
    assert_eq!(ask(&pod).response["allowed"], true);
}

/// Container runtimes make the name upper-case as Unicode does, and so find ASCII letters where the
/// API server has seen others.
#[test]
fn a_capability_that_is_not_written_in_ascii_letters_is_refused_with_shared_processes() {
    for name in ["\u{17f}YS_PTRACE", "SYS_ADM\u{131}N", "cap_ſys_ptrace", " BPF", "SYS-ADMIN", ""]
    {
        let mut pod = pod(&[("secrets", "a: b")]);
        pod["spec"]["containers"][0]["securityContext"] =
            json!({"capabilities": {"add": ["KILL", name]}});
        assert_eq!(ask(&pod).response["allowed"], true, "{name:?}");
        for pod_field in ["hostPID", "shareProcessNamespace"] {
            pod["spec"][pod_field] = json!(true);
            let message = denied(&pod);
            assert!(message.contains("is not made of ASCII letters and _"), "{name:?}: {message}");
            pod["spec"][pod_field] = json!(false);
        }
    }
}

#[test]
fn consumers_that_do_not_exist_or_are_ours_are_refused() {
    assert!(
        denied(&pod(&[("secrets", "a: b"), ("containers", "ap")])).contains("did you mean app?")
    );
    assert!(
        denied(&pod(&[("secrets", "a: b"), ("containers", "kms-secrets-init")]))
            .contains("is ours")
    );
}

#[test]
fn a_request_above_its_limit_is_refused() {
    let message = denied(&pod(&[("secrets", "a: b"), ("resources.requests.memory", "1Gi")]));
    assert!(message.contains("the request 1Gi is above the limit 33Mi"), "{message}");
    let message = denied(&pod(&[
        ("secrets", "a: b"),
        ("resources.requests.cpu", "0.2"),
        ("resources.limits.cpu", "100m"),
    ]));
    assert!(message.contains("resources.requests.cpu: the request 0.2 is above"), "{message}");
}

#[test]
fn a_mode_that_no_consumer_can_read_is_refused() {
    let mut pod = pod(&[("secrets", "a: b\nc: d\n"), ("file-mode", "0400")]);
    assert_eq!(ask(&pod).response["allowed"], true);
    pod["spec"]["containers"][0]["securityContext"] = json!({"runAsUser": 1000});
    pod["metadata"]["annotations"]["kms.alibabacloud/run-as-user"] = json!("7");
    let message = denied(&pod);
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(message.contains("container \"app\" has uid 1000"), "{message}");
    pod["metadata"]["annotations"]["kms.alibabacloud/secrets"] =
        json!("a: {source: b, fileMode: \"0440\"}");
    pod["metadata"]["annotations"]["kms.alibabacloud/file-mode"] = json!("0444");
    assert_eq!(ask(&pod).response["allowed"], true);
    pod["metadata"]["annotations"]["kms.alibabacloud/secrets"] =
        json!("a: {source: b, fileMode: \"0400\"}");
    assert!(denied(&pod).contains("secrets, line 1, file \"a\": container \"app\" has uid 1000"));
}

#[test]
fn hostile_annotations_end_in_a_bounded_denial() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b]";
    let nested = "[".repeat(60_000);
    let huge = "x: kms://y\n".repeat(24_000);
    let wide: String = (0..4000).map(|index| format!("{index}: s3://{index}\n")).collect();
    let long = format!("{}: kms://x", "n".repeat(300));
    let deep = format!("a: 'kms://x#{}'", "[".repeat(500));
    let control = "\"a\\u0007\": kms://x";
    let turned = "\"a\\u202e\\u2028\": kms://x\n\"\u{2067}b\u{feff}\": kms://x#\u{2066}[";
    for text in [
        bomb,
        &nested,
        &huge,
        &wide,
        &long,
        &deep,
        control,
        turned,
        "\u{0}",
        "- - - - - - - - - - a",
    ] {
        let message = denied(&pod(&[("secrets", text)]));
        assert!(message.len() < 64 * 1024, "{} bytes", message.len());
        assert!(message.chars().all(|c| c == '\n' || printable::is_printable(c)));
        assert!(message.lines().next().unwrap().chars().count() <= 200);
    }
}

#[test]
fn a_plan_too_large_for_the_environment_is_refused() {
    let text: String =
        (0..250).map(|index| format!("f{index}: kms://x{index}{}\n", "y".repeat(185))).collect();
    let external = "e".repeat(1000);
    let message = denied(&pod(&[
        ("secrets", &text),
        ("cross-account-role-arn", "acs:ram::9876543210987654:role/reader"),
        ("external-id", &external),
    ]));
    assert!(message.contains("list fewer secrets"), "{message}");
}

#[test]
fn a_pod_without_an_object_or_of_a_wrong_shape_is_denied() {
    let mut none = review(&pod(&[]));
    none["request"]["object"] = Value::Null;
    assert!(ask_with(&none, &settings()).message().contains("no object"));
    let mut nowhere = review(&pod(&[("secrets", "a: b")]));
    nowhere["request"]["namespace"] = json!("");
    assert!(ask_with(&nowhere, &settings()).message().contains("no namespace"));
    let answer = ask(&json!({"metadata": {"annotations": {"kms.alibabacloud/secrets": "a: b"}},
            "spec": {"containers": "CANARY"}}));
    let message = answer.message();
    assert!(message.contains("cannot be read at line 1, column"), "{message}");
    assert!(!message.contains("CANARY"), "{message}");
}

#[test]
fn what_follows_from_a_problem_is_not_one_more() {
    let message = denied(&pod(&[("secrets", "a: s3://x")]));
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn a_missing_region_is_one_problem_however_many_sources_there_are() {
    let pod = pod(&[("secrets", "a: b\nc: d\ne: f"), ("regoin", "cn-hangzhou")]);
    let settings = settings_with(&["region="]);
    let answer = ask_with(&review(&pod), &settings);
    let message = answer.message();
    assert!(message.contains("no region is known for file \"a\" and 2 more"), "{message}");
    assert!(message.lines().next().unwrap().ends_with("(1 of 2 problems)"), "{message}");
}

#[test]
fn a_volume_that_is_not_the_csi_providers_or_not_in_the_way_is_told_as_it_is() {
    let mut pod = pod(&[("secrets", "a: b")]);
    pod["spec"]["volumes"] = json!([
        {"name": "store", "csi": {"driver": "secrets-store.csi.k8s.io"}},
        {"name": "disk", "csi": {"driver": "diskplugin.csi.alibabacloud.com"}},
        {"name": "own", "emptyDir": {}},
    ]);
    for (volume, path, words) in [
        ("disk", "/mnt/secrets-store", "the volume \"disk\" is already mounted"),
        ("own", "/mnt/secrets-store", "the volume \"own\" is already mounted"),
        ("store", "/mnt/secrets-store/", "\"store\" is already mounted at /mnt/secrets-store/;"),
    ] {
        pod["spec"]["containers"][0]["volumeMounts"] = json!([{"name": volume, "mountPath": path}]);
        assert!(denied(&pod).contains(words), "{}", denied(&pod));
    }
    pod["spec"]["containers"][0]["volumeMounts"] =
        json!([{"name": "own", "mountPath": "/mnt/secrets-store-2"}]);
    assert_eq!(ask(&pod).response["allowed"], true);
}

#[test]
fn a_denial_is_the_senders_mistake() {
    let answer = ask(&pod(&[("secrets", "")]));
    assert_eq!(answer.response["status"]["reason"], "BadRequest");
}

#[test]
fn an_annotation_value_that_is_no_string_is_named_with_everything_else() {
    let mut pod = pod(&[("secrets", "a: oss://x")]);
    let annotations = &mut pod["metadata"]["annotations"];
    annotations["kms.alibabacloud/init-first"] = json!(true);
    annotations["kms.alibabacloud/timeout"] = json!(5);
    annotations["kms.alibabacloud/role-arn"] = Value::Null;
    let message = denied(&pod);
    for words in [
        "init-first: the value is a boolean, and must be a string; put quotes around it",
        "timeout: the value is a number",
        "role-arn: the value is nothing",
        "oss://",
    ] {
        assert!(message.contains(words), "{words}: {message}");
    }
    assert_eq!(message.lines().count(), 1 + 4, "{message}");
    pod["metadata"]["annotations"] = json!({"kms.alibabacloud/secrets": {"a": "kms://b"}});
    let message = denied(&pod);
    assert!(message.contains("the value is a mapping"), "{message}");
    assert!(message.contains("`kms.alibabacloud/secrets: |`"), "{message}");
    assert!(!message.contains("nothing to fetch"), "{message}");
}

#[test]
fn one_cause_is_one_problem() {
    for (annotations, words) in [
        (vec![("secrets", "a: b"), ("role-arn", "foo")], "role ARN"),
        (vec![("secrets", "a: b"), ("oidc-provider-arn", "x")], "provider ARN"),
        (vec![("secrets", "a: b"), ("region", "CN-HANGZHOU")], "region id"),
        (vec![("secrets", "a: {sorce: kms://x}")], "did you mean source?"),
        (vec![("secrets", "a: {source: {x: y}}")], "it is a mapping"),
        (
            vec![(
                "secrets",
                "- objectName: x\n  objectType: oos\n  kmsEndpoint: kms.cn-hangzhou.aliyuncs.com",
            )],
            "does not apply",
        ),
        (
            vec![("secrets", "- objectName: x\n  objectType: oos\n  oosEndpoint: y.z")],
            "oos-endpoint",
        ),
        (vec![("secrets", "{}")], "names no secret"),
        (vec![("secrets", "/etc/passwd: x")], "absolute path"),
        (
            vec![("secrets", "- objectName: x\n  objectAlias: ../y")],
            "\"../y\" leads through other directories",
        ),
        (vec![("secrets", "a: 5")], "5 is a number and no source"),
        (vec![("secrets", "- true")], "true is a boolean and no source"),
        (vec![("secrets", "objects: |\n  - objectName: x")], "leave out the line"),
        (vec![("secrets", "- objectName: kms://x")], "without a scheme"),
        (
            vec![("secrets", "- objectName: x\n  objectType: oos\n  objectVersion: \"101\"")],
            "objectVersion: 101",
        ),
        (
            vec![("secrets", "a: {source: x, fileMode: 256}")],
            "fileMode: \"0400\" is 256 in decimal",
        ),
        (vec![("secrets", "a: {source: x, fileMode: 420}")], "\"0644\" if 420 is decimal"),
        (vec![("secrets", "{f: kms://x#join(',', [a,b])}")], "put quotes around a source"),
        (
            vec![("mount-path", "relative"), ("secrets", "a: b")],
            "write one like /mnt/secrets-store",
        ),
    ] {
        let message = denied(&pod(&annotations));
        assert!(message.contains(words), "{annotations:?}: {message}");
        let again = message.matches("\n- ").count();
        assert!(again <= 1, "{annotations:?}: {message}");
        assert!(!message.contains(" problems)"), "{annotations:?}: {message}");
    }
    let mut only_ours = pod(&[("secrets", "a: b")]);
    only_ours["spec"]["containers"] = json!([{"name": "kms-secrets"}]);
    let mut tampered = pod(&[("secrets", "a: b")]);
    let mount =
        json!([{"name": "kms-secrets", "mountPath": "/mnt/secrets-store", "readOnly": true}]);
    tampered["spec"] = json!({
        "initContainers": [{"name": "kms-secrets-init", "env": [{"name": "SECRETS_INJECTOR_PLAN", "value": "{"}]}],
        "containers": [{"name": "app", "volumeMounts": mount}],
        "volumes": [{"name": "kms-secrets", "emptyDir": {}}],
    });
    for pod in [only_ours, tampered] {
        assert!(!denied(&pod).contains(" problems)"), "{}", denied(&pod));
    }
}
