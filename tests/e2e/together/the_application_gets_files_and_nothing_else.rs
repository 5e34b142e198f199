//! The application has neither our token nor our plan, and our container has no token of the
//! Kubernetes API.

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use crate::cloud;
use crate::node::{Process, claims};
use crate::pods::{annotated, app, with};
use crate::stage::Namespace;

/// All that a container can see of us: environment, mounts, files.
const LOOK: &str = "\
tr '\\0' '\\n' < /proc/1/environ
echo --- mounts
cut -d' ' -f2 /proc/mounts
echo --- files
find / -xdev -path /proc -prune -o -print
find /mnt /run /var/run /tmp
echo --- content
grep -rlE 'SECRETS_INJECTOR|aliyuncs|\"lookups\"' /bin /etc /mnt /run /var /tmp /home /root 2>/dev/null
echo --- end
";

#[test]
fn in_the_applications_container() {
    let place = Namespace::opted_in("nothing-else");
    let pod = app("app", "exec sleep 1000");
    place.create(&with(pod.clone(), "/spec/automountServiceAccountToken", json!(false)));
    place.create(&with(pod, "/metadata/name", json!("default")));
    place.ready("app");
    let seen = place.exec("app", "app", &["sh", "-c", LOOK]);
    assert!(seen.stdout.contains("\n--- end"), "{seen:?}");
    for trace in ["SECRETS_INJECTOR", "kms-", "rrsa", "serviceaccount", "aliyuncs"] {
        assert!(!seen.stdout.contains(trace), "{trace} in: {}", seen.stdout);
    }
    let content = seen.stdout.split("--- content\n").nth(1).unwrap();
    assert_eq!(content, "--- end\n");
    let ours = seen.stdout.lines().filter(|line| line.contains("secrets-store"));
    let mut ours: Vec<_> = ours.filter(|line| !line.contains("/..")).collect();
    ours.sort_unstable();
    ours.dedup();
    assert_eq!(
        ours,
        [
            "/mnt/secrets-store",
            "/mnt/secrets-store/binary",
            "/mnt/secrets-store/db.json",
            "/mnt/secrets-store/password",
            "/mnt/secrets-store/token",
        ]
    );

    // Where the application has a token of the Kubernetes API, it is that and no other.
    place.ready("default");
    let find = "find / -name token -not -path '/proc/*' -not -path '/mnt/*' -type l";
    let tokens = place.exec("default", "app", &["sh", "-c", find]);
    assert_eq!(tokens.stdout, "/var/run/secrets/kubernetes.io/serviceaccount/token\n");
    let token = place.exec("default", "app", &["cat", tokens.stdout.trim()]);
    let audiences = claims(&token.stdout)["aud"].clone();
    let audiences = audiences.as_array().unwrap();
    assert!(!audiences.is_empty() && !audiences.contains(&json!("sts.aliyuncs.com")));
}

#[test]
fn in_our_own_container_while_it_waits() {
    let place = Namespace::opted_in("our-own");
    let secret = cloud::secret("our-own", "lab-canary-Nw5vLr1c");
    // Long enough to look around, and over by itself should this story be cut short.
    cloud::fault(&secret, json!({ "kind": "latency", "millis": 600_000 }));
    let pod = annotated(app("app", "true"), &[("secrets", &format!("own: kms://{secret}"))]);
    place.create(&pod);

    let process = Process::of_init_container(&place, "app", "kms-secrets-init");
    // As the API server admitted it.
    let pod = place.get("pod/app");
    let ours = &pod["spec"]["initContainers"][0];
    let list = |name: &str| ours[name].as_array().unwrap().iter();
    let mounts: Vec<_> = list("volumeMounts").map(|mount| &mount["name"]).collect();
    assert_eq!(mounts, ["kms-secrets", "kms-rrsa-token"]);
    let volumes = pod["spec"]["volumes"].as_array().unwrap();
    let token = volumes.iter().find(|volume| volume["name"] == "kms-rrsa-token").unwrap();
    assert_eq!(
        token["projected"]["sources"],
        json!([{ "serviceAccountToken": {
            "audience": "sts.aliyuncs.com", "expirationSeconds": 3600, "path": "token",
        }}])
    );

    // As the kubelet made it.
    let directory = "/var/run/secrets/kubernetes.io/serviceaccount";
    let mounts = process.mounts();
    let known = [
        "/dev/termination-log",
        "/mnt/secrets-store",
        "/run/secrets/kubernetes.io/serviceaccount",
        directory,
    ];
    assert!(mounts.iter().all(|mount| known.contains(&mount.as_str())), "{mounts:?}");
    assert_eq!(mounts.len(), 2, "{mounts:?}");
    let mut files: Vec<_> = fs::read_dir(process.path(directory))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with(".."))
        .collect();
    files.sort();
    assert_eq!(files, ["token"]);
    let token = fs::read_to_string(process.path(directory).join("token")).unwrap();
    let claims = claims(&token);
    assert_eq!(claims["aud"], json!(["sts.aliyuncs.com"]));
    assert_eq!(claims["sub"], json!(format!("system:serviceaccount:{}:app", place.name)));

    // Without any power, and out of reach for others of its user.
    assert_eq!(process.status("Uid"), "65532 65532 65532 65532");
    assert_eq!(process.status("CapEff"), "0000000000000000");
    assert_eq!(process.status("CapBnd"), "0000000000000000");
    assert_eq!(process.status("NoNewPrivs"), "1");
    assert_eq!(process.status("Seccomp"), "2");
    // The kernel gives /proc/PID of a process that must not be dumped to root.
    let owner = fs::metadata(process.path("/").parent().unwrap().join("environ")).unwrap().uid();
    assert_eq!(owner, 0);
    let core = process.file("limits");
    let core = core.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");

    // What it asks for is in its environment, and no value ever is.
    let environment = process.file("environ");
    assert!(environment.contains("SECRETS_INJECTOR_PLAN=") && environment.contains(&secret));
    assert!(!environment.contains("lab-canary"), "{environment}");
    let told: Value = place.get("pod/app");
    assert!(!told.to_string().contains("lab-canary"));
}
