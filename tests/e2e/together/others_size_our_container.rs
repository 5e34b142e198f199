//! Another webhook sizes every container, as an autoscaler does. What it says of ours stays, wherever
//! it stands and whether or not it is asked again: one that is undone would have the Pod evicted.

use serde_json::{Value, json};

use crate::other_injector::{Again, OtherInjector, Turn};
use crate::pods::{OURS, annotated, app, container, password_sum};
use crate::stage::Namespace;

const SHOW: &str = "sha256sum < /mnt/secrets-store/password";

fn amounts() -> Value {
    json!({
        "requests": { "cpu": "25m", "memory": "80Mi" },
        "limits": { "cpu": "500m", "memory": "160Mi" },
    })
}

fn sizes(pod: &mut Value) {
    for list in ["initContainers", "containers"] {
        for container in pod["spec"][list].as_array_mut().into_iter().flatten() {
            container["resources"] = amounts();
        }
    }
}

#[test]
fn and_its_word_stays() {
    for (story, turn, again) in [
        ("sized-before", Turn::BeforeUs, Again::IfNeeded),
        ("sized-after", Turn::AfterUs, Again::Never),
        ("sized-last", Turn::AfterUs, Again::IfNeeded),
    ] {
        let place = Namespace::opted_in(story);
        let _other = OtherInjector::start(&place, turn, again, sizes);
        let beside = [("mode", "refresh"), ("native-sidecar", "false")];
        let (pod, _) = place.admitted(&annotated(app("web", SHOW), &beside));
        for name in [OURS, "kms-secrets", "app"] {
            assert_eq!(container(&pod, name)["resources"], amounts(), "{story}: {name}");
        }
        place.create(&app("web", SHOW));
        place.succeeded("web");
        assert_eq!(place.logs("web", "app"), password_sum());
        assert_eq!(container(&place.get("pod/web"), OURS)["resources"], amounts(), "{story}");
    }
}

/// What leaves no room for the fetcher is not: the Pod would fail for it.
#[test]
fn unless_it_leaves_no_room_for_the_fetcher() {
    let place = Namespace::opted_in("sized-small");
    let (clean, _) = place.admitted(&app("web", SHOW));
    let _other = OtherInjector::start(&place, Turn::AfterUs, Again::Never, |pod| {
        for container in pod["spec"]["initContainers"].as_array_mut().into_iter().flatten() {
            let least = json!({ "cpu": "1m", "memory": "1Mi" });
            container["resources"] = json!({ "requests": least, "limits": least });
        }
    });
    place.create(&app("web", SHOW));
    place.succeeded("web");
    let pod = place.get("pod/web");
    assert_eq!(container(&pod, OURS)["resources"], container(&clean, OURS)["resources"]);
}
