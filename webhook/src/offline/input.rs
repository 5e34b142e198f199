//! Reads the manifests that a command is given: files, directories, standard input.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// One text with documents in it.
#[derive(Debug)]
pub(super) struct Manifest {
    /// As the user called it.
    pub(super) name: String,
    pub(super) text: String,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    #[error("reading {name}: {source}")]
    Read { name: String, source: io::Error },
    #[error("{name} is larger than 16 MiB")]
    TooLarge { name: String },
    #[error("the manifests are larger than 64 MiB together")]
    TooMuch,
    #[error("{name}:{line}: not UTF-8")]
    Encoding { name: String, line: usize },
    #[error("{name} holds no file that ends in .yaml, .yml or .json")]
    Empty { name: String },
}

/// The largest manifests that people apply (CRDs of an operator) are a few MiB.
const FILE_LIMIT: u64 = 16 << 20;
const TOTAL_LIMIT: usize = 64 << 20;

/// In the order given; `-` is standard input, a directory is its manifests by name.
pub(super) fn read<'a>(
    paths: impl IntoIterator<Item = &'a PathBuf>,
    stdin: &mut impl Read,
) -> Result<Vec<Manifest>, InputError> {
    let mut manifests = Vec::new();
    let mut total = 0;
    for path in paths {
        let mut push = |name: String, bytes: io::Result<Option<Vec<u8>>>| {
            let manifest = manifest(name, bytes)?;
            total += manifest.text.len();
            manifests.push(manifest);
            if total > TOTAL_LIMIT { Err(InputError::TooMuch) } else { Ok(()) }
        };
        if path == Path::new("-") {
            push("standard input".to_owned(), bounded(stdin))?;
        } else if path.is_dir() {
            for file in files(path)? {
                push(file.display().to_string(), crate::bounded_file::read(&file, FILE_LIMIT))?;
            }
        } else {
            push(path.display().to_string(), crate::bounded_file::read(path, FILE_LIMIT))?;
        }
    }
    Ok(manifests)
}

fn manifest(name: String, bytes: io::Result<Option<Vec<u8>>>) -> Result<Manifest, InputError> {
    let bytes = match bytes {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(InputError::TooLarge { name }),
        Err(source) => return Err(InputError::Read { name, source }),
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Manifest { name, text }),
        Err(error) => {
            let valid = error.as_bytes().get(..error.utf8_error().valid_up_to());
            let breaks = valid.unwrap_or_default().iter().filter(|byte| **byte == b'\n').count();
            Err(InputError::Encoding { name, line: breaks + 1 })
        }
    }
}

fn bounded(stdin: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    stdin.take(FILE_LIMIT + 1).read_to_end(&mut bytes)?;
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Ok((size <= FILE_LIMIT).then_some(bytes))
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, InputError> {
    let name = || directory.display().to_string();
    let failed = |source| InputError::Read { name: name(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if matches!(extension, Some("yaml" | "yml" | "json")) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() { Err(InputError::Empty { name: name() }) } else { Ok(files) }
}
