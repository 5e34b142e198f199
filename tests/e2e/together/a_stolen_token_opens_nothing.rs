//! Somebody has the token of the webhook's ServiceAccount. They can do what the webhook does, and
//! that is little: no other Secret, no wider webhook, nothing under another name.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use crate::pods::plain;
use crate::stage::{Namespace, RELEASE, RELEASE_NAMESPACE, cluster, kubectl};

/// What the API server answers to a token alone. Not kubectl, which reads before it writes: every
/// request is to be judged by itself.
struct Bearer {
    token: String,
    server: String,
    ca: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verb {
    Get,
    Post,
    Put,
    Delete,
    JsonPatch,
    MergePatch,
    StrategicPatch,
    /// Server-side apply: makes what is not there.
    Apply,
}

impl Bearer {
    fn of(namespace: &str, account: &str) -> Self {
        let token = kubectl(&["create", "token", account, "--namespace", namespace]).run().unwrap();
        let known = kubectl(&["config", "view", "--raw", "-o", "json"]).json().unwrap();
        let cluster = &known["clusters"][0]["cluster"];
        let text = |key: &str| cluster[key].as_str().unwrap().to_owned();
        let (server, ca) = (text("server"), text("certificate-authority"));
        Self { token: token.trim().to_owned(), server, ca }
    }

    fn of_the_webhook() -> Self {
        Self::of(RELEASE_NAMESPACE, RELEASE)
    }

    /// Status and body of the answer.
    fn ask(&self, verb: Verb, path: &str, body: &Value, headers: &[&str]) -> (u16, Value) {
        let (method, kind) = match verb {
            Verb::Get => ("GET", "application/json"),
            Verb::Post => ("POST", "application/json"),
            Verb::Put => ("PUT", "application/json"),
            Verb::Delete => ("DELETE", "application/json"),
            Verb::JsonPatch => ("PATCH", "application/json-patch+json"),
            Verb::MergePatch => ("PATCH", "application/merge-patch+json"),
            Verb::StrategicPatch => ("PATCH", "application/strategic-merge-patch+json"),
            Verb::Apply => ("PATCH", "application/apply-patch+yaml"),
        };
        let query = if verb == Verb::Apply { "?fieldManager=thief&force=true" } else { "" };
        let mut curl = cluster()
            .inside(Path::new("curl"))
            .args(["-sS", "--max-time", "30", "-w", "\n%{http_code}", "--cacert", &self.ca])
            .args(["-H", &format!("Authorization: Bearer {}", self.token)])
            .args(["-H", &format!("Content-Type: {kind}"), "-X", method])
            .arg(format!("{}{path}{query}", self.server));
        for header in headers {
            curl = curl.args(["-H", header]);
        }
        if !body.is_null() {
            curl = curl.args(["--data-binary", "@-"]).input(body.to_string());
        }
        let said = curl.run().unwrap();
        let (said, status) = said.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), serde_json::from_str(said).unwrap_or(json!(said)))
    }

    #[track_caller]
    fn may_not(&self, verb: Verb, path: &str, body: &Value) -> String {
        let (status, said) = self.ask(verb, path, body, &[]);
        assert_eq!(
            (status, &said["reason"]),
            (403, &json!("Forbidden")),
            "{verb:?} {path}: {said}"
        );
        said["message"].as_str().unwrap().to_owned()
    }

    /// All that it may do in a namespace, as `kubectl auth can-i --list` learns it.
    fn rights(&self, namespace: &str) -> Vec<Value> {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": { "namespace": namespace },
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
        let (status, said) = self.ask(Verb::Post, path, &review, &[]);
        assert_eq!((status, &said["status"]["incomplete"]), (201, &json!(false)), "{said}");
        let rules = ["resourceRules", "nonResourceRules"].map(|rules| &said["status"][rules]);
        rules.into_iter().filter_map(Value::as_array).flatten().cloned().collect()
    }
}

