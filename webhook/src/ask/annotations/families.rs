//! Annotations whose keys have a name of the Pod's in them: `env.CONTAINER`, `command.CONTAINER` and
//! `template.FILE`.

use plan::ContainerName;

use super::bad::Bad;
use super::member::Member;
use super::request::{CommandRequest, EnvRequest, SecretsRequest, TemplateRequest};
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

/// What the image of a container starts: a command line has no more words as a rule.
const MAX_WORDS: usize = 64;
const MAX_WORDS_BYTES: usize = 8 * 1024;

/// `command.` and the container whose image starts so.
pub(super) fn command<'a>(request: &mut SecretsRequest<'a>, member: Member<'a>) -> Result<(), Bad> {
    let Member { key, name, text } = member;
    let form = || "write a JSON list, such as [\"/entrypoint.sh\", \"serve\"]".to_owned();
    let container = name.unwrap_or_default();
    if let Err(error) = ContainerName::parse(container) {
        let remedy =
            format!("write {PREFIX}command.CONTAINER with the name of a container of the Pod");
        return Err((error.to_string(), remedy));
    }
    if key.len() > MAX_KEY {
        return Err((TOO_LONG.to_owned(), "give the container a shorter name".to_owned()));
    }
    let text = text.trim();
    if text.len() > MAX_WORDS_BYTES {
        return Err((
            format!("it has {} bytes; at most {MAX_WORDS_BYTES} are allowed", text.len()),
            String::new(),
        ));
    }
    let words: Vec<String> =
        serde_json::from_str(text).map_err(|_| ("it is no list of texts".to_owned(), form()))?;
    match words.first() {
        None => return Err(("it names no program".to_owned(), form())),
        Some(program) if program.trim().is_empty() => {
            return Err(("its first word is empty".to_owned(), form()));
        }
        _ => {}
    }
    if words.len() > MAX_WORDS {
        return Err((
            format!("it has {} words; at most {MAX_WORDS} are allowed", words.len()),
            String::new(),
        ));
    }
    if words.iter().any(|word| word.contains('\0')) {
        return Err(("a word contains a NUL character".to_owned(), "remove it".to_owned()));
    }
    request.commands.push(CommandRequest { key, container, words });
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
