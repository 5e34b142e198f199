//! Reads a small regular file: never blocks on a pipe, never reads without an end. A file that another
//! process of its user has a lease on cannot be opened for a while.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use secret::Sensitive;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnreadableFile {
    #[error("does not exist")]
    Missing,
    #[error("is not a regular file")]
    NotAFile,
    #[error("has more than {0} bytes")]
    TooLarge(usize),
    #[error("cannot be read: {0}")]
    Other(io::ErrorKind),
}

/// The pause between two looks whether a lease has ended.
pub(crate) const GLANCE: Duration = Duration::from_millis(50);

/// Symbolic links are followed: the kubelet projects a token through them.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Sensitive, UnreadableFile> {
    content(&open(path)?, limit)
}

/// Waits for a process that has a lease on the file. It is for places where nothing else is to be
/// done meanwhile.
pub(crate) fn read_in_time(path: &Path, limit: usize) -> Result<Sensitive, UnreadableFile> {
    let end = Instant::now() + longest_lease();
    loop {
        match read(path, limit) {
            Err(problem) if problem.is_leased() && Instant::now() < end => sleep(GLANCE),
            done => return done,
        }
    }
}

pub(crate) fn open(path: &Path) -> Result<File, UnreadableFile> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file =
        File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(UnreadableFile::of)?);
    let metadata = file.metadata().map_err(|error| UnreadableFile::Other(error.kind()))?;
    if !metadata.is_file() {
        return Err(UnreadableFile::NotAFile);
    }
    Ok(file)
}

/// Reads the file from its beginning, wherever it was read to before.
pub(crate) fn content(file: &File, limit: usize) -> Result<Sensitive, UnreadableFile> {
    let metadata = file.metadata().map_err(|error| UnreadableFile::Other(error.kind()))?;
    // Room for all of it at once: a buffer that grows leaves copies behind that nobody wipes. No
    // more than that, because all of it is wiped.
    let size = usize::try_from(metadata.len()).unwrap_or(limit).min(limit);
    let mut bytes = Vec::with_capacity(size + 1);
    let read = FromStart { file, at: 0 }.take(limit as u64 + 1).read_to_end(&mut bytes);
    let bytes = Sensitive::new(bytes);
    read.map_err(|error| UnreadableFile::Other(error.kind()))?;
    if bytes.len() > limit { Err(UnreadableFile::TooLarge(limit)) } else { Ok(bytes) }
}

/// After so long the kernel ends a lease that somebody wants ended. No machine is believed that it
/// is longer than some minutes.
pub(crate) fn longest_lease() -> Duration {
    let set = std::fs::read_to_string("/proc/sys/fs/lease-break-time").ok();
    let set = set.and_then(|text| text.trim().parse().ok()).unwrap_or(45);
    Duration::from_secs(set).min(Duration::from_secs(300)) + Duration::from_secs(1)
}

struct FromStart<'a> {
    file: &'a File,
    at: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl UnreadableFile {
    /// Whether another process has a lease on the file. Opening the file has asked it to end the
    /// lease.
    pub(crate) fn is_leased(&self) -> bool {
        *self == Self::Other(io::ErrorKind::WouldBlock)
    }

    fn of(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::NOTDIR => Self::Missing,
            // The file is a socket.
            Errno::NXIO => Self::NotAFile,
            other => Self::Other(other.kind()),
        }
    }
}

impl From<UnreadableFile> for io::Error {
    fn from(problem: UnreadableFile) -> Self {
        let kind = match problem {
            UnreadableFile::Missing => io::ErrorKind::NotFound,
            UnreadableFile::NotAFile | UnreadableFile::TooLarge(_) => io::ErrorKind::InvalidInput,
            UnreadableFile::Other(kind) => kind,
        };
        Self::new(kind, problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_the_limit_and_not_beyond() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        std::fs::write(&path, b"12345").unwrap();
        assert_eq!(read(&path, 5).unwrap().expose(), b"12345");
        assert_eq!(read(&path, 4).unwrap_err(), UnreadableFile::TooLarge(4));
    }

    #[test]
    fn what_is_not_a_file_is_said_and_never_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        let mode = Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert_eq!(read(&pipe, 9).unwrap_err(), UnreadableFile::NotAFile);
        assert_eq!(read(directory.path(), 9).unwrap_err(), UnreadableFile::NotAFile);
        assert_eq!(read(&directory.path().join("no"), 9).unwrap_err(), UnreadableFile::Missing);
    }
}
