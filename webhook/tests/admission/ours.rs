//! What is ours is wholly ours: of what others set on our containers stays what makes them stricter
//! or larger, at our first call, where a Pod brings them along, as at every later one.

use serde_json::{Value, json};
use webhook::settings::Settings;

use crate::support::{
    ask_with, injected, injected_with, ours, pod, review, settings, settings_with, volume,
};

const SIDECAR: &str = "kms-secrets";

/// Every kind of container of ours: the init container, a native sidecar with a probe, an ordinary one.
fn pods() -> [(Value, &'static str, &'static str); 3] {
    let secrets = ("secrets", "db: kms://shop/db");
    let refresh = ("mode", "refresh");
    let beside = ("native-sidecar", "false");
    [
        (pod(&[secrets]), "initContainers", "kms-secrets-init"),
        (pod(&[secrets, refresh, ("metrics-port", "9090")]), "initContainers", SIDECAR),
        (pod(&[secrets, refresh, beside]), "containers", SIDECAR),
    ]
}

fn one_of<'p>(pod: &'p mut Value, list: &str, name: &str) -> &'p mut Value {
    let containers = pod["spec"][list].as_array_mut().unwrap();
    containers.iter_mut().find(|container| container["name"] == name).unwrap()
}

/// The same Pod after the webhook has seen it with this edit of its container.
fn edited(edit: impl Fn(&mut Value), settings: &Settings) -> Vec<(Value, Value)> {
    pods()
        .into_iter()
        .map(|(plain, list, name)| {
            let mut clean = injected_with(&plain, settings);
            let mut changed = clean.clone();
            edit(one_of(&mut changed, list, name));
            assert_ne!(changed, clean);
            let answer = ask_with(&review(&changed), settings);
            assert_eq!(answer.response["allowed"], true, "{}", answer.response);
            if answer.response.get("patch").is_some() {
                changed = injected_with(&changed, settings);
            }
            // Nothing is left to say about it.
            let answer = ask_with(&review(&changed), settings);
            assert!(answer.response.get("patch").is_none(), "{}", answer.patch());
            (one_of(&mut changed, list, name).clone(), one_of(&mut clean, list, name).clone())
        })
        .collect()
}

#[track_caller]
fn goes(field: &str, value: &Value) {
    for (after, clean) in edited(|container| container[field] = value.clone(), &settings()) {
        assert_eq!(after, clean, "{field}: {value}");
    }
}

#[test]
fn foreign_fields_of_our_container_go() {
    for (field, value) in [
        ("envFrom", json!([{"configMapRef": {"name": "more"}}])),
        ("workingDir", json!("/tmp")),
        ("tty", json!(true)),
        ("stdin", json!(true)),
        ("stdinOnce", json!(true)),
        ("terminationMessagePath", json!("/mnt/secrets-store/db")),
        ("terminationMessagePolicy", json!("File")),
        ("ports", json!([{"containerPort": 53, "hostPort": 53}])),
        ("volumeDevices", json!([{"name": "disk", "devicePath": "/dev/disk"}])),
        ("lifecycle", json!({"preStop": {"exec": {"command": ["/secrets-injector", "get"]}}})),
        ("livenessProbe", json!({"exec": {"command": ["false"]}})),
        ("readinessProbe", json!({"exec": {"command": ["false"]}})),
        (
            "restartPolicyRules",
            json!([{"action": "Restart", "exitCodes": {"operator": "In", "values": [0]}}]),
        ),
        ("resizePolicy", json!([{"resourceName": "memory", "restartPolicy": "RestartContainer"}])),
        ("imagePullPolicy", json!("Never")),
        ("image", json!("mirror.example/secrets-injector:1")),
        ("args", json!(["init", "--root", "/"])),
        ("aFieldOfALaterKubernetes", json!({"x": 1})),
    ] {
        goes(field, &value);
    }
}

