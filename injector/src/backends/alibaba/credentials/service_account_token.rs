//! The ServiceAccount token: read anew for each exchange, because the kubelet replaces it.

use std::io;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secret::Sensitive;
use serde::Deserialize;

use crate::process::bounded::{self, UnreadableFile};

/// Where the token is.
#[derive(Clone, Debug)]
pub(crate) struct TokenFile(PathBuf);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("the token file {0} {1}")]
    Unreadable(String, UnreadableFile),
    #[error("the token file {0} is empty")]
    Empty(String),
}

/// STS takes 20,000 characters.
const LIMIT: usize = 32 * 1024;

impl TokenFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The token without the line end that some writers add.
    pub(crate) fn read(&self) -> Result<Sensitive, TokenError> {
        let shown = || self.0.display().to_string();
        let bytes = bounded::read(&self.0, LIMIT)
            .map_err(|problem| TokenError::Unreadable(shown(), problem))?;
        match bytes.expose().trim_ascii() {
            [] => Err(TokenError::Empty(shown())),
            token => Ok(Sensitive::new(token.to_vec())),
        }
    }
}

impl From<TokenError> for io::Error {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Unreadable(_, problem) => problem.into(),
            TokenError::Empty(_) => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}

/// The ServiceAccount that the token says it is for. That is not verified, and no secret: it goes
/// into advice only.
pub(crate) fn subject(token: &Sensitive) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        sub: String,
    }
    let payload = token.expose().split(|byte| *byte == b'.').nth(1)?;
    let json = Sensitive::new(URL_SAFE_NO_PAD.decode(payload).ok()?);
    let claims: Claims = serde_json::from_slice(json.expose()).ok()?;
    let name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'-' | b'.' | b'_');
    (claims.sub.len() <= 400 && claims.sub.bytes().all(name)).then_some(claims.sub)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> Sensitive {
        Sensitive::from(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims)))
    }

    #[test]
    fn the_subject_is_read_from_a_token_of_the_cluster() {
        let found = subject(&token(r#"{"aud":["x"],"sub":"system:serviceaccount:shop:checkout"}"#));
        assert_eq!(found.as_deref(), Some("system:serviceaccount:shop:checkout"));
    }

    #[test]
    fn what_is_no_subject_is_left_out() {
        for claims in ["", "{}", r#"{"sub":1}"#, r#"{"sub":"a b"}"#, r#"{"sub":"a\u001b[31m"}"#] {
            assert_eq!(subject(&token(claims)), None, "{claims}");
        }
        for text in ["", "CANARY", "a.b", "a.%%%.c"] {
            assert_eq!(subject(&Sensitive::from(text.to_owned())), None, "{text}");
        }
    }

    #[test]
    fn a_token_is_trimmed_and_one_that_is_none_has_its_own_words() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let file = TokenFile::new(path.clone());
        assert!(file.read().unwrap_err().to_string().ends_with("does not exist"));
        for (content, words) in [("", "is empty"), (" \n", "is empty")] {
            std::fs::write(&path, content).unwrap();
            assert!(file.read().unwrap_err().to_string().ends_with(words));
        }
        std::fs::write(&path, "a.b.c\n").unwrap();
        assert_eq!(file.read().unwrap().expose(), b"a.b.c");
        std::fs::write(&path, "x".repeat(LIMIT + 1)).unwrap();
        assert!(file.read().unwrap_err().to_string().contains("has more than 32768 bytes"));
        let other = TokenFile::new(directory.path().to_owned());
        assert!(other.read().unwrap_err().to_string().ends_with("is not a regular file"));
    }
}
