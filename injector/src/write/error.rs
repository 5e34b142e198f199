//! Why files could not be written.

use rustix::io::Errno;

#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("the mount {0} does not exist")]
    NoMount(String),
    #[error("the mount {0} is not a directory")]
    NotADirectory(String),
    #[error(
        "{0:?} is in the mount already and was not written by us; remove it or rename the file"
    )]
    Foreign(String),
    #[error("the files cannot be given to group {0}: the fetcher is not a member of it")]
    Group(u32),
    #[error("could not {action} {name:?}: the mount is read-only")]
    ReadOnly { action: &'static str, name: String },
    #[error("could not {action} {name:?}: the mount is full")]
    Full { action: &'static str, name: String },
    #[error("could not {action} {name:?}: {errno}")]
    Other { action: &'static str, name: String, errno: Errno },
}

impl WriteError {
    pub(super) fn new(action: &'static str, name: &str, errno: Errno) -> Self {
        let name = name.to_owned();
        match errno {
            Errno::ROFS => Self::ReadOnly { action, name },
            Errno::NOSPC | Errno::DQUOT => Self::Full { action, name },
            errno => Self::Other { action, name, errno },
        }
    }
}