#[test]
fn it_has_the_documented_rights_and_no_other() {
    let place = Namespace::opted_in("rights");
    let everybody = Bearer::of(&place.name, "default").rights(&place.name);
    let rule = |group: &str, resource: &str, names: &[&str], verbs: &[&str]| {
        let mut rule = json!({ "apiGroups": [group], "resources": [resource], "verbs": verbs });
        if !names.is_empty() {
            rule["resourceNames"] = json!(names);
        }
        rule
    };
    let (group, resource) = ("admissionregistration.k8s.io", "mutatingwebhookconfigurations");
    let everywhere = [
        rule("", "serviceaccounts", &[], &["get", "list", "watch"]),
        // Where `settings.secretProviderClasses` is `read`, as it is here.
        rule("secrets-store.csi.x-k8s.io", "secretproviderclasses", &[], &["get"]),
        rule("", "namespaces", &[], &["get"]),
        rule(group, resource, &[RELEASE], &["get", "watch", "patch"]),
    ];
    let certificate = format!("{RELEASE}-certificate");
    let at_home = rule("", "secrets", &[&certificate], &["get", "watch", "patch", "create"]);

    let stolen = Bearer::of_the_webhook();
    let has_exactly = |namespace: &str, documented: &[Value]| {
        let mut rights = stolen.rights(namespace);
        rights.retain(|rule| !everybody.contains(rule));
        let same =
            rights.len() == documented.len() && documented.iter().all(|rule| rights.contains(rule));
        assert!(same, "in {namespace}: {rights:?}, and not {documented:?}");
    };
    for namespace in [place.name.as_str(), "kube-system", "default"] {
        has_exactly(namespace, &everywhere);
    }
    let mut at_home_too = everywhere.to_vec();
    at_home_too.push(at_home);
    has_exactly(RELEASE_NAMESPACE, &at_home_too);
}

fn secret(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name } })
}

#[test]
fn it_reaches_no_other_secret() {
    let place = Namespace::opted_in("secrets");
    let stolen = Bearer::of_the_webhook();
    let another = format!("another-{}", place.name);
    let certificate = format!("{RELEASE}-certificate");
    for namespace in [place.name.as_str(), RELEASE_NAMESPACE] {
        let create = ["create", "secret", "generic", &another, "--namespace", namespace];
        kubectl(&create).run().unwrap();
        let all = format!("/api/v1/namespaces/{namespace}/secrets");
        let one = format!("{all}/{another}");
        for path in [
            one.clone(),
            all.clone(),
            format!("{all}?fieldSelector=metadata.name%3D{another}"),
            format!("{all}?watch=true&timeoutSeconds=1"),
            format!("{all}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3D{another}"),
        ] {
            stolen.may_not(Verb::Get, &path, &Value::Null);
        }
        for path in [&one, &all] {
            stolen.may_not(Verb::Delete, path, &Value::Null);
        }
        for verb in [Verb::MergePatch, Verb::StrategicPatch, Verb::Apply, Verb::Put] {
            stolen.may_not(verb, &one, &secret(&another));
        }
        stolen.may_not(Verb::Post, &all, &secret("new"));
        stolen.may_not(Verb::Apply, &format!("{all}/new"), &secret("new"));
        let delete = ["delete", "secret", &another, "--namespace", namespace];
        kubectl(&delete).run().unwrap();
    }
    stolen.may_not(Verb::Get, "/api/v1/secrets", &Value::Null);
    // The name of its own means nothing elsewhere.
    let elsewhere = format!("/api/v1/namespaces/{}/secrets/{certificate}", place.name);
    stolen.may_not(Verb::Get, &elsewhere, &Value::Null);
    stolen.may_not(Verb::Apply, &elsewhere, &secret(&certificate));
    // That one it can read, by the same kind of request.
    let own = format!("/api/v1/namespaces/{RELEASE_NAMESPACE}/secrets/{certificate}");
    assert_eq!(stolen.ask(Verb::Get, &own, &Value::Null, &[]).0, 200);
    stolen.may_not(Verb::Delete, &own, &Value::Null);
}

/// Deleted by the garbage collector and made again as another type, its own Secret would be given a
/// token that never ends.
#[test]
fn it_makes_nothing_else_of_its_own_secret() {
    let stolen = Bearer::of_the_webhook();
    let certificate = format!("{RELEASE}-certificate");
    let all = format!("/api/v1/namespaces/{RELEASE_NAMESPACE}/secrets");
    let own = format!("{all}/{certificate}");
    let gone = json!({ "apiVersion": "v1", "kind": "Namespace", "name": "gone", "uid": "1" });
    for (field, value) in [
        ("ownerReferences", json!([gone])),
        ("finalizers", json!(["other.example/stay"])),
        ("annotations", json!({ "kubernetes.io/service-account.name": RELEASE })),
        ("labels", json!({ "a": "b" })),
    ] {
        let change = json!({ "metadata": { field: value } });
        for verb in [Verb::MergePatch, Verb::StrategicPatch] {
            let said = stolen.may_not(verb, &own, &change);
            assert!(said.contains("may not change the metadata"), "{said}");
        }
        let mut whole = secret(&certificate);
        whole["metadata"][field] = change["metadata"][field].clone();
        let said = stolen.may_not(Verb::Apply, &own, &whole);
        assert!(said.contains("may not change the metadata"), "{said}");
    }
    let said = stolen.may_not(Verb::MergePatch, &own, &json!({ "immutable": true }));
    assert!(said.contains("nothing but a certificate"), "{said}");
    // Put in its place while it is away, as after the garbage collector.
    let kept = kubectl(&["get", "--raw", &own]).json().unwrap();
    let mut token = secret(&certificate);
    token["type"] = json!("kubernetes.io/service-account-token");
    token["metadata"]["annotations"] = json!({ "kubernetes.io/service-account.name": RELEASE });
    let (status, said) = stolen.ask(Verb::Apply, &own, &token, &[]);
    assert!(status == 403 || status == 422, "{said}");
    assert_eq!(kubectl(&["get", "--raw", &own]).json().unwrap()["data"], kept["data"]);
}

