//! From the bytes of an admission review to the bytes of its answer: the server's whole decision.

use std::borrow::Cow;

use serde::Deserialize;

use crate::inject::{Injection, Subject, inject};
use crate::reply::{About, Outcome, Reply};
use crate::review::{self, Request, Review};
use crate::settings::Settings;

/// Longer warnings are cut by the API server.
const WARNING: usize = 200;

/// Never panics, never answers with half a patch, and repeats nothing of the body in an error.
pub fn admit(body: &[u8], settings: &Settings) -> Reply {
    match Review::read(body) {
        Ok(request) => decide(&request, settings),
        Err(error) => Reply {
            status: 400,
            body: format!("{error}\n").into_bytes(),
            outcome: Outcome::Unreadable,
            about: None,
        },
    }
}

fn decide(request: &Request<'_>, settings: &Settings) -> Reply {
    let uid = &request.uid;
    if let Some(warning) = not_ours(request) {
        return reply(request, review::allow(uid, &[warning]), Outcome::Unchanged);
    }
    let (Some(object), Some(namespace)) =
        (request.object, request.namespace.as_deref().filter(|name| !name.is_empty()))
    else {
        let message = "the review of a Pod's creation has no object or no namespace";
        return reply(request, review::deny(uid, message), Outcome::Denied);
    };
    let subject = Subject { namespace, account: None };
    match inject(object.get(), &subject, settings) {
        Ok(Injection::Untouched) => reply(request, review::allow(uid, &[]), Outcome::Unchanged),
        Ok(Injection::Patched { patch, warnings }) => {
            let warnings: Vec<_> = warnings.iter().map(|warning| cut(warning)).collect();
            if patch.is_empty() {
                reply(request, review::allow(uid, &warnings), Outcome::Unchanged)
            } else {
                reply(request, review::patched(uid, &patch, &warnings), Outcome::Injected)
            }
        }
        Err(problems) => reply(request, review::deny(uid, &problems.message()), Outcome::Denied),
    }
}

/// Whatever is not the creation of a Pod passes, with a word to the operator: the configuration
/// that sent it here asks for too much.
fn not_ours(request: &Request<'_>) -> Option<String> {
    let sub_resource = request.sub_resource.as_deref().unwrap_or_default();
    if request.kind.kind != "Pod" || !request.kind.group.is_empty() || !sub_resource.is_empty() {
        return Some(
            "the secrets webhook was sent something else than a Pod and left it as it is; its configuration should name pods only".to_owned(),
        );
    }
    (request.operation != "CREATE").then(|| {
        "the secrets webhook acts when a Pod is created and left this one as it is; its configuration should name CREATE only".to_owned()
    })
}

fn reply(request: &Request<'_>, body: serde_json::Result<Vec<u8>>, outcome: Outcome) -> Reply {
    let about = Some(About {
        uid: request.uid.to_string(),
        namespace: request.namespace.as_deref().unwrap_or_default().to_owned(),
        name: name(request),
    });
    match body {
        Ok(body) => Reply { status: 200, body, outcome, about },
        Err(_) => Reply {
            status: 500,
            body: b"the answer could not be written as JSON\n".to_vec(),
            outcome: Outcome::Unreadable,
            about,
        },
    }
}

/// What a workload's Pod will be called is only in the Pod itself.
fn name(request: &Request<'_>) -> String {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        metadata: Metadata<'a>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata<'a> {
        #[serde(borrow, default)]
        name: Cow<'a, str>,
        #[serde(borrow, default)]
        generate_name: Cow<'a, str>,
    }
    match (request.name.as_deref(), request.object) {
        (Some(name), _) if !name.is_empty() => name.to_owned(),
        (_, Some(object)) => serde_json::from_str(object.get())
            .map(
                |Named { metadata: Metadata { name, generate_name } }| {
                    if name.is_empty() { generate_name.into_owned() } else { name.into_owned() }
                },
            )
            .unwrap_or_default(),
        (_, None) => String::new(),
    }
}

fn cut(warning: &str) -> String {
    let warning: String = warning.chars().filter(|c| !c.is_control()).collect();
    match warning.char_indices().nth(WARNING) {
        Some(_) => warning.chars().take(WARNING - 1).chain(std::iter::once('…')).collect(),
        None => warning,
    }
}
