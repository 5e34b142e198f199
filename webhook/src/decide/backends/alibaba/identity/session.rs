//! What a Pod is called in the cloud's audit log.

use plan::SessionName;

use crate::ask::annotations::SecretsRequest;
use crate::problem::{Problem, Problems};

/// `NAMESPACE.NAME`: the name is the Pod's to say, and its ServiceAccount's where it says none. No
/// Pod appears as one of another namespace, since a namespace's name has no dots in it and is never
/// cut.
pub(super) fn of_pod(
    request: &SecretsRequest<'_>,
    namespace: &str,
    account: &str,
    problems: &mut Problems,
) -> Option<SessionName> {
    // Offline neither name was checked by an API server.
    let allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let plain = |text: &str| text.chars().filter(allowed).collect::<String>();
    let mut prefix = plain(namespace);
    prefix.truncate(LONGEST - 1);
    prefix.push('.');
    let room = LONGEST - prefix.len();
    let Some(requested) = &request.role_session_name else {
        let mut account = plain(account);
        // ASCII by now, so that any place is one to cut at.
        account.truncate(room);
        return SessionName::parse(&(prefix + &account)).ok();
    };
    let own = requested.as_str();
    let own = own.strip_prefix(&prefix).unwrap_or(own);
    if own.len() <= room {
        return SessionName::parse(&(prefix + own)).ok();
    }
    let remedy = match room {
        // A name has two characters at least.
        0 | 1 => "remove it: there is no room for a name behind the namespace".to_owned(),
        _ => format!("use at most {room} characters"),
    };
    let what =
        format!("with its namespace before it ({prefix}) it is longer than {LONGEST} characters");
    problems.push(Problem::annotation("role-session-name", what, remedy));
    None
}

/// What STS takes.
const LONGEST: usize = 64;