#[test]
fn foreign_variables_and_mounts_of_our_container_go() {
    let add = |list: &str, entry: Value| {
        let edit = |container: &mut Value| {
            let known = container[list].as_array_mut().unwrap();
            known.insert(0, entry.clone());
            known.push(entry.clone());
        };
        for (after, clean) in edited(edit, &settings()) {
            assert_eq!(after, clean, "{list}: {entry}");
        }
    };
    for name in ["LD_PRELOAD", "LD_LIBRARY_PATH", "HTTPS_PROXY", "SSL_CERT_FILE", "MESH"] {
        add("env", json!({"name": name, "value": "/x"}));
    }
    for path in ["/etc", "/etc/hosts", "/proc", "/dev", "/lib64", "/mesh", "/"] {
        add("volumeMounts", json!({"name": "own", "mountPath": path}));
    }
    for (field, value) in [
        ("mountPropagation", json!("Bidirectional")),
        ("recursiveReadOnly", json!("Disabled")),
        ("subPath", json!("x")),
        ("subPathExpr", json!("$(X)")),
    ] {
        let edit = |container: &mut Value| {
            for mount in container["volumeMounts"].as_array_mut().unwrap() {
                mount[field] = value.clone();
            }
        };
        for (after, clean) in edited(edit, &settings()) {
            assert_eq!(after, clean, "{field}");
        }
    }
}

#[test]
fn whatever_loosens_our_containers_confinement_goes() {
    for (field, value) in [
        ("privileged", json!(true)),
        ("procMount", json!("Unmasked")),
        ("seLinuxOptions", json!({"type": "spc_t"})),
        ("seLinuxOptions", json!({"level": "s0"})),
        ("appArmorProfile", json!({"type": "Unconfined"})),
        ("seccompProfile", json!({"type": "Localhost", "localhostProfile": "loose.json"})),
        ("windowsOptions", json!({"hostProcess": true})),
        ("capabilities", json!({"add": ["SYS_ADMIN"], "drop": ["ALL"]})),
        ("runAsUser", json!(0)),
        ("runAsGroup", json!(0)),
        ("runAsNonRoot", json!(false)),
        ("allowPrivilegeEscalation", json!(true)),
        ("readOnlyRootFilesystem", json!(false)),
        ("aFieldOfALaterKubernetes", json!("x")),
    ] {
        let edit = |container: &mut Value| container["securityContext"][field] = value.clone();
        for (after, clean) in edited(edit, &settings()) {
            assert_eq!(after, clean, "{field}");
        }
    }
}

#[test]
fn what_the_api_server_writes_by_itself_stays() {
    let edit = |container: &mut Value| {
        container["terminationMessagePath"] = json!("/dev/termination-log");
        container["imagePullPolicy"] = json!("IfNotPresent");
        container["securityContext"]["procMount"] = json!("Default");
        container["resizePolicy"] =
            json!([{"resourceName": "cpu", "restartPolicy": "NotRequired"}]);
        if let Some(probe) = container.get_mut("startupProbe") {
            probe["successThreshold"] = json!(1);
        }
    };
    for (after, clean) in edited(edit, &settings()) {
        let mut wanted = clean;
        edit(&mut wanted);
        assert_eq!(after, wanted);
    }
}

#[test]
fn the_admission_plugin_that_has_every_image_pulled_is_not_undone() {
    for policy in ["", "IfNotPresent", "Never", "Always"] {
        let settings = settings_with(&[&format!("injector.imagePullPolicy={policy}")]);
        for (plain, list, name) in pods() {
            let mut pod = injected_with(&plain, &settings);
            one_of(&mut pod, list, name)["imagePullPolicy"] = json!("Always");
            let answer = ask_with(&review(&pod), &settings);
            assert!(answer.response.get("patch").is_none(), "{policy}: {}", answer.patch());
        }
    }
}

#[test]
fn an_image_of_a_mirror_stays_only_where_the_operator_names_the_mirror() {
    let image = "injector.image=registry.example/team/secrets-injector:1";
    let settings = settings_with(&[image]);
    let mirrored = json!("mirror.example/cache/secrets-injector:1");
    let edit = |image: Value| move |container: &mut Value| container["image"] = image.clone();
    for (after, clean) in edited(edit(mirrored.clone()), &settings) {
        assert_eq!(after["image"], clean["image"]);
    }
    let mirrors = "injector.imageMirrors=mirror.example/cache/secrets-injector";
    let settings = settings_with(&[image, mirrors]);
    for (after, _) in edited(edit(mirrored.clone()), &settings) {
        assert_eq!(after["image"], mirrored);
    }
    let resolved = json!(format!("mirror.example/cache/secrets-injector:1@sha256:{:064x}", 7));
    for (after, _) in edited(edit(resolved.clone()), &settings) {
        assert_eq!(after["image"], resolved);
    }
    for other in [
        "mirror.example/cache/secrets-injector:2",
        "mirror.example/cache/forged:1",
        "mirror.example/cache/secrets-injector:1@sha256:7",
        "mirror.example/cache/secrets-injector:1@forged@sha256:7",
        "mirror.example/cache/secrets-injector:1@forged:1",
    ] {
        for (after, clean) in edited(edit(json!(other)), &settings) {
            assert_eq!(after["image"], clean["image"], "{other}");
        }
    }
}

