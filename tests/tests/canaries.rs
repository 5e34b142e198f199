//! Every value is a canary here. Whatever works or fails, none is seen outside of the files.

use lab::cloud::{
    Cloud, CloudConfig, Effect, Fault, ParameterKind, ParameterSeed, SecretSeed, Seed, StoredPlace,
    VersionSeed,
};
use lab::fetcher::{ACCOUNT, Ended, NAMESPACE};
use lab::kubelet::Sandbox;
use lab::stage::{Stage, pod};
use lab::webhook_process::WebhookProcess;
use serde_json::json;

const PARTNER: &str = "9876543210987654";
const CANARY: &str = "CANARY";
/// The same as base64 and as hexadecimal digits.
const DISGUISES: [&str; 3] = [CANARY, "Q0FOQVJZ", "43414e415259"];

/// The demo's cloud with canaries in every place of a value.
async fn stage() -> Stage {
    let seed = include_str!("../../examples/cloud.json");
    let mut seed: serde_json::Value = serde_json::from_str(seed).unwrap();
    for account in seed["accounts"].as_array_mut().unwrap() {
        account.as_object_mut().unwrap().remove("secrets");
        account.as_object_mut().unwrap().remove("parameters");
    }
    let seed = Seed::from_json(seed.to_string().as_bytes()).unwrap();
    let cloud = Cloud::start(CloudConfig::new(seed)).await.unwrap();
    for (account, name, value) in [
        (ACCOUNT, "shop/json", r#"{"CANARY-key":"CANARY-1","list":["CANARY-2"],"none":null}"#),
        (ACCOUNT, "shop/text", "CANARY-3"),
        (ACCOUNT, "shop/broken", r#"{"CANARY-key":"CANARY-4", CANARY-5"#),
        (ACCOUNT, "shop/number", "4.5e99999"),
        (ACCOUNT, "billing/db", "CANARY-6"),
        (PARTNER, "partner/api-key", "CANARY-7"),
    ] {
        cloud.put_secret(account, SecretSeed::text(name, value)).unwrap();
    }
    cloud.put_secret(ACCOUNT, SecretSeed::binary("shop/binary", b"CANARY-8\xff")).unwrap();
    for (kind, name) in
        [(ParameterKind::Secret, "shop-api-token"), (ParameterKind::String, "shop-flags")]
    {
        cloud.put_parameter(ACCOUNT, ParameterSeed::new(kind, name, "CANARY-9")).unwrap();
    }
    Stage { cloud, webhook: WebhookProcess::start(&["--log-level=trace"]).await.unwrap() }
}

/// Everything that was said anywhere.
#[derive(Default)]
struct Said(Vec<(String, String)>);

impl Said {
    fn hear(&mut self, from: &str, text: &str) {
        self.0.push((from.to_owned(), text.to_owned()));
    }

    fn run(&mut self, from: &str, ended: &Ended) {
        self.hear(from, &ended.stdout);
        self.hear(from, &ended.log);
        self.hear(from, ended.message.as_deref().unwrap_or_default());
    }

    fn has(&self, word: &str) -> Option<&(String, String)> {
        self.0.iter().find(|(_, text)| text.contains(word))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_is_seen_outside_of_the_files() {
    let stage = stage().await;
    let mut said = Said::default();
    let all = "
json: kms://shop/json
value: kms://shop/json#list[0]
list: kms://shop/json#list
text: kms://shop/text
binary: kms://shop/binary
broken: kms://shop/broken
token: oos://shop-api-token
flags: oos-parameter://shop-flags
template:
  template: '{{ secret(\"kms://shop/text\") }} {{ json(secret(\"kms://shop/json\")).list | tojson }}'
partner:
  source: kms://partner/api-key
  crossAccountRoleArn: acs:ram::9876543210987654:role/partner-secrets
  externalId: shop-and-partner
";
    let debug = |secrets: &str| {
        let mut pod = pod(&[("secrets", secrets), ("log-level", "debug"), ("timeout", "1s")]);
        // Values that people put into manifests are none of ours to repeat either.
        pod["spec"]["containers"][0]["env"] = json!([{ "name": "PASSWORD", "value": "CANARY-0" }]);
        pod
    };
    let verdict = stage.webhook.review(&debug(all), NAMESPACE).await.unwrap();
    said.hear("the webhook's answer", &verdict.response.to_string());
    said.hear("the patch", &json!(verdict.patch).to_string());
    let injected = verdict.apply(&debug(all)).unwrap();
    let sandbox = Sandbox::new(&stage.cloud, &injected, NAMESPACE).unwrap();
    let ended = sandbox.run().await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.said());
    said.run("init", &ended);
    for (name, seen) in sandbox.files("app").unwrap() {
        let holds = seen.content.windows(CANARY.len()).any(|part| part == CANARY.as_bytes());
        assert!(holds, "{name} should hold a canary, or this test shows nothing");
    }
    let place = StoredPlace::new(ACCOUNT, "shop/text");
    stage.cloud.rotate_secret(&place, VersionSeed::text("CANARY-10")).unwrap();
    said.run("init again", &sandbox.run().await.unwrap());
    for source in ["kms://shop/json", "kms://shop/text", "kms://billing/db", "broken"] {
        said.run("get", &sandbox.exec(&["get", source]).await.unwrap());
    }
    said.run("probe", &sandbox.exec(&["probe"]).await.unwrap());
    said.run("a bad command line", &sandbox.exec(&["init", "--nope"]).await.unwrap());

    for (secrets, code) in [
        ("a: kms://billing/db", 12),
        ("a: kms://shop/gone", 13),
        ("a: kms://shop/text#key", 17),
        ("a: kms://shop/broken#key", 17),
        ("a: kms://shop/binary#key", 17),
        ("a: kms://shop/number#key", 17),
        ("a: kms://shop/json#none", 17),
        ("a: kms://shop/json#length(none)", 17),
        ("a: kms://shop/json#sum(list)", 17),
        ("a: kms://shop/json#to_number(@).x", 17),
        ("a: oos://shop-api-token#x", 17),
        ("a: {template: '{{ json(secret(\"shop/text\")) }}'}", 17),
        ("a: {template: '{{ json(secret(\"shop/json\")).x }}'}", 17),
        ("a: {template: '{{ secret(\"shop/binary\") }}'}", 17),
        ("a: {template: '{{ {\"k\": json(secret(\"shop/json\")).list} | dotenv }}'}", 17),
        ("a: {template: '{{ secret(\"shop/broken\") | yaml }}'}", 17),
        ("a: {template: '{{ secret(\"shop/text\") | pem_bundle }}'}", 17),
        ("a: {template: '{{ secret(\"shop/text\") | b64decode }}'}", 17),
        ("a: {template: '{{ secret(\"shop/text\") ~ json(secret(\"shop/json\")) }}'}", 17),
        ("a: {template: '{{ secret(\"shop/text\") in json(secret(\"shop/json\")) ~ 1 }}'}", 17),
    ] {
        let (sandbox, ended) = stage.run(&debug(secrets)).await.unwrap();
        assert_eq!(ended.code(), Some(code), "{secrets}: {}", ended.said());
        assert!(ended.message.as_ref().is_some_and(|text| !text.is_empty()), "{secrets}");
        assert!(sandbox.files("app").unwrap().is_empty(), "{secrets}");
        said.run(secrets, &ended);
    }
    for effect in [
        Effect::ThrottlingUser { retry_after_millis: None },
        Effect::CutJson,
        Effect::TruncatedBody,
        Effect::OkWithError,
        Effect::Xml,
    ] {
        stage.cloud.add_fault(Fault::new(effect));
        let (_, ended) = stage.run(&debug("a: kms://shop/text")).await.unwrap();
        assert_ne!(ended.code(), Some(0));
        said.run("a fault", &ended);
        stage.cloud.clear_faults();
    }

    for secrets in ["a: [CANARY", "a: kms://CANARY\u{1}", "a: kms://shop/text#CANARY("] {
        let verdict = stage.webhook.review(&debug(secrets), NAMESPACE).await.unwrap();
        assert!(!verdict.allowed, "{secrets}");
    }
    said.hear("metrics", &stage.webhook.get("/metrics").await.unwrap().text());
    let token = std::fs::read_to_string(
        sandbox.path("/var/run/secrets/kubernetes.io/serviceaccount/token"),
    )
    .unwrap();
    stage.webhook.terminate().unwrap();
    let stopped = stage.webhook.stopped().await.unwrap();
    assert_eq!(stopped.code, Some(0), "{}", stopped.log);
    said.hear("the webhook's output", &stopped.stdout);
    said.hear("the webhook's log", &stopped.log);

    assert!(said.0.iter().map(|(_, text)| text.len()).sum::<usize>() > 10_000);
    for word in DISGUISES.iter().copied().chain([token.trim(), "SecurityToken"]) {
        assert_eq!(said.has(word), None, "{word}");
    }
}
