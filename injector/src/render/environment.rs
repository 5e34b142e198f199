//! What a value must be like to become an environment variable. No message says anything of it
//! but its length.

use plan::VariableName;
use secret::Sensitive;
use zeroize::Zeroizing;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("the value contains a NUL byte, which no environment variable can hold")]
    Nul,
    #[error("the value has {bytes} bytes, and at most {most} fit into this variable")]
    TooLong { bytes: usize, most: usize },
    #[error("the value is empty, and the kubelet takes an empty variable for a missing one")]
    Empty,
    #[error("the value contains a single quote, which the kubelet cannot read from a file")]
    Quote,
    #[error("the value contains a carriage return, which the kubelet loses")]
    CarriageReturn,
    #[error("the value is not text in base64, as its encoding says")]
    NotBase64,
    #[error("the value is not UTF-8, which the kubelet cannot pass on")]
    NotText,
}

/// The kernel's limit for `NAME=value` and the byte that ends it.
const LONGEST: usize = 128 * 1024;

/// What the kubelet reads of one value.
const LONGEST_READ: usize = 32 * 1024;

impl Unfit {
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::NotBase64 => "the secret's value; leave the encoding out to get it as it is",
            Self::Nul => "the secret's value; give the application a file instead",
            Self::TooLong { .. } => "whether the application can read a file instead",
            Self::Empty | Self::Quote | Self::CarriageReturn | Self::NotText => {
                "the annotation env-method: with `exec` (the container needs a command) any text \
                 can be passed on; or give the application a file"
            }
        }
    }
}

/// Whether a process can be started with it.
pub(crate) fn exec(name: &VariableName, value: &[u8]) -> Result<(), Unfit> {
    // `=` and the byte at the end.
    let most = LONGEST.saturating_sub(name.as_str().len() + 2);
    if value.contains(&0) {
        Err(Unfit::Nul)
    } else if value.len() > most {
        Err(Unfit::TooLong { bytes: value.len(), most })
    } else {
        Ok(())
    }
}

/// `NAME='value'`, the one form that the kubelet reads.
pub(crate) fn file_key_ref(name: &VariableName, value: &[u8]) -> Result<Sensitive, Unfit> {
    if value.is_empty() {
        return Err(Unfit::Empty);
    }
    if value.len() > LONGEST_READ {
        return Err(Unfit::TooLong { bytes: value.len(), most: LONGEST_READ });
    }
    for (byte, unfit) in
        [(b'\0', Unfit::Nul), (b'\'', Unfit::Quote), (b'\r', Unfit::CarriageReturn)]
    {
        if value.contains(&byte) {
            return Err(unfit);
        }
    }
    if std::str::from_utf8(value).is_err() {
        return Err(Unfit::NotText);
    }
    let name = name.as_str().as_bytes();
    // The room is reserved at once: a buffer that grows leaves copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(name.len() + value.len() + 4));
    for part in [name, b"='", value, b"'\n"] {
        line.extend_from_slice(part);
    }
    Ok(Sensitive::new(std::mem::take(&mut *line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> VariableName {
        VariableName::parse("DB_PASSWORD").unwrap()
    }

    #[test]
    fn a_process_can_be_started_with_any_bytes_but_nul() {
        let longest = vec![b'x'; LONGEST - "DB_PASSWORD".len() - 2];
        for value in [&b""[..], b"a'b\"c$d\r\n", b"\xff\xfe", &longest] {
            assert_eq!(exec(&name(), value), Ok(()));
        }
        assert_eq!(exec(&name(), b"a\0b"), Err(Unfit::Nul));
        let too_long = [&longest[..], b"x"].concat();
        assert!(matches!(exec(&name(), &too_long), Err(Unfit::TooLong { .. })));
    }

    #[test]
    fn the_kubelet_gets_one_quoted_line_or_several() {
        for value in ["x", "a b", "a\nb", "$HOME \"x\" \\ #", "密"] {
            let line = file_key_ref(&name(), value.as_bytes()).unwrap();
            assert_eq!(line.expose(), format!("DB_PASSWORD='{value}'\n").as_bytes());
        }
    }

    #[test]
    fn what_the_kubelet_cannot_read_is_refused_without_saying_what_it_is() {
        let too_long = vec![b'x'; LONGEST_READ + 1];
        for (value, unfit) in [
            (&b""[..], Unfit::Empty),
            (b"CANARY'", Unfit::Quote),
            (b"CANARY\r\n", Unfit::CarriageReturn),
            (b"CANARY\0", Unfit::Nul),
            (b"CANARY\xff", Unfit::NotText),
            (&too_long, Unfit::TooLong { bytes: LONGEST_READ + 1, most: LONGEST_READ }),
        ] {
            let error = file_key_ref(&name(), value).unwrap_err();
            assert!(!error.to_string().contains("CANARY"));
            assert_eq!(error, unfit);
        }
    }
}
