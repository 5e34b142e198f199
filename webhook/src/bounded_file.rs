//! Reading files of limited size.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The content, or `None` when there is more than `limit` bytes of it.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    // A limit on the read, not on the size that the file claims: pipes and /proc claim none.
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Ok((size <= limit).then_some(bytes))
}
