//! The files of a mount at one moment, without what is in them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// The container whose files are shown.
pub(crate) const APP: &str = "app";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Where `..data` points.
    pub(crate) generation: String,
    pub(crate) files: BTreeMap<String, Listed>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) mode: u32,
    pub(crate) bytes: u64,
    /// Tells contents apart and shows none.
    digest: String,
    inode: u64,
    changed: (i64, i64),
}

impl Listing {
    pub(crate) fn of(mount: &Path) -> Result<Self> {
        let generation = fs::read_link(mount.join("..data")).context("reading ..data")?;
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(mount)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !name.starts_with("..") {
                files.insert(name.clone(), Listed::of(&mount.join(name))?);
            }
        }
        Ok(Self { generation: generation.to_string_lossy().into_owned(), files })
    }

    /// Files with another content than `before`.
    pub(crate) fn changed_since(&self, before: &Self) -> Vec<&str> {
        let digest = |listing: &Self, name: &str| {
            listing.files.get(name).map(|listed| listed.digest.clone())
        };
        self.files
            .keys()
            .filter(|name| digest(self, name) != digest(before, name))
            .map(String::as_str)
            .collect()
    }
}

impl Listed {
    fn of(path: &Path) -> Result<Self> {
        let stat = fs::metadata(path).with_context(|| format!("reading {}", path.display()))?;
        let digest = Sha256::digest(fs::read(path)?);
        Ok(Self {
            mode: stat.permissions().mode() & 0o7777,
            bytes: stat.len(),
            digest: digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect(),
            inode: stat.ino(),
            changed: (stat.mtime(), stat.mtime_nsec()),
        })
    }

    pub(crate) fn row(&self, name: &str) -> String {
        format!("{name:<14} {:04o} {:>6} bytes   sha256 {}…", self.mode, self.bytes, self.digest)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_changed_file_is_found_and_a_file_touched_is_no_equal_listing() {
        let mount = tempfile::tempdir().unwrap();
        let path = |name: &str| mount.path().join(name);
        fs::create_dir(path("..1")).unwrap();
        symlink("..1", path("..data")).unwrap();
        for name in ["a", "b"] {
            fs::write(path(name), "one").unwrap();
        }
        let before = Listing::of(mount.path()).unwrap();
        assert_eq!(before, Listing::of(mount.path()).unwrap());
        assert_eq!(before.generation, "..1");
        fs::write(path("a.new"), "one").unwrap();
        fs::rename(path("a.new"), path("a")).unwrap();
        let touched = Listing::of(mount.path()).unwrap();
        assert!(touched != before && touched.changed_since(&before).is_empty());
        fs::write(path("b"), "two").unwrap();
        assert_eq!(Listing::of(mount.path()).unwrap().changed_since(&before), ["b"]);
        assert!(!before.files["a"].row("a").contains("one"));
    }
}
