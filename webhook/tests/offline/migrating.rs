//! The manifests of `examples/migrating`: what is injected is what the old component gave.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::support::{Run, secrets_webhook};

/// The file of a name in `examples/migrating`.
fn place(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/migrating");
    folder.join(format!("{name}.yaml")).into_os_string().into_string().unwrap()
}

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

fn read(name: &str) -> Vec<Value> {
    documents(&std::fs::read_to_string(place(name)).unwrap())
}

fn run(command: &str, name: &str) -> Run {
    let settings = place("csi-keys-settings");
    // The ServiceAccount of all of them stands in one.
    let account = place("csi-files-old");
    let mut args = vec![command, "-f", &account];
    let manifest = place(name);
    args.extend(["-f", &manifest, "--settings", &settings]);
    // Classes are read where the operator says so.
    args.extend(["--setting", "secretProviderClasses=read"]);
    secrets_webhook(&args, "")
}

/// The Pod template of a workload.
fn template(document: &Value) -> Option<&Value> {
    ["/spec/jobTemplate/spec/template", "/spec/template"].iter().find_map(|at| document.pointer(at))
}

/// The one Pod template of a manifest.
fn pod(documents: &[Value]) -> &Value {
    let mut templates = documents.iter().filter_map(template);
    let only = templates.next().unwrap();
    assert_eq!(templates.next(), None);
    only
}

/// The Pod template of a manifest as the webhook changes it.
fn injected(name: &str) -> Value {
    let Run { code, stdout, stderr } = run("inject", name);
    assert_eq!(code, 0, "{name}: {stdout}{stderr}");
    let status = "/metadata/annotations/kms.alibabacloud~1status";
    let all = documents(&stdout);
    all.iter().filter_map(template).find(|pod| pod.pointer(status).is_some()).unwrap().clone()
}

/// What the fetcher of an injected Pod is to do.
fn plan(pod: &Value) -> Value {
    let env = pod["spec"]["initContainers"][0]["env"].as_array().unwrap();
    let variable = env.iter().find(|it| it["name"] == "SECRETS_INJECTOR_PLAN").unwrap();
    serde_json::from_str(variable["value"].as_str().unwrap()).unwrap()
}

/// What is fetched for each name: a source, and the part of its value that is wanted.
type Wanted = BTreeMap<String, (String, Option<String>)>;

/// What a plan wants for the things of a list in it.
fn wanted(plan: &Value, list: &Value) -> Wanted {
    let mut wanted = Wanted::new();
    for it in list.as_array().unwrap() {
        let lookup = usize::try_from(it["from"].as_u64().unwrap()).unwrap();
        let source = plan["lookups"][lookup]["source"].as_str().unwrap().to_owned();
        let part = it["select"].as_str().map(str::to_owned);
        wanted.insert(it["name"].as_str().unwrap().to_owned(), (source, part));
    }
    wanted
}

fn class(documents: &[Value]) -> &Value {
    documents.iter().find(|it| it["kind"] == "SecretProviderClass").unwrap()
}

/// The files of a class as the CSI provider's documents describe them: each object is a file, and
/// so is each of its extracts; `/` in a name is replaced.
fn files_of_the_provider(class: &Value) -> Wanted {
    let parameters = &class["spec"]["parameters"];
    let objects: Value = serde_saphyr::from_str(parameters["objects"].as_str().unwrap()).unwrap();
    let instead = parameters["pathTranslation"].as_str().unwrap_or("_");
    let mut files = Wanted::new();
    for object in objects.as_array().unwrap() {
        let field = |name: &str| object[name].as_str();
        let name = field("objectName").unwrap();
        let scheme = field("objectType").unwrap_or("kms");
        let stage = field("objectVersionLabel").map(|it| format!("?stage={it}"));
        let version = field("objectVersion").map(|it| format!("?version={it}"));
        let which = stage.or(version).unwrap_or_default();
        let source = format!("{scheme}://{name}{which}");
        let called = |name: &str| name.replace('/', instead);
        let file = called(field("objectAlias").unwrap_or(name));
        files.insert(file, (source.clone(), None));
        for extract in object["jmesPath"].as_array().into_iter().flatten() {
            let file = called(extract["objectAlias"].as_str().unwrap());
            let path = extract["path"].as_str().unwrap().to_owned();
            files.insert(file, (source.clone(), Some(path)));
        }
    }
    files
}

/// Where an old Pod mounts the volume of the driver.
fn mount_of_the_driver(pod: &Value) -> &Value {
    let volumes = pod["spec"]["volumes"].as_array().unwrap();
    let volume = volumes.iter().find(|it| it["csi"].is_object()).unwrap();
    let mounts = pod["spec"]["containers"][0]["volumeMounts"].as_array().unwrap();
    &mounts.iter().find(|it| it["name"] == volume["name"]).unwrap()["mountPath"]
}

#[test]
fn each_step_of_a_move_is_admitted() {
    for (name, told) in [
        ("csi-files-beside", ""),
        ("csi-files-new", ""),
        ("csi-class-new", ""),
        ("csi-variables-new", "variables of app are set for its main process"),
        ("csi-keys-new", ""),
        ("agent-sidecar-beside", ""),
        ("agent-sidecar-new", ""),
        ("agent-sidecarset-new", ""),
        ("agent-injector-new", ""),
    ] {
        let Run { code, stdout, stderr } = run("check", name);
        assert_eq!((code, stderr.as_str()), (0, ""), "{name}: {stdout}");
        let mut lines: Vec<_> = stdout.lines().collect();
        assert_eq!(lines.pop(), Some("2 Pod templates checked, 1 annotated"), "{name}");
        assert_eq!(lines.len(), usize::from(!told.is_empty()), "{name}: {stdout}");
        assert!(stdout.contains(told), "{name}: {stdout}");
    }
}

