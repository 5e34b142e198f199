//! What stories do to the emulated cloud, which all of them share: each has secrets of its own, and
//! its faults strike these alone.

use serde_json::{Value, json};

use crate::stage::cluster;

const ACCOUNT: &str = "1234567890123456";

/// A secret `app/STORY-…` that the role `app` may read, with one version. Returns its name.
pub(crate) fn secret(story: &str, text: &str) -> String {
    secret_as(story, json!({ "versions": [{ "id": "v1", "text": text }] }))
}

/// The same with any fields of the seed.
pub(crate) fn secret_as(story: &str, mut fields: Value) -> String {
    let name = unused(story);
    fields["name"] = json!(name);
    tell("/secrets", &json!({ "account": ACCOUNT, "secret": fields }));
    name
}

/// A name that no secret has yet.
pub(crate) fn unused(story: &str) -> String {
    format!("app/{story}-{:08x}", fastrand::u32(..))
}

/// A secret of this very name, with one version.
pub(crate) fn put(name: &str, text: &str) {
    let secret = json!({ "name": name, "versions": [{ "id": "v1", "text": text }] });
    tell("/secrets", &json!({ "account": ACCOUNT, "secret": secret }));
}

/// A new version of a secret.
pub(crate) fn rotate(name: &str, text: &str) {
    let version = json!({ "account": ACCOUNT, "name": name, "version": { "text": text } });
    tell("/secrets/rotate", &version);
}

pub(crate) fn delete(name: &str) {
    tell("/secrets/delete", &json!({ "account": ACCOUNT, "name": name }));
}

/// From now on whoever asks for this secret gets this instead.
pub(crate) fn fault(secret: &str, effect: Value) {
    tell("/faults", &json!({ "subject": secret, "effect": effect }));
}

/// So many questions for this secret are not answered; then it is well again.
pub(crate) fn outage(secret: &str, questions: u32) {
    let effect = json!({ "kind": "unavailable" });
    tell("/faults", &json!({ "subject": secret, "effect": effect, "count": questions }));
}

/// Every credential given out so far is worth nothing any more, as after hours.
pub(crate) fn expire_credentials() {
    tell("/sessions/expire", &json!({}));
}

/// How often anybody exchanged a token.
pub(crate) fn exchanges() -> u64 {
    let counters = cluster().ask_cloud("/counters").unwrap();
    counters["requests"]["sts.AssumeRoleWithOIDC"].as_u64().unwrap_or_default()
}

/// The cloud's clock is ahead of the machine's for as long as this is kept. All stories share it.
pub(crate) struct Later;

impl Later {
    pub(crate) fn by(seconds: i64) -> Self {
        tell("/clock", &json!({ "offsetSeconds": seconds }));
        Self
    }
}

impl Drop for Later {
    fn drop(&mut self) {
        // A story that has failed already may have no cloud any more.
        let _ = cluster().tell_cloud("/clock", &json!({ "offsetSeconds": 0 }));
    }
}

fn tell(path: &str, body: &Value) {
    cluster().tell_cloud(path, body).unwrap();
}