#[test]
fn it_makes_nothing_and_becomes_nobody() {
    let place = Namespace::opted_in("makes");
    let stolen = Bearer::of_the_webhook();
    let label = json!({ "metadata": { "labels": { "a": "b" } } });
    for namespace in [place.name.as_str(), RELEASE_NAMESPACE] {
        let at = format!("/api/v1/namespaces/{namespace}");
        stolen.may_not(Verb::Get, &format!("{at}/pods"), &Value::Null);
        stolen.may_not(Verb::Post, &format!("{at}/pods"), &plain("web", "true"));
        stolen.may_not(Verb::Apply, &format!("{at}/pods/web"), &plain("web", "true"));
        for path in ["pods/web", "pods/web/ephemeralcontainers", "configmaps/any"] {
            stolen.may_not(Verb::StrategicPatch, &format!("{at}/{path}"), &label);
        }
        for account in ["default", RELEASE] {
            let account = format!("{at}/serviceaccounts/{account}");
            stolen.may_not(Verb::MergePatch, &account, &label);
            stolen.may_not(Verb::Delete, &account, &Value::Null);
            stolen.may_not(Verb::Post, &format!("{account}/token"), &json!({ "spec": {} }));
        }
        let bindings = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}");
        stolen.may_not(Verb::Post, &format!("{bindings}/rolebindings"), &json!({}));
        for who in [
            &["Impersonate-User: admin", "Impersonate-Group: system:masters"][..],
            &["Impersonate-User: system:serviceaccount:kube-system:default"],
        ] {
            let (status, said) = stolen.ask(Verb::Get, &format!("{at}/secrets"), &Value::Null, who);
            let message = said["message"].as_str().unwrap();
            assert!(status == 403 && message.contains("cannot impersonate"), "{said}");
        }
        stolen.may_not(Verb::MergePatch, &at, &label);
    }
    let settings = format!("/api/v1/namespaces/{RELEASE_NAMESPACE}/configmaps/{RELEASE}-settings");
    stolen.may_not(Verb::Get, &settings, &Value::Null);
    stolen.may_not(Verb::MergePatch, &settings, &label);
    let webhook = format!("/apis/apps/v1/namespaces/{RELEASE_NAMESPACE}/deployments/{RELEASE}");
    for path in [webhook.clone(), format!("{webhook}/scale")] {
        stolen.may_not(Verb::MergePatch, &path, &label);
    }
    stolen.may_not(Verb::Delete, &webhook, &Value::Null);
    stolen.may_not(
        Verb::Post,
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        &json!({}),
    );
    for (kind, names) in [
        ("validatingadmissionpolicies", ["guard", "exec", "self", "certificate"]),
        ("validatingadmissionpolicybindings", ["guard-deny", "exec", "self", "certificate"]),
    ] {
        for name in names {
            let path = format!("/apis/admissionregistration.k8s.io/v1/{kind}/{RELEASE}-{name}");
            assert!(kubectl(&["get", "--raw", &path]).run().is_ok(), "{path} is not there");
            stolen.may_not(Verb::MergePatch, &path, &label);
            stolen.may_not(Verb::Delete, &path, &Value::Null);
        }
    }
}

const WEBHOOKS: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

fn live() -> Value {
    kubectl(&["get", "--raw", &format!("{WEBHOOKS}/{RELEASE}")]).json().unwrap()
}

