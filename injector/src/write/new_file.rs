//! A file that is to be written, and how its directory lets its readers in.

use plan::FileMode;

/// One file as applications will see it.
#[derive(Clone, Copy)]
pub(crate) struct NewFile<'a> {
    pub(crate) name: &'a str,
    pub(crate) mode: u16,
    pub(crate) content: &'a [u8],
}

/// The mode of the directory that lets those in who may read a file of it.
pub(crate) fn directory_mode(modes: impl IntoIterator<Item = FileMode>) -> u16 {
    modes.into_iter().fold(0o700, |mode, file| {
        let group = if file.group_reads() { 0o050 } else { 0 };
        // Others come in with the group: there is no reader whom that would keep out.
        let others = if file.others_read() { 0o055 } else { 0 };
        mode | group | others
    })
}