/// Resources of our container after others have set them, and before.
fn sized(resources: &Value) -> (Value, Value) {
    let edit = |container: &mut Value| container["resources"] = resources.clone();
    let mut each = edited(edit, &settings()).into_iter();
    let (first, clean) = each.next().unwrap();
    for (after, _) in each {
        assert_eq!(after["resources"], first["resources"]);
    }
    (first["resources"].clone(), clean["resources"].clone())
}

#[test]
fn resources_that_others_set_on_our_container_stay() {
    for resources in [
        // An autoscaler's, larger or smaller than ours.
        json!({"requests": {"cpu": "250m", "memory": "500Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}}),
        json!({"requests": {"cpu": "1m", "memory": "8Mi"}, "limits": {"memory": "33Mi"}}),
        json!({"requests": {"cpu": "25m", "memory": "250Mi"}, "limits": {"memory": "250Mi"}}),
        // A limit range's.
        json!({"requests": {"cpu": "10m", "memory": "16Mi", "ephemeral-storage": "1Mi"},
               "limits": {"cpu": "200m", "memory": "33Mi", "ephemeral-storage": "10Mi"}}),
        // As manifests may say it.
        json!({"requests": {"cpu": 1, "memory": 50_000_000}, "limits": {"cpu": 1, "memory": 50_000_000}}),
    ] {
        assert_eq!(sized(&resources).0, resources);
    }
}

#[test]
fn resources_with_which_our_container_could_not_work_become_ours() {
    let (_, ours) = sized(&json!({"limits": {"cpu": "1m"}}));
    for resources in [
        json!({"requests": {"cpu": "1m", "memory": "16Mi"}, "limits": {"cpu": "1m", "memory": "33Mi"}}),
        json!({"limits": {"memory": "1Mi"}, "requests": {"memory": "1Mi"}}),
        json!({"requests": {"cpu": "-1", "memory": "much"}, "limits": {"memory": "0"}}),
        json!({"claims": [{"name": "gpu"}]}),
        json!({"aFieldOfALaterKubernetes": {"cpu": "1"}}),
        json!({}),
    ] {
        assert_eq!(sized(&resources).0, ours, "{resources}");
    }
    // A request is no reason to refuse the Pod: the limit makes room.
    let (after, _) = sized(&json!({"requests": {"memory": "500Mi"}}));
    assert_eq!(
        (&after["requests"]["memory"], &after["limits"]["memory"]),
        (&json!("500Mi"), &json!("500Mi"))
    );
    assert_eq!(after["requests"]["cpu"], "10m");
}

#[test]
fn cpu_and_memory_that_others_replaced_are_not_added_again() {
    let resources = json!({
        "requests": {"kubernetes.io/batch-cpu": "10", "kubernetes.io/batch-memory": "16Mi"},
        "limits": {"kubernetes.io/batch-memory": "33Mi"},
    });
    assert_eq!(sized(&resources).0, resources);
    // A cluster may replace the one and leave the other.
    let one = json!({"requests": {"kubernetes.io/batch-cpu": "10"}});
    let (after, ours) = sized(&one);
    assert_eq!(after["requests"]["kubernetes.io/batch-cpu"], "10");
    assert_eq!(after["requests"]["cpu"], Value::Null);
    assert_eq!(after["limits"]["memory"], ours["limits"]["memory"]);
}

#[test]
fn devices_that_others_give_our_container_go_and_take_nothing_of_ours_with_them() {
    let (_, ours) = sized(&json!({}));
    for device in ["squat.ai/fuse", "vendor.example/device", "hugepages-2Mi"] {
        for mut amounts in [
            json!({}),
            json!({"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "33Mi"}}),
        ] {
            amounts["limits"][device] = json!("1");
            amounts["requests"][device] = json!("1");
            assert_eq!(sized(&amounts).0, ours, "{device}");
        }
    }
}

/// What a container logs counts as its storage, and one that has more is ended with its Pod.
#[test]
fn storage_with_no_room_for_a_log_is_not_kept() {
    let (_, ours) = sized(&json!({}));
    for amounts in [
        json!({"limits": {"ephemeral-storage": "1"}}),
        json!({"limits": {"ephemeral-storage": 1}, "requests": {"ephemeral-storage": 1}}),
        json!({"limits": {"ephemeral-storage": "1023Ki"}}),
    ] {
        assert_eq!(sized(&amounts).0, ours, "{amounts}");
    }
}

#[test]
fn a_guaranteed_pod_stays_guaranteed_whoever_sizes_our_container() {
    let mut plain = pod(&[("secrets", "db: kms://shop/db")]);
    plain["spec"]["containers"][0]["resources"] = json!({"limits": {"cpu": "1", "memory": "1Gi"}});
    let clean = injected(&plain);
    for (resources, cpu, memory) in [
        (json!({"requests": {"cpu": "200m"}, "limits": {"cpu": "1"}}), "1", "33Mi"),
        (json!({"requests": {"memory": "50Mi"}, "limits": {"memory": "50Mi"}}), "100m", "50Mi"),
        (
            json!({"requests": {"cpu": "1m", "memory": "1Mi"}, "limits": {"cpu": "1m", "memory": "1Mi"}}),
            "100m",
            "33Mi",
        ),
        (json!({}), "100m", "33Mi"),
    ] {
        let mut changed = clean.clone();
        one_of(&mut changed, "initContainers", "kms-secrets-init")["resources"] = resources.clone();
        let after = injected(&changed);
        let wanted = json!({"cpu": cpu, "memory": memory});
        let settled = &ours(&after)["resources"];
        assert_eq!(settled, &json!({"requests": wanted, "limits": wanted}), "{resources}");
    }
}

#[test]
fn a_platform_that_assigns_users_assigns_its_category_too() {
    let settings = settings_with(&["uid=platform"]);
    let edit = |container: &mut Value| {
        container["securityContext"]["runAsUser"] = json!(1_000_650_000);
        container["securityContext"]["seLinuxOptions"] = json!({"level": "s0:c25,c15"});
    };
    for (after, clean) in edited(edit, &settings) {
        let mut wanted = clean;
        edit(&mut wanted);
        assert_eq!(after, wanted);
    }
    let edit = |container: &mut Value| {
        container["securityContext"]["runAsUser"] = json!(0);
        container["securityContext"]["seLinuxOptions"] = json!({"level": "s0", "type": "spc_t"});
    };
    for (after, clean) in edited(edit, &settings) {
        let mut wanted = clean;
        wanted["securityContext"]["seLinuxOptions"] = json!({"level": "s0"});
        assert_eq!(after, wanted);
    }
}

#[test]
fn a_container_of_our_name_that_a_pod_brings_along_is_made_ours_at_once() {
    for (plain, list, name) in pods() {
        let clean = injected(&plain);
        let mut brought = plain.clone();
        let mut forged = one_of(&mut clean.clone(), list, name).clone();
        forged["env"].as_array_mut().unwrap().push(json!({"name": "LD_PRELOAD", "value": "/x.so"}));
        forged["volumeMounts"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "own", "mountPath": "/etc"}));
        forged["securityContext"]["procMount"] = json!("Unmasked");
        forged["envFrom"] = json!([{"secretRef": {"name": "own"}}]);
        brought["spec"]["volumes"] = json!([{"name": "own", "emptyDir": {}}]);
        match brought["spec"][list].as_array_mut() {
            Some(containers) => containers.push(forged),
            None => brought["spec"][list] = json!([forged]),
        }
        let mut after = injected(&brought);
        let mut clean = clean;
        assert_eq!(one_of(&mut after, list, name), one_of(&mut clean, list, name));
    }
}

#[test]
fn volumes_of_ours_hold_nothing_of_others() {
    let clean = injected(&pod(&[("secrets", "db: kms://shop/db")]));
    let change = |name: &str, pointer: &str, value: Value| {
        let mut changed = clean.clone();
        let volumes = changed["spec"]["volumes"].as_array_mut().unwrap();
        let volume = volumes.iter_mut().find(|volume| volume["name"] == name).unwrap();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        volume.pointer_mut(parent).unwrap()[field] = value;
        changed
    };
    let defaulted = change("kms-rrsa-token", "/projected/defaultMode", json!(420));
    assert!(ask_with(&review(&defaulted), &settings()).response.get("patch").is_none());
    for (name, pointer, value) in [
        ("kms-rrsa-token", "/projected/defaultMode", json!(0o777)),
        ("kms-secrets", "/emptyDir/aFieldOfALaterKubernetes", json!(true)),
        ("kms-secrets", "/emptyDir/medium", json!("")),
    ] {
        let after = injected(&change(name, pointer, value));
        assert_eq!(volume(&after, name), volume(&clean, name), "{pointer}");
    }
}