#[test]
fn it_widens_no_webhook() {
    let stolen = Bearer::of_the_webhook();
    let before = live();
    let mut wider = before["webhooks"][0]["rules"].clone();
    wider[0]["resources"] = json!(["*"]);
    let mut another = before["webhooks"][0].clone();
    another["name"] = json!("all.kms.alibabacloud");
    let at = |field: &str| format!("/webhooks/0/{field}");
    let set =
        |field: &str, value: Value| json!([{ "op": "add", "path": at(field), "value": value }]);
    let changes = [
        set("rules", wider.clone()),
        set("namespaceSelector", json!({})),
        set("objectSelector", json!({ "matchLabels": { "a": "b" } })),
        set("matchConditions", json!([])),
        set("matchConditions/0/expression", json!("true")),
        set("failurePolicy", json!("Ignore")),
        set("matchPolicy", json!("Exact")),
        set("reinvocationPolicy", json!("Never")),
        set("sideEffects", json!("NoneOnDryRun")),
        set("timeoutSeconds", json!(30)),
        set("admissionReviewVersions", json!(["v1", "v1beta1"])),
        set("name", json!("other.kms.alibabacloud")),
        set("clientConfig/service/name", json!("other")),
        set("clientConfig/service/namespace", json!("default")),
        set("clientConfig/service/path", json!("/")),
        set("clientConfig/service/port", json!(444)),
        json!([
            { "op": "remove", "path": at("clientConfig/service") },
            { "op": "add", "path": at("clientConfig/url"), "value": "https://other.example/" },
        ]),
        json!([{ "op": "add", "path": "/webhooks/-", "value": another }]),
        json!([{ "op": "remove", "path": "/webhooks/0" }]),
        json!([{ "op": "remove", "path": "/webhooks" }]),
    ];
    let own = format!("{WEBHOOKS}/{RELEASE}");
    let may_not = |verb: Verb, change: &Value, words: &str| {
        let said = stolen.may_not(verb, &own, change);
        assert!(said.contains(words), "{change}: {said}");
    };
    const CONTENT: &str = "may change nothing of its configuration but caBundle";
    const METADATA: &str = "may not change the metadata of its configuration";
    for change in &changes {
        may_not(Verb::JsonPatch, change, CONTENT);
    }
    // An owner in the sense of garbage collection could have it deleted.
    let owner = json!({ "apiVersion": "v1", "kind": "Namespace", "name": "gone", "uid": "1" });
    for (field, value) in [
        ("labels", json!({ "a": "b" })),
        ("annotations", json!({ "a": "b" })),
        ("finalizers", json!(["other.example/stay"])),
        ("ownerReferences", json!([owner])),
    ] {
        may_not(Verb::MergePatch, &json!({ "metadata": { field: value } }), METADATA);
    }
    // The other ways to write the same.
    let mut webhook = before["webhooks"][0].clone();
    webhook["rules"] = wider;
    let mut whole = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": { "name": RELEASE },
        "webhooks": [webhook],
    });
    for verb in [Verb::MergePatch, Verb::StrategicPatch, Verb::Apply] {
        may_not(verb, &whole, CONTENT);
    }
    stolen.may_not(Verb::Put, &own, &whole);
    stolen.may_not(Verb::Delete, &own, &Value::Null);
    stolen.may_not(Verb::Delete, WEBHOOKS, &Value::Null);
    stolen.may_not(Verb::Get, WEBHOOKS, &Value::Null);
    whole["metadata"]["name"] = json!("another");
    stolen.may_not(Verb::Apply, &format!("{WEBHOOKS}/another"), &whole);
    stolen.may_not(Verb::Post, WEBHOOKS, &whole);
    whole["kind"] = json!("ValidatingWebhookConfiguration");
    let validating = WEBHOOKS.replace("mutating", "validating");
    stolen.may_not(Verb::Apply, &format!("{validating}/another"), &whole);

    assert_eq!(live()["webhooks"][0]["rules"], before["webhooks"][0]["rules"]);
}

/// By the same kind of request, so that the refusals above are about what was written.
#[test]
fn it_can_change_ca_bundle_as_the_webhook_does() {
    let stolen = Bearer::of_the_webhook();
    let before = live();
    let bundle = before["webhooks"][0]["clientConfig"]["caBundle"].as_str().unwrap();
    let mut pem = STANDARD.decode(bundle).unwrap();
    // One certificate more: calls go on.
    let params = CertificateParams::new(vec!["other.example".to_owned()]).unwrap();
    let more = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
    pem.extend_from_slice(more.as_bytes());
    let longer = STANDARD.encode(&pem);
    let path = format!("{WEBHOOKS}/{RELEASE}");
    for (old, new) in [(bundle, longer.as_str()), (&longer, bundle)] {
        let field = "/webhooks/0/clientConfig/caBundle";
        let patch = json!([
            { "op": "test", "path": field, "value": old },
            { "op": "replace", "path": field, "value": new },
        ]);
        let (status, after) = stolen.ask(Verb::JsonPatch, &path, &patch, &[]);
        assert_eq!(status, 200, "{after}");
        assert_eq!(after["webhooks"][0]["clientConfig"]["caBundle"], new);
    }
}
