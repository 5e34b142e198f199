//! Files of certificates and keys, of limited size.

use std::path::Path;

use super::error::{FILE_LIMIT, TlsError};

pub(super) fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    match crate::bounded_file::read(path, FILE_LIMIT) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(TlsError::TooLarge(path.into())),
        Err(source) => Err(TlsError::Read { path: path.into(), source }),
    }
}
