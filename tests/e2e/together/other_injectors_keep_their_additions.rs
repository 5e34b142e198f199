//! Another injector adds to the same Pods, before us and after us. Its additions to others' containers
//! stay, our container is as it must be, and the Pod runs.

use serde_json::{Value, json};

use crate::other_injector::{Again, OtherInjector, Turn};
use crate::pods::{
    OURS, annotated, app, container, container_mut, named, password_sum, push, shell,
};
use crate::stage::Namespace;

const SHOW: &str = "sha256sum < /mnt/secrets-store/password; ls /other";

/// A sidecar and a volume, and for every container that is there a mount and a variable.
fn adds(pod: &mut Value) {
    mounts_in(pod, |_| true);
}

/// The same, but for the mount in our container.
fn spares_ours(pod: &mut Value) {
    mounts_in(pod, |name| name != OURS);
}

fn mounts_in(pod: &mut Value, mounted: fn(&Value) -> bool) {
    let spec = &mut pod["spec"];
    if named(&spec["volumes"], "other").is_none() {
        push(&mut spec["volumes"], json!({ "name": "other", "emptyDir": {} }));
        push(
            &mut spec["containers"],
            shell("helper", "sha256sum < /mnt/secrets-store/password || true"),
        );
    }
    for list in ["initContainers", "containers"] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            if named(&container["env"], "OTHER").is_some() {
                continue;
            }
            push(&mut container["env"], json!({ "name": "OTHER", "value": "1" }));
            if mounted(&container["name"]) {
                let mount = json!({ "name": "other", "mountPath": "/other" });
                push(&mut container["volumeMounts"], mount);
            }
        }
    }
}

#[track_caller]
fn has_the_additions(pod: &Value, names: &[&str]) {
    for name in names {
        let container = container(pod, name);
        let mount = named(&container["volumeMounts"], "other").unwrap();
        assert_eq!(mount["mountPath"], "/other", "{name}");
        assert_eq!(named(&container["env"], "OTHER").unwrap()["value"], "1", "{name}");
    }
}

/// Nothing of our container is another's.
#[track_caller]
fn ours_is_as_in(wanted: &Value, pod: &Value) {
    assert_eq!(container(pod, OURS), container(wanted, OURS));
}

#[test]
fn those_of_one_before_us() {
    let place = Namespace::opted_in("before-us");
    let web = annotated(app("web", SHOW), &[("containers", "app")]);
    let (clean, _) = place.admitted(&web);
    // Asked again, it finds our container and adds to that one too: we are asked after it.
    let _other = OtherInjector::start(&place, Turn::BeforeUs, Again::IfNeeded, adds);
    place.create(&web);
    place.succeeded("web");
    assert_eq!(place.logs("web", "app"), password_sum());
    let pod = place.get("pod/web");
    has_the_additions(&pod, &["app", "helper"]);
    ours_is_as_in(&clean, &pod);
    assert!(named(&container(&pod, "helper")["volumeMounts"], "kms-secrets").is_none());

    // It was there when we looked first: without a list it is a consumer like any other.
    place.create(&app("all", SHOW));
    place.succeeded("all");
    assert_eq!(place.logs("all", "helper"), password_sum());
}

#[test]
fn those_of_one_after_us() {
    for (story, again, adds) in [
        ("after-us-never", Again::Never, adds as fn(&mut Value)),
        ("after-us-if-needed", Again::IfNeeded, spares_ours),
    ] {
        let place = Namespace::opted_in(story);
        let (clean, _) = place.admitted(&app("web", SHOW));
        let _other = OtherInjector::start(&place, Turn::AfterUs, again, adds);
        let said = place.create(&app("web", SHOW));
        assert!(said.contains("container helper was added later and gets no secrets"), "{said}");
        place.succeeded("web");
        assert_eq!(place.logs("web", "app"), password_sum());
        let pod = place.get("pod/web");
        has_the_additions(&pod, &["app", "helper"]);
        match again {
            Again::Never => ours_is_as_in(&clean, &pod),
            // It has the last word, and the guard lets through what the fetcher does not read.
            Again::IfNeeded => assert!(named(&container(&pod, OURS)["env"], "OTHER").is_some()),
        }
        assert!(named(&container(&pod, "helper")["volumeMounts"], "kms-secrets").is_none());
        let heard = place.logs("web", "helper");
        assert!(!heard.contains(password_sum().trim_end()), "{heard}");
    }
}

/// Something that is mounted there could lie over the program, or be a disk that secrets go to.
#[test]
fn but_no_mount_of_one_that_has_the_last_word_about_our_container() {
    let place = Namespace::opted_in("mounts-last");
    let _other = OtherInjector::start(&place, Turn::AfterUs, Again::IfNeeded, adds);
    let said = place.refused(&app("web", SHOW));
    assert!(said.contains("something else mounted than injection mounts there"), "{said}");
}

