//! The RAM role of a Pod: who says it, and whether the operator's policy allows it.

use std::collections::HashSet;

use plan::{Assume, Principal, RoleArn, RoleNamer};

use crate::account::{self, Account};
use crate::ask::annotations::{Given, SecretsRequest};
use crate::decide::backends::alibaba::secret::AlibabaSecret;
use crate::facts::Subject;
use crate::problem::{PREFIX, Problem, Problems};
use crate::settings::Settings;
use crate::settings::comparisons::Comparisons;
use crate::settings::policy::CredentialsKind;

/// From the Pod's annotation, else from its ServiceAccount; with who named it.
pub(super) fn of_pod(
    request: &SecretsRequest<'_>,
    subject: &Subject<'_>,
    name: &str,
    settings: &Settings,
    problems: &mut Problems,
) -> Option<(RoleArn, RoleNamer)> {
    match request.role_arn() {
        Given::Value(role) => return Some((role.clone(), RoleNamer::Pod)),
        Given::Bad => return None,
        Given::Nothing => {}
    }
    let place = || format!("ServiceAccount {name:?}");
    let account = match subject.facts.account() {
        Account::Known(account) => account,
        unknown => {
            problems.push(no_account(unknown, subject.namespace, name));
            return None;
        }
    };
    if let Some(arn) = account.role_arn.as_deref() {
        return RoleArn::parse(arn.trim())
            .map_err(|error| {
                problems.push(Problem::pod(
                    place(),
                    format!("annotation {}: {error}", account::ROLE_ARN),
                    "correct the annotation of the ServiceAccount",
                ));
            })
            .ok()
            .map(|role| (role, RoleNamer::ServiceAccount));
    }
    if let Some(role_name) = account.role_name.as_deref() {
        let Some(owner) = settings.account_id() else {
            problems.push(Problem::pod(
                place(),
                format!("{} names a role, and no account is known", account::ROLE_NAME),
                format!(
                    "use {} with the whole ARN, or ask the operator for accountId in the settings",
                    account::ROLE_ARN
                ),
            ));
            return None;
        };
        return RoleArn::parse(&format!("acs:ram::{owner}:role/{}", role_name.trim()))
            .map_err(|error| {
                problems.push(Problem::pod(
                    place(),
                    format!("annotation {}: {error}", account::ROLE_NAME),
                    "correct the annotation of the ServiceAccount",
                ));
            })
            .ok()
            .map(|role| (role, RoleNamer::RoleName));
    }
    problems.push(Problem::pod(
        place(),
        "no RAM role is known for this Pod",
        format!(
            "annotate the ServiceAccount with {}: acs:ram::ACCOUNT:role/NAME, or the Pod with {PREFIX}role-arn",
            account::ROLE_ARN
        ),
    ));
    None
}

/// Why nothing is known of the account that should say the role.
fn no_account(account: &Account, namespace: &str, name: &str) -> Problem {
    match account {
        Account::Missing => Problem::pod(
            format!("ServiceAccount {name:?}"),
            format!("there is none of this name in namespace {namespace:?}"),
            "create it, or correct serviceAccountName",
        ),
        Account::Unreadable(why) => Problem::pod(
            format!("ServiceAccount {name:?} in namespace {namespace:?}"),
            format!("it could not be read, and this Pod's role is its to say: {why}"),
            format!("try again, or annotate the Pod with {PREFIX}role-arn"),
        ),
        Account::Unknown | Account::Known(_) => Problem::pod(
            format!("ServiceAccount {name:?}"),
            "no RAM role is known for this Pod, and its ServiceAccount is not known here",
            format!(
                "annotate the Pod with {PREFIX}role-arn: acs:ram::ACCOUNT:role/NAME (offline, a ServiceAccount with {} in the same input does it too)",
                account::ROLE_ARN
            ),
        ),
    }
}

/// The roles that are assumed on top are the Pod's as well: each is a problem once, where the
/// policy does not allow it.
pub(in crate::decide::backends::alibaba) fn check_assumed(
    secrets: &[&AlibabaSecret<'_>],
    credentials: CredentialsKind,
    subject: &Subject<'_>,
    settings: &Settings,
    comparisons: &mut Comparisons,
    problems: &mut Problems,
) {
    let lookups = secrets.iter().filter_map(|asked| asked.lookup.ok());
    let assumed = lookups.filter_map(|lookup| lookup.assume.as_ref());
    let mut seen: HashSet<&str> = HashSet::new();
    for Assume { role, .. } in assumed {
        if seen.insert(role.as_str()) && !problems.is_full() && !comparisons.is_spent() {
            let role = Principal::Role(role);
            check(role, credentials, subject, settings, comparisons, problems);
        }
    }
}

/// Whether the operator's policy lets the Pod act so. What it does not allow is a problem and still
/// the Pod's.
pub(super) fn check(
    principal: Principal<'_>,
    credentials: CredentialsKind,
    subject: &Subject<'_>,
    settings: &Settings,
    comparisons: &mut Comparisons,
    problems: &mut Problems,
) {
    let policy = settings.policy();
    let verdict = policy.check(subject.namespace, principal, credentials, comparisons);
    if let Err(problem) = verdict
        && !comparisons.is_spent()
    {
        problems.push(problem);
    }
}
