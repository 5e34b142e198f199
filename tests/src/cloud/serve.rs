//! One call from its parts to its answer: fault, identity, service, journal.

use std::iter;
use std::time::Duration;

use super::access::{self, Moment};
use super::account::Principal;
use super::answer::{CloudAnswer, Delivery};
use super::call::Call;
use super::clock;
use super::config::Rules;
use super::fault::{Effect, Target};
use super::journal::Entry;
use super::refusal::Refusal;
use super::route::{CalledService, Route};
use super::state::State;
use super::{kms, kms_batch, oos, sts};

/// Any longer wait serves as "never" in a test that has a deadline.
const LONGEST_LATENCY: Duration = Duration::from_secs(600);

const LARGEST_FILLING: usize = 64 << 20;

pub(crate) struct Served {
    pub(crate) answer: CloudAnswer,
    /// To be waited for before the answer leaves.
    pub(crate) latency: Duration,
}

pub(crate) fn serve(state: &mut State, rules: &Rules, call: &Call, connection: u64) -> Served {
    let route = call.route(&state.regions);
    let target = route.as_ref().map(|route| Target {
        service: route.service,
        action: call.action(),
        subject: call.subject(route.service),
        host: &call.host,
    });
    let effect = target.and_then(|target| state.faults.strike(&target));
    let (principal, outcome) = match &route {
        Some(route) => judged(state, rules, call, route, effect.as_ref()),
        None => (None, Err(unknown_host())),
    };
    let answer = match outcome {
        Ok(body) => CloudAnswer::success(
            body,
            call.wants_xml().then(|| format!("{}Response", call.action())).as_deref(),
        ),
        Err(refusal) => {
            let xml = call.wants_xml() || matches!(effect, Some(Effect::Xml));
            CloudAnswer::refusal(&refusal, &call.host, xml)
        }
    };
    let (answer, latency) = match &effect {
        Some(effect) => spoiled(effect, answer),
        None => (answer, Duration::ZERO),
    };
    let entry = Entry {
        time: clock::write(state.clock.now()),
        request_id: answer.request_id.clone(),
        connection,
        secure: call.secure,
        method: call.method.to_string(),
        host: call.host.clone(),
        service: route.as_ref().map(|route| route.service),
        action: call.action().to_owned(),
        subject: route.as_ref().and_then(|route| call.subject(route.service)).map(str::to_owned),
        access_key_id: access::claimed_key(call),
        principal: principal.map(|principal| principal.arn()),
        attempt: call.header("x-acs-retry-attempts").map(str::to_owned),
        query: call.query.iter().map(|(name, _)| name.clone()).collect(),
        form: call.form.iter().map(|(name, _)| name.clone()).collect(),
        fault: effect.as_ref().map(Effect::kind),
        status: (answer.delivery != Delivery::Reset).then_some(answer.status),
        code: answer.code.clone(),
    };
    state.journal.record(entry);
    Served { answer, latency }
}

fn judged(
    state: &mut State,
    rules: &Rules,
    call: &Call,
    route: &Route,
    effect: Option<&Effect>,
) -> (Option<Principal>, Result<serde_json::Value, Refusal>) {
    let skew = if let Some(Effect::ClockSkew { seconds }) = effect { *seconds } else { 0 };
    let now = state.clock.now();
    let moment = Moment {
        now: now.checked_add(time::Duration::seconds(skew)).unwrap_or(now),
        expired: matches!(effect, Some(Effect::ExpiredCredential)),
    };
    if !call.secure && route.service == CalledService::Kms && !rules.kms_over_http {
        let refusal = Refusal::new(
            404,
            "InvalidProtocol.NeedSsl",
            "Your request is denied as lack of ssl protect.",
        );
        return (None, Err(refusal));
    }
    if route.service == CalledService::Sts && call.action() == "AssumeRoleWithOIDC" {
        let outcome = ordered(effect, route, call)
            .map_or_else(|| sts::assume_role_with_oidc(state, call, moment.now), Err);
        return match outcome {
            Ok((body, principal)) => (Some(principal), Ok(body)),
            Err(refusal) => (None, Err(refusal)),
        };
    }
    let caller = match access::authenticate(state, call, rules, moment) {
        Ok(caller) => caller,
        Err(refusal) => return (None, Err(refusal)),
    };
    let outcome = ordered(effect, route, call)
        .map_or_else(|| asked(state, call, route, &caller, moment, effect), Err);
    (Some(caller), outcome)
}