#[test]
fn those_of_one_before_us_and_one_after_us() {
    let place = Namespace::opted_in("both-sides");
    let web = annotated(app("web", SHOW), &[("containers", "app")]);
    let (clean, _) = place.admitted(&web);
    let _first = OtherInjector::start(&place, Turn::BeforeUs, Again::IfNeeded, adds);
    let _last = OtherInjector::start(&place, Turn::AfterUs, Again::IfNeeded, |pod| {
        let spec = &mut pod["spec"];
        if named(&spec["initContainers"], "early").is_none() {
            let list = spec["initContainers"].as_array_mut();
            list.unwrap().insert(0, shell("early", "test ! -e /mnt/secrets-store"));
        }
    });
    place.create(&web);
    place.succeeded("web");
    assert_eq!(place.logs("web", "app"), password_sum());
    let pod = place.get("pod/web");
    has_the_additions(&pod, &["app", "helper"]);
    ours_is_as_in(&clean, &pod);
    // It was placed once; whoever goes before it later does.
    assert_eq!(pod["spec"]["initContainers"][0]["name"], "early");
    assert_eq!(pod["spec"]["initContainers"][1]["name"], OURS);
}

#[test]
fn a_container_that_is_added_after_us_gets_secrets_if_it_is_named() {
    let place = Namespace::opted_in("named-later");
    let web = annotated(app("web", SHOW), &[("containers", "app, helper")]);
    // While there is nobody to add it, the guard sees that it is missing in the end.
    let said = place.refused(&web);
    assert!(said.contains("containers names helper, which the Pod does not have"), "{said}");
    let _other = OtherInjector::start(&place, Turn::AfterUs, Again::Never, adds);
    place.create(&web);
    place.succeeded("web");
    for name in ["app", "helper"] {
        assert_eq!(place.logs("web", name), password_sum(), "{name}");
    }
}

#[test]
fn what_it_changes_in_our_container_is_set_back() {
    let place = Namespace::opted_in("set-back");
    let (clean, _) = place.admitted(&app("web", SHOW));
    let _other = OtherInjector::start(&place, Turn::AfterUs, Again::Never, |pod| {
        if named(&pod["spec"]["initContainers"], OURS).is_none() {
            return;
        }
        let replaced = shell(OURS, "echo nothing was fetched");
        let ours = container_mut(pod, OURS);
        for field in ["image", "imagePullPolicy", "command"] {
            ours[field] = replaced[field].clone();
        }
        ours["args"] = json!(["once"]);
        ours["restartPolicy"] = json!("Always");
        ours["terminationMessagePolicy"] = json!("File");
        ours["resources"] = json!({});
        ours["securityContext"] = json!({
            "privileged": true, "runAsUser": 0, "runAsNonRoot": false,
            "capabilities": { "add": ["SYS_ADMIN"] },
            "seccompProfile": { "type": "Unconfined" },
        });
        // The token goes, the memory of the secrets cannot be written, something is in their place.
        ours["volumeMounts"] = json!([
            { "name": "kms-secrets", "mountPath": "/elsewhere", "readOnly": true, "subPath": "x" },
            { "name": "other", "mountPath": "/mnt/secrets-store" },
            { "name": "other", "mountPath": "/other" },
        ]);
        push(&mut ours["env"], json!({ "name": "OTHER", "value": "1" }));
        let app = container_mut(pod, "app");
        app["volumeMounts"] = json!([
            { "name": "kms-secrets", "mountPath": "/mnt/secrets-store" },
            { "name": "other", "mountPath": "/other" },
        ]);
        push(&mut pod["spec"]["volumes"], json!({ "name": "other", "emptyDir": {} }));
    });
    place.create(&app("web", SHOW));
    place.succeeded("web");
    assert_eq!(place.logs("web", "app"), password_sum());
    let pod = place.get("pod/web");
    ours_is_as_in(&clean, &pod);
    let mounts = &container(&pod, "app")["volumeMounts"];
    assert_eq!(named(mounts, "kms-secrets").unwrap()["readOnly"], true);
    assert!(named(mounts, "other").is_some());
}

#[test]
fn a_pod_whose_plan_or_container_it_takes_away_is_refused() {
    let place = Namespace::opted_in("taken-away");
    let _other = OtherInjector::start(&place, Turn::AfterUs, Again::Never, |pod| {
        let name = pod["metadata"]["name"].clone();
        if named(&pod["spec"]["initContainers"], OURS).is_none() {
            return;
        }
        let broken = json!([{ "name": "SECRETS_INJECTOR_PLAN", "value": "{}" }]);
        match name.as_str() {
            Some("no-plan") => container_mut(pod, OURS)["env"] = json!([]),
            Some("broken-plan") => container_mut(pod, OURS)["env"] = broken,
            _ => pod["spec"]["initContainers"] = json!([]),
        }
    });
    let said = place.refused(&app("no-plan", SHOW));
    assert!(said.contains(OURS) && said.contains("carries no plan"), "{said}");
    let said = place.refused(&app("no-container", SHOW));
    assert!(said.contains("it has volumes of an earlier injection, and no container"), "{said}");
    // One that nobody can read may be another release's: it is made anew.
    place.create(&app("broken-plan", "sha256sum < /mnt/secrets-store/password"));
    place.succeeded("broken-plan");
    assert_eq!(place.logs("broken-plan", "app"), password_sum());
}
