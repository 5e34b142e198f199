//! Annotations whose keys have a name of the Pod's in them: `env.CONTAINER` and `template.FILE`.

use plan::ContainerName;

use super::bad::Bad;
use super::member::Member;
use super::request::{EnvRequest, SecretsRequest, TemplateRequest};
use crate::problem::PREFIX;

const MAX_KEY: usize = 63;
const TOO_LONG: &str = "an annotation has at most 63 characters in its name";

/// `env`, or `env.` and the container that it is for. A name that is none is a problem here once, and
/// not of each variable.
pub(super) fn env<'a>(request: &mut SecretsRequest<'a>, member: Member<'a>) -> Result<(), Bad> {
    let Member { key, name: container, text } = member;
    if let Some(name) = container {
        if let Err(error) = ContainerName::parse(name) {
            let remedy =
                format!("write {PREFIX}env.CONTAINER with the name of a container of the Pod");
            return Err((error.to_string(), remedy));
        }
        if key.len() > MAX_KEY {
            let instead =
                format!("write in {PREFIX}env: NAME: {{source: …, containers: [{name}]}}");
            return Err((TOO_LONG.to_owned(), instead));
        }
    }
    request.env.push(EnvRequest { key, container, text });
    Ok(())
}

/// `template.` and the file that it makes.
pub(super) fn template<'a>(
    request: &mut SecretsRequest<'a>,
    member: Member<'a>,
) -> Result<(), Bad> {
    let Member { key, name, text } = member;
    let file = name.unwrap_or_default();
    check_key(key, file)?;
    request.templates.push(TemplateRequest { key, file, text });
    Ok(())
}

/// What the API server would refuse without saying how else to write it.
fn check_key(key: &str, file: &str) -> Result<(), Bad> {
    let instead = || "write it in kms.alibabacloud/secrets: FILE: {template: \"…\"}".to_owned();
    if file.is_empty() {
        return Err((
            "it names no file".to_owned(),
            format!("write {PREFIX}template.FILE with the name of the file"),
        ));
    }
    if key.len() > MAX_KEY {
        return Err((TOO_LONG.to_owned(), instead()));
    }
    let edge = |b: u8| b.is_ascii_alphanumeric();
    let inner = |b: u8| edge(b) || matches!(b, b'-' | b'_' | b'.');
    if !key.bytes().all(inner) || !key.bytes().next_back().is_some_and(edge) {
        return Err((
            "an annotation's name has only letters, digits and -_. and ends in a letter or digit"
                .to_owned(),
            instead(),
        ));
    }
    Ok(())
}
