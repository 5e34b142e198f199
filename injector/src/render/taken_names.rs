//! Names that files and variables have, so that no two want one.

use std::collections::HashSet;

use plan::directories_of;

use crate::input::entry::MemoryVolume;

/// A name is one of a file or of a directory that has files.
#[derive(Default)]
pub(super) struct TakenNames {
    files: HashSet<(MemoryVolume, String)>,
    directories: HashSet<(MemoryVolume, String)>,
}

impl TakenNames {
    /// Whether the name was free.
    pub(super) fn take(&mut self, volume: MemoryVolume, name: &str) -> bool {
        if self.has(volume, name) {
            return false;
        }
        self.directories.extend(directories_of(name).map(|name| (volume, name.to_owned())));
        self.files.insert((volume, name.to_owned()))
    }

    pub(super) fn has(&self, volume: MemoryVolume, name: &str) -> bool {
        let is_file = |name: &str| self.files.contains(&(volume, name.to_owned()));
        is_file(name)
            || self.directories.contains(&(volume, name.to_owned()))
            || directories_of(name).any(is_file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_has_the_name_of_another_one_or_of_a_directory() {
        let mut taken = TakenNames::default();
        assert!(taken.take(MemoryVolume::Files, "conf/app/a.yaml"));
        for name in ["conf", "conf/app", "conf/app/a.yaml", "conf/app/a.yaml/b"] {
            assert!(!taken.take(MemoryVolume::Files, name), "{name}");
        }
        assert!(taken.take(MemoryVolume::Files, "conf/app/b.yaml"));
        assert!(taken.take(MemoryVolume::Environment, "conf"));
    }
}
