//! Errors of the Kubernetes API in few words, for logs and denials.

use std::error::Error;

/// What went wrong, without what the library adds: it quotes whole answers.
pub(crate) fn describe(error: &kube::Error) -> String {
    let text = match error {
        kube::Error::Api(status) if status.code == 403 => {
            format!("forbidden: {}", status.message)
        }
        kube::Error::Api(status) => format!("{} {}", status.code, status.message),
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => {
            "the answer could not be understood".to_owned()
        }
        other => root(other),
    };
    line(&text)
}

/// The innermost cause says what happened, the others where in the library.
fn root(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// One line of limited length.
fn line(text: &str) -> String {
    let mut line: String =
        text.chars().filter(|c| printable::is_printable(*c)).take(LONGEST).collect();
    if line.is_empty() {
        line.push_str("no reason given");
    }
    line
}

const LONGEST: usize = 300;
