//! Whether API servers can call this replica, and if not, why.

use std::sync::Arc;
use std::time::SystemTime;

use certs::{State, Target};
use tokio::sync::watch;

use crate::serve::tls::ServedCertificate;

/// What readiness follows from.
#[derive(Clone)]
pub(crate) struct Readiness {
    pub(crate) states: watch::Receiver<State>,
    pub(crate) served: Arc<ServedCertificate>,
    pub(crate) target: Target,
    /// The Secret that the certificate is kept in, where replicas make it.
    pub(crate) secret: Option<String>,
}

impl Readiness {
    /// Every reason against; none is ready. An error of the API is no reason: what was read last
    /// counts until something else is read.
    pub(crate) fn reasons(&self, now: SystemTime) -> Vec<String> {
        let state = self.states.borrow();
        reasons(&state, self.served.not_after(), now, &self.target, self.secret.as_deref())
    }
}

fn reasons(
    state: &State,
    not_after: Option<SystemTime>,
    now: SystemTime,
    target: &Target,
    secret: Option<&str>,
) -> Vec<String> {
    let mut reasons = Vec::new();
    let place = format!(
        "webhook {} of MutatingWebhookConfiguration {}",
        target.webhook, target.configuration
    );
    match (not_after, secret) {
        (None, Some(secret)) => reasons.push(format!(
            "there is no certificate yet; it is made in Secret {secret} once that can be read and written"
        )),
        (None, None) => reasons.push("there is no certificate".to_owned()),
        (Some(end), _) if end <= now => reasons.push(
            "the certificate has ended, and API servers refuse it; see the log for why it was not replaced".to_owned(),
        ),
        (Some(_), _) if !state.covered => reasons.push(format!(
            "caBundle of {place} does not cover the certificate, as far as it was read"
        )),
        (Some(_), _) => {}
    }
    if !state.conditions {
        reasons.push(format!(
            "{place} with the match condition {} was not found, as far as it was read",
            target.condition
        ));
    }
    if let (false, errors @ 1..) = (reasons.is_empty(), state.counts.errors) {
        reasons
            .push(format!("{errors} calls of the Kubernetes API for it have failed, see the log"));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use certs::Counts;

    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn target() -> Target {
        Target {
            configuration: "injector".to_owned(),
            webhook: "pods.kms.example".to_owned(),
            condition: "triggers".to_owned(),
            names: vec!["injector.kms.svc".to_owned()],
        }
    }

    fn reasons_of(covered: bool, conditions: bool, seconds: Option<u64>) -> String {
        let state = State { covered, conditions, ..State::default() };
        let end = seconds.map(|seconds| NOW + Duration::from_secs(seconds));
        reasons(&state, end, NOW, &target(), Some("injector-certificate")).join("\n")
    }

    #[test]
    fn a_certificate_that_is_covered_and_conditions_that_hold_are_ready() {
        assert_eq!(reasons_of(true, true, Some(60)), "");
    }

    #[test]
    fn each_reason_names_the_object_that_is_not_right() {
        assert_eq!(
            reasons_of(false, true, Some(60)),
            "caBundle of webhook pods.kms.example of MutatingWebhookConfiguration injector does not cover the certificate, as far as it was read"
        );
        assert_eq!(
            reasons_of(true, false, Some(60)),
            "webhook pods.kms.example of MutatingWebhookConfiguration injector with the match condition triggers was not found, as far as it was read"
        );
        assert!(
            reasons_of(false, true, None).contains("it is made in Secret injector-certificate")
        );
        assert!(reasons_of(true, true, Some(0)).starts_with("the certificate has ended"));
        assert_eq!(reasons_of(false, false, None).lines().count(), 2);
    }

    #[test]
    fn failed_calls_are_told_with_a_reason_and_are_none_themselves() {
        let counts = Counts { errors: 3, ..Counts::default() };
        let mut state = State { covered: true, conditions: true, counts, ..State::default() };
        let ask = |state: &State| {
            reasons(state, Some(NOW + Duration::from_secs(1)), NOW, &target(), None).join("\n")
        };
        assert_eq!(ask(&state), "");
        state.conditions = false;
        assert!(
            ask(&state).ends_with("3 calls of the Kubernetes API for it have failed, see the log")
        );
    }
}
