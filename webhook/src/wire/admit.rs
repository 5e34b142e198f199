//! From the bytes of an admission review to the bytes of its answer: the server's whole decision.

use crate::ask::layers::Layers;
use crate::decide::inject::{self, Injection};
use crate::facts::{Facts, Subject, Wanted};
use crate::pod::{Pod, Unreadable};
use crate::settings::Settings;
use crate::wire::reply::{About, Outcome, Reply};
use crate::wire::review::{self, Review, ReviewRequest};

/// Longer warnings are cut by the API server.
const WARNING: usize = 200;
/// The log repeats at most as many characters as Kubernetes allows for a name, and as a uid needs:
/// the client that posts a review chooses the texts.
const LOGGED_NAME: usize = 253;
const LOGGED_UID: usize = 64;

/// The whole decision where no cluster can be asked. It never panics, never answers with half a
/// patch, and repeats nothing of the body in an error.
pub fn admit(body: &[u8], settings: &Settings) -> Reply {
    match Question::read(body) {
        Ok(question) => question.answer(&Facts::default(), settings),
        Err(reply) => *reply,
    }
}

/// A review whose answer needs no more than some facts of the cluster and the settings.
pub struct Question<'a> {
    request: ReviewRequest<'a>,
    call: Reviewed<'a>,
}

/// What a review is about.
#[expect(clippy::large_enum_variant, reason = "one for a review, on the stack, and not moved")]
enum Reviewed<'a> {
    /// Something that passes, with a word to the operator.
    NotOurs(&'static str),
    NoObject,
    Pod(&'a str, Result<Pod<'a>, Unreadable>),
}

impl<'a> Question<'a> {
    /// A body that is no review has its answer already.
    pub fn read(body: &'a [u8]) -> Result<Self, Box<Reply>> {
        let request = Review::read(body).map_err(|error| {
            Box::new(Reply {
                status: 400,
                body: format!("{error}\n").into_bytes(),
                outcome: Outcome::Unreadable,
                about: None,
                reason: None,
            })
        })?;
        let call = match (not_ours(&request), request.object) {
            (Some(warning), _) => Reviewed::NotOurs(warning),
            (None, Some(object)) if !namespace(&request).is_empty() => {
                Reviewed::Pod(object.get(), Pod::read(object.get()))
            }
            _ => Reviewed::NoObject,
        };
        Ok(Self { request, call })
    }

    /// What must be known beside these facts. Where the Pod wants to be injected and does not say
    /// its role itself, its ServiceAccount does; a class that it names is part of what it says.
    pub fn wants<'q>(&'q self, facts: &Facts, settings: &'q Settings) -> Option<Wanted<'q>> {
        let Reviewed::Pod(_, Ok(pod)) = &self.call else { return None };
        if !pod.triggers() || !pod.is_within_limits() {
            return None;
        }
        let namespace = namespace(&self.request);
        let layers = Layers::without_class(&pod.metadata.annotations, namespace, settings);
        let is_read = settings.secret_provider_classes() && !facts.has_class();
        if let Some(name) = layers.class().filter(|_| is_read) {
            return Some(Wanted::Class { namespace: namespace.into(), name: name.into() });
        }
        (layers.has_role_of_account() && !facts.has_account()).then(|| Wanted::Account {
            namespace: namespace.into(),
            name: pod.service_account().into(),
        })
    }

    pub fn answer(&self, facts: &Facts, settings: &Settings) -> Reply {
        let Self { request, call } = self;
        let uid = &request.uid;
        let (json, pod) = match call {
            Reviewed::NotOurs(warning) => {
                let body = review::allow(uid, &[(*warning).to_owned()]);
                return self.reply(body, Outcome::Unchanged);
            }
            Reviewed::NoObject => {
                let message = "the review of a Pod's creation has no object or no namespace";
                return self.denied(message, Outcome::Denied);
            }
            Reviewed::Pod(json, pod) => (*json, pod),
        };
        let subject = Subject { namespace: namespace(request), facts };
        let decision = match pod {
            Ok(pod) => inject::decide(pod, json, &subject, settings),
            Err(error) => Err(inject::unreadable(error)),
        };
        match decision {
            Ok(Injection::Untouched) => self.reply(review::allow(uid, &[]), Outcome::Unchanged),
            Ok(Injection::Patched { patch, warnings }) => {
                let warnings: Vec<_> = warnings.iter().map(|warning| cut(warning)).collect();
                if patch.is_empty() {
                    self.reply(review::allow(uid, &warnings), Outcome::Unchanged)
                } else {
                    self.reply(review::patched(uid, &patch, &warnings), Outcome::Injected)
                }
            }
            Err(problems) => {
                // An object that was not read is a problem of every Pod that needs it. Beside
                // others, which do not pass, it does not count.
                let unreadable = facts.unreadable();
                let passing = unreadable > 0 && problems.count() == unreadable;
                let outcome = if passing { Outcome::Unavailable } else { Outcome::Denied };
                self.denied(&problems.message(), outcome)
            }
        }
    }

    fn denied(&self, message: &str, outcome: Outcome) -> Reply {
        let uid = &self.request.uid;
        let body = match outcome {
            Outcome::Unavailable => review::deny_for_now(uid, message),
            _ => review::deny(uid, message),
        };
        let reason = message.lines().next().map(str::to_owned);
        Reply { reason, ..self.reply(body, outcome) }
    }

    fn reply(&self, body: serde_json::Result<Vec<u8>>, outcome: Outcome) -> Reply {
        let about = Some(About {
            uid: start(&self.request.uid, LOGGED_UID),
            namespace: start(namespace(&self.request), LOGGED_NAME),
            name: start(self.name(), LOGGED_NAME),
        });
        match body {
            Ok(body) => Reply { status: 200, body, outcome, about, reason: None },
            Err(_) => Reply {
                status: 500,
                body: b"the answer could not be written as JSON\n".to_vec(),
                outcome: Outcome::Unreadable,
                about,
                reason: None,
            },
        }
    }

    /// What a workload's Pod will be called is only in the Pod itself.
    fn name(&self) -> &str {
        match (self.request.name.as_deref(), &self.call) {
            (Some(name), _) if !name.is_empty() => name,
            (_, Reviewed::Pod(_, Ok(pod))) => pod.name(),
            _ => "",
        }
    }
}

/// As the cluster says, whatever the Pod says.
fn namespace<'r>(request: &'r ReviewRequest<'_>) -> &'r str {
    request.namespace.as_deref().unwrap_or_default()
}

/// Whatever is not the creation of a Pod passes, with a word to the operator: the configuration
/// that sent it here asks for too much.
fn not_ours(request: &ReviewRequest<'_>) -> Option<&'static str> {
    let sub_resource = request.sub_resource.as_deref().unwrap_or_default();
    if request.kind.kind != "Pod" || !request.kind.group.is_empty() || !sub_resource.is_empty() {
        return Some(
            "the secrets webhook was sent something else than a Pod and left it as it is; its configuration should name pods only",
        );
    }
    (request.operation != "CREATE").then_some(
        "the secrets webhook acts when a Pod is created and left this one as it is; its configuration should name CREATE only",
    )
}

fn start(text: &str, characters: usize) -> String {
    printable::first(text, characters).collect()
}

fn cut(warning: &str) -> String {
    let mut warning: String = printable::first(warning, WARNING + 1).collect();
    if let (Some((last, _)), Some(_)) =
        (warning.char_indices().nth(WARNING - 1), warning.char_indices().nth(WARNING))
    {
        warning.truncate(last);
        warning.push('…');
    }
    warning
}
