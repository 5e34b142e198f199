//! From the bytes of an admission review to the bytes of its answer: the server's whole decision.

use crate::inject::{Injection, Subject, inject};
use crate::reply::{Outcome, Reply};
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
        },
    }
}

fn decide(request: &Request<'_>, settings: &Settings) -> Reply {
    let uid = &request.uid;
    if let Some(warning) = not_ours(request) {
        return reply(review::allow(uid, &[warning]), Outcome::Unchanged);
    }
    let (Some(object), Some(namespace)) = (request.object, request.namespace.as_deref()) else {
        let message = "the review of a Pod's creation has no object or no namespace";
        return reply(review::deny(uid, message), Outcome::Denied);
    };
    let subject = Subject { namespace, account: None };
    match inject(object.get(), &subject, settings) {
        Ok(Injection::Untouched) => reply(review::allow(uid, &[]), Outcome::Unchanged),
        Ok(Injection::Patched { patch, warnings }) => {
            let warnings: Vec<_> = warnings.iter().map(|warning| cut(warning)).collect();
            if patch.is_empty() {
                reply(review::allow(uid, &warnings), Outcome::Unchanged)
            } else {
                reply(review::patched(uid, &patch, &warnings), Outcome::Injected)
            }
        }
        Err(problems) => reply(review::deny(uid, &problems.message()), Outcome::Denied),
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

fn reply(body: serde_json::Result<Vec<u8>>, outcome: Outcome) -> Reply {
    match body {
        Ok(body) => Reply { status: 200, body, outcome },
        Err(_) => Reply {
            status: 500,
            body: b"the answer could not be written as JSON\n".to_vec(),
            outcome: Outcome::Unreadable,
        },
    }
}

fn cut(warning: &str) -> String {
    let warning: String = warning.chars().filter(|c| !c.is_control()).collect();
    match warning.char_indices().nth(WARNING) {
        Some(_) => warning.chars().take(WARNING - 1).chain(std::iter::once('…')).collect(),
        None => warning,
    }
}