#[test]
fn the_files_that_the_csi_provider_wrote_are_injected_with_their_names_and_sources() {
    for (old, new) in [
        ("csi-files-old", "csi-files-beside"),
        ("csi-files-old", "csi-files-new"),
        ("csi-keys-old", "csi-keys-new"),
    ] {
        let before = read(old);
        let pod_now = injected(new);
        let list = &pod_now["metadata"]["annotations"]["kms.alibabacloud/secrets"];
        let class = class(&before);
        assert_eq!(*list, class["spec"]["parameters"]["objects"], "{new}: letter for letter");
        let plan = plan(&pod_now);
        assert_eq!(wanted(&plan, &plan["files"]), files_of_the_provider(class), "{new}");
        let same_place = plan["mount"] == *mount_of_the_driver(pod(&before));
        assert_eq!(same_place, !new.ends_with("-beside"), "{new}: {}", plan["mount"]);
    }
}

#[test]
fn a_class_that_is_named_gives_the_plan_of_its_list() {
    assert_eq!(plan(&injected("csi-class-new")), plan(&injected("csi-files-new")));
}

#[test]
fn the_variable_that_a_synchronised_secret_held_is_of_the_same_object() {
    let before = read("csi-variables-old");
    let class = class(&before);
    let entry = &pod(&before)["spec"]["containers"][0]["env"][0];
    let reference = &entry["valueFrom"]["secretKeyRef"];
    let secrets = class["spec"]["secretObjects"].as_array().unwrap();
    let secret = secrets.iter().find(|it| it["secretName"] == reference["name"]).unwrap();
    let keys = secret["data"].as_array().unwrap();
    let key = keys.iter().find(|it| it["key"] == reference["key"]).unwrap();
    let object = files_of_the_provider(class).remove(key["objectName"].as_str().unwrap());

    let plan = plan(&injected("csi-variables-new"));
    let name = entry["name"].as_str().unwrap().to_owned();
    assert_eq!(wanted(&plan, &plan["env"]["variables"]), Wanted::from([(name, object.unwrap())]));
}

#[test]
fn of_an_application_that_moved_nothing_changes_but_what_it_no_longer_needs() {
    for (old, new) in [
        ("csi-files-old", "csi-files-new"),
        ("csi-files-old", "csi-class-new"),
        ("csi-variables-old", "csi-variables-new"),
        ("csi-keys-old", "csi-keys-new"),
        ("agent-sidecar-old", "agent-sidecar-new"),
        ("agent-sidecarset-old", "agent-sidecarset-new"),
        ("agent-injector-old", "agent-injector-new"),
    ] {
        let kept = |name: &str| {
            let documents = read(name);
            let mut spec = pod(&documents)["spec"].clone();
            let fields = spec.as_object_mut().unwrap();
            let driver = fields.remove("volumes").is_some() && name.starts_with("csi-");
            let containers = fields["containers"].as_array_mut().unwrap();
            containers.retain(|it| it["name"] != "kmsagent");
            let application = containers[0].as_object_mut().unwrap();
            if driver {
                application.remove("volumeMounts");
                application.remove("env");
            }
            spec
        };
        assert_eq!(kept(new), kept(old), "{new}");
        let text = std::fs::read_to_string(place(new)).unwrap();
        assert!(!text.contains("secrets-store.csi.k8s.io"), "{new}");
        assert!(!text.contains("kms-agent-webhook-injector"), "{new}");
    }
}

#[test]
fn the_injected_agent_is_where_clients_of_the_kms_agent_look() {
    for name in ["agent-sidecar-new", "agent-sidecarset-new", "agent-injector-new"] {
        let pod = injected(name);
        let agent = &plan(&pod)["mode"]["agent"];
        assert_eq!(agent["port"], 2025, "{name}");
        assert_eq!(agent["token"], "/var/run/kmstoken/token", "{name}");
        let application = &pod["spec"]["containers"][0];
        let mounts = application["volumeMounts"].as_array().unwrap();
        assert_eq!(mounts.len(), 1, "{name}: {application}");
        assert_eq!(mounts[0]["mountPath"], "/var/run/kmstoken", "{name}");
        assert_eq!(mounts[0]["name"], "kms-agent", "{name}");
    }
}

#[test]
fn two_agents_beside_each_other_share_neither_port_nor_token() {
    let pod = injected("agent-sidecar-beside");
    let agent = &plan(&pod)["mode"]["agent"];
    assert_eq!(agent["port"], 2026);
    let before = read("agent-sidecar-old");
    let old = self::pod(&before)["spec"]["containers"].as_array().unwrap();
    let now = pod["spec"]["containers"].as_array().unwrap();
    assert_eq!(now[0], old[0], "the old sidecar gets nothing");
    let mut mounts = old[1]["volumeMounts"].as_array().unwrap().clone();
    let token = now[1]["volumeMounts"].as_array().unwrap();
    assert_eq!(token.len(), mounts.len() + 1);
    mounts.push(token.last().unwrap().clone());
    assert_eq!(*token, mounts, "the old token stays beside the new one");
    let new = token.last().unwrap()["mountPath"].as_str().unwrap();
    assert_eq!(agent["token"], format!("{new}/token"));
}

#[test]
fn keys_are_no_way_in_without_the_operators_rule() {
    let name = place("csi-keys-new");
    let Run { code, stdout, .. } = secrets_webhook(&["check", "-f", &name], "");
    assert_eq!(code, 1, "{stdout}");
    assert!(stdout.contains("secret/alibaba-credentials"), "{stdout}");
}
