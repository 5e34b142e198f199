//! Looks for a text in every file of the cluster, outside of memory volumes.

use std::fs;
use std::os::linux::fs::MetadataExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lab::cluster::Tool;

use crate::stage::cluster;

const GONE: &str = ": No such file or directory";

/// The files that contain a text, as it is, in base64 or in hex.
pub(crate) fn holders(text: &str) -> Vec<String> {
    let seed = seed_file();
    let output = Tool::new("env")
        .args(["LC_ALL=C", "find"])
        .arg(cluster().layout().root())
        // Not what is mounted below; files come and go meanwhile.
        .args(["-xdev", "-ignore_readdir_race", "-type", "f"])
        .args(["-exec", "grep", "--files-with-matches", "--text", "--fixed-strings"])
        .args(["--no-messages"])
        .args(forms(text).iter().flat_map(|form| ["-e", form]))
        .args(["--", "{}", "+"])
        .output()
        .unwrap();
    // A directory that goes away after it was listed is told in spite of the option.
    let trouble = output.stderr.lines().filter(|line| !line.ends_with(GONE));
    let trouble: Vec<&str> = trouble.collect();
    assert!(trouble.is_empty(), "searching: {}", trouble.join("\n"));
    let found = output.stdout.lines().filter(|file| *file != seed);
    found.map(str::to_owned).collect()
}

/// Mounts below the cluster's directory that are not searched: all of them are in memory, or show
/// what is searched elsewhere.
pub(crate) fn only_memory_is_left_out() {
    let root = cluster().layout().root().to_owned();
    let device = fs::metadata(&root).unwrap().st_dev();
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    for line in table.lines() {
        let (place, kind) = line.split_once(" - ").unwrap();
        let place = Path::new(place.split(' ').nth(4).unwrap());
        let kind = kind.split(' ').next().unwrap();
        // The layers of `overlay` are below containerd's root; `nsfs` is a name of a namespace.
        if !place.starts_with(&root) || ["tmpfs", "overlay", "nsfs"].contains(&kind) {
            continue;
        }
        // One that is gone since shows nothing any more.
        let Ok(mounted) = fs::metadata(place) else { continue };
        let searched = mounted.st_dev() == device;
        assert!(searched, "{} is mounted from another device and not searched", place.display());
    }
}

/// How a text looks wherever it stands in what was encoded: without the characters that depend on
/// what is before and behind it.
fn forms(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_owned(), hex(text), hex(text).to_uppercase()];
    for (before, depend) in [("", 0), ("?", 2), ("??", 3)] {
        let encoded = STANDARD.encode(format!("{before}{text}"));
        let whole = (before.len() + text.len()) * 8 / 6;
        forms.extend(encoded.get(depend..whole).map(str::to_owned));
    }
    forms
}

pub(crate) fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// What the emulated cloud was started with: the one file that holds every value.
pub(crate) fn seed_file() -> String {
    cluster().layout().root().join("cloud/seed.json").display().to_string()
}
