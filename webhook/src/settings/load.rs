//! Where settings come from: a file, then the environment, then flags; later ones win.

use std::path::PathBuf;

use super::overrides::{Override, OverrideError};
use super::raw::RawSettings;
use super::yaml;
use super::{BadSettings, Settings};

/// What was given at start. The file alone may change afterwards.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    file: Option<PathBuf>,
    /// Weakest first.
    overrides: Vec<Override>,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("reading settings file {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("settings file {} is larger than {FILE_LIMIT} bytes", path.display())]
    TooLarge { path: PathBuf },
    #[error("settings file {}: {problem}", path.display())]
    Syntax { path: PathBuf, problem: String },
    #[error(transparent)]
    Override(#[from] OverrideError),
    #[error(transparent)]
    Value(#[from] BadSettings),
}

impl Inputs {
    /// `flags` are of the form `NAME=VALUE`, `environment` is the whole of it.
    pub fn new(
        file: Option<PathBuf>,
        flags: &[String],
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, OverrideError> {
        let mut overrides = environment
            .into_iter()
            .filter_map(|(name, value)| Override::from_variable(&name, &value))
            .collect::<Result<Vec<_>, _>>()?;
        for flag in flags {
            overrides.push(Override::from_flag(flag)?);
        }
        Ok(Self { file, overrides })
    }

    pub fn file(&self) -> Option<&std::path::Path> {
        self.file.as_deref()
    }

    /// Reads the file, if there is one, and puts everything together.
    pub fn load(&self) -> Result<Settings, LoadError> {
        let content = self.read()?;
        self.resolve(content.as_deref())
    }

    /// The file's bytes, at most [`FILE_LIMIT`].
    pub fn read(&self) -> Result<Option<Vec<u8>>, LoadError> {
        let Some(path) = &self.file else { return Ok(None) };
        match crate::bounded_file::read(path, FILE_LIMIT) {
            Ok(Some(bytes)) => Ok(Some(bytes)),
            Ok(None) => Err(LoadError::TooLarge { path: path.clone() }),
            Err(source) => Err(LoadError::Read { path: path.clone(), source }),
        }
    }

    /// The settings that follow from this content of the file.
    pub fn resolve(&self, content: Option<&[u8]>) -> Result<Settings, LoadError> {
        let mut raw = match content {
            Some(bytes) => parse(bytes).map_err(|problem| LoadError::Syntax {
                path: self.file.clone().unwrap_or_default(),
                problem,
            })?,
            None => RawSettings::default(),
        };
        for setting in &self.overrides {
            setting.apply(&mut raw)?;
        }
        Ok(Settings::try_from(raw)?)
    }
}

fn parse(bytes: &[u8]) -> Result<RawSettings, String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Err("not UTF-8".into()) };
    Ok(yaml::read(text)?.unwrap_or_default())
}

/// A mounted ConfigMap is at most 1 MiB; settings are a page of text.
pub const FILE_LIMIT: u64 = 256 * 1024;