fn asked(
    state: &mut State,
    call: &Call,
    route: &Route,
    caller: &Principal,
    moment: Moment,
    effect: Option<&Effect>,
) -> Result<serde_json::Value, Refusal> {
    match (route.service, call.action()) {
        (CalledService::Sts, "AssumeRole") => {
            sts::assume_role(state, call, caller, moment.now).map(|(body, _)| body)
        }
        (CalledService::Sts, "GetCallerIdentity") => Ok(sts::caller_identity(caller)),
        (CalledService::Kms, "GetSecretValue") => kms::secret_value(state, call, route, caller),
        (CalledService::Kms, "BatchGetSecretValue") => {
            kms_batch::secret_values(state, call, route, caller, effect)
        }
        (CalledService::Oos, "GetSecretParameter") => {
            oos::secret_parameter(state, call, route, caller)
        }
        (CalledService::Oos, "GetParameter") => oos::parameter(state, call, route, caller),
        (CalledService::Oos, "GetSecretParameters") => {
            oos::secret_parameters(state, call, route, caller)
        }
        _ => Err(Refusal::unknown_api()),
    }
}

/// The error that a fault orders in place of the service's own answer.
fn ordered(effect: Option<&Effect>, route: &Route, call: &Call) -> Option<Refusal> {
    let kms = |status, code, message| match route.service {
        CalledService::Kms => Refusal::kms(status, code, message),
        CalledService::Sts | CalledService::Oos => Refusal::new(status, code, message),
    };
    Some(match effect? {
        Effect::RejectedThrottling { retry_after_millis } => {
            kms(429, "Rejected.Throttling", "QPS Limit Exceeded").retry_after(*retry_after_millis)
        }
        Effect::ThrottlingUser { retry_after_millis } => {
            Refusal::new(400, "Throttling.User", "Request was denied due to user flow control.")
                .retry_after(*retry_after_millis)
        }
        Effect::InternalFailure if route.service == CalledService::Sts => Refusal::new(
            500,
            "InternalError",
            "The request processing has failed due to some unknown error.",
        ),
        Effect::InternalFailure => kms(500, "InternalFailure", "Internal Failure."),
        Effect::Unavailable => {
            kms(503, "ServiceUnavailableTemporary", "Service Unavailable Temporary.")
        }
        Effect::Refuse { status, code, message } => kms(*status, code, message),
        Effect::OkWithError => {
            Refusal { status: 200, ..kms(200, "InternalFailure", "Internal Failure.") }
        }
        Effect::Xml => Refusal::new(500, "InternalFailure", "Internal Failure."),
        Effect::AccessDenied if call.action() == "AssumeRoleWithOIDC" => {
            Refusal::oidc("NoPermission", "There is no permission.")
        }
        Effect::AccessDenied => {
            Refusal::denied(route.service, call.subject(route.service).unwrap_or_default())
        }
        _ => return None,
    })
}

/// What a fault does to the answer on its way out.
fn spoiled(effect: &Effect, mut answer: CloudAnswer) -> (CloudAnswer, Duration) {
    let mut latency = Duration::ZERO;
    match effect {
        Effect::Latency { millis } => latency = Duration::from_millis(*millis).min(LONGEST_LATENCY),
        Effect::Reset => answer.delivery = Delivery::Reset,
        Effect::SlowBody { bytes, millis } => {
            answer.delivery = Delivery::Slow { bytes: (*bytes).max(1), millis: *millis };
        }
        Effect::TruncatedBody => answer.delivery = Delivery::Truncated,
        Effect::CutJson => answer.body.truncate(answer.body.len() / 2),
        Effect::Redirect { location } => {
            answer = CloudAnswer::raw(302, "text/html", Vec::new());
            answer.headers.push(("location", location.clone()));
        }
        Effect::Html => {
            let page = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";
            answer = CloudAnswer::raw(502, "text/html", page.to_vec());
        }
        Effect::Garbage => {
            // Anything but a digit or a quote, with which a value of JSON would begin.
            let noise = iter::once(0xff).chain((1..512).map(|_| fastrand::u8(..))).collect();
            answer = CloudAnswer::raw(200, "application/json;charset=utf-8", noise);
        }
        Effect::Oversized { bytes } => {
            let frame = br#"{"Filling":""}"#.len();
            let filling = "x".repeat(bytes.saturating_sub(frame).min(LARGEST_FILLING));
            let body = format!(r#"{{"Filling":"{filling}"}}"#).into_bytes();
            answer = CloudAnswer::raw(200, "application/json;charset=utf-8", body);
        }
        Effect::ContentType { value } => answer.content_type.clone_from(value),
        _ => {}
    }
    (answer, latency)
}

fn unknown_host() -> Refusal {
    Refusal::new(
        404,
        "InvalidProduct.NotFound",
        "Cannot find product according to your specified domain.",
    )
}
