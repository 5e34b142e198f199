use std::cell::RefCell;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use rustix::fs::{CWD, Mode, OFlags};
use tempfile::TempDir;

use super::super::directory::SENTINEL;
use super::super::generation_name::is_name;
use super::super::new_file::directory_mode;
use super::*;

mod access;
mod leases;

struct Mount(TempDir, RefCell<Hold>);

impl Mount {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap(), RefCell::default())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Files as `(name, mode, content)`, published `second` seconds after some moment.
    fn publish(&self, second: u64, files: &[(&str, u16, &str)]) -> Result<Written, WriteError> {
        let files: Vec<NewFile<'_>> = files
            .iter()
            .map(|(name, mode, content)| NewFile { name, mode: *mode, content: content.as_bytes() })
            .collect();
        let modes =
            files.iter().map(|f| plan::FileMode::parse(&format!("{:04o}", f.mode)).unwrap());
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000 + second);
        let present = fs::read_link(self.path(CURRENT)).ok();
        let present = present.as_deref().and_then(Path::to_str);
        let name = Name::next(now, present);
        publish(self.0.path(), &files, directory_mode(modes), None, &name, &mut self.1.borrow_mut())
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn generations(&self) -> Vec<String> {
        self.names().into_iter().filter(|name| is_name(name)).collect()
    }

    /// Everything that a change of anything would show in.
    fn state(&self) -> Vec<(PathBuf, u64, i64, i64, u32)> {
        let mut found = Vec::new();
        let mut rest = vec![self.0.path().to_owned()];
        while let Some(path) = rest.pop() {
            let stat = fs::symlink_metadata(&path).unwrap();
            if stat.is_dir() {
                rest.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
            found.push((path, stat.ino(), stat.mtime(), stat.mtime_nsec(), stat.mode()));
        }
        found.sort();
        found
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn files_have_their_exact_bytes_and_modes_and_are_seen_through_one_link() {
    let mount = Mount::new();
    let files = [("db", 0o400, "p\0w\n"), ("empty", 0o440, ""), (".env", 0o666, "A=1")];
    assert_eq!(mount.publish(0, &files).unwrap(), Written::Changed);
    for (name, bits, content) in files {
        assert_eq!(fs::read(mount.path(name)).unwrap(), content.as_bytes());
        assert_eq!(mode(&mount.path(name)), u32::from(bits), "{name}");
        assert_eq!(fs::read_link(mount.path(name)).unwrap(), Path::new("..data").join(name));
    }
    let target = fs::read_link(mount.path("..data")).unwrap();
    assert_eq!(target, Path::new("..2023_11_14_22_13_20.000000000"));
    assert_eq!(mount.names().len(), 5);
}

#[test]
fn nothing_is_touched_when_nothing_changed() {
    let mount = Mount::new();
    let files = [("a", 0o400, "1"), ("b", 0o444, "2")];
    mount.publish(0, &files).unwrap();
    mount.publish(1, &[("a", 0o400, "0"), ("b", 0o444, "2")]).unwrap();
    mount.publish(2, &files).unwrap();
    let before = mount.state();
    assert_eq!(mount.publish(3, &files).unwrap(), Written::Unchanged);
    assert_eq!(mount.state(), before);
}

#[test]
fn a_change_of_content_name_or_mode_makes_a_new_generation() {
    let mount = Mount::new();
    mount.publish(0, &[("a", 0o400, "1")]).unwrap();
    for (second, files) in [
        (1, &[("a", 0o400, "2")][..]),
        (2, &[("a", 0o400, "22")]),
        (3, &[("a", 0o600, "22")]),
        (3, &[("a", 0o440, "22")]),
        (4, &[("b", 0o440, "22")]),
        (5, &[("b", 0o440, "22"), ("c", 0o440, "")]),
        (6, &[("c", 0o440, "")]),
    ] {
        assert_eq!(mount.publish(second, files).unwrap(), Written::Changed, "{files:?}");
        let visible: Vec<String> =
            mount.names().into_iter().filter(|name| !name.starts_with("..")).collect();
        assert_eq!(visible, files.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
        assert_eq!(fs::read_dir(mount.path("..data")).unwrap().count(), files.len());
        for (name, bits, content) in files {
            assert_eq!(mount.read(name), *content);
            assert_eq!(mode(&mount.path(name)), u32::from(*bits));
        }
    }
}

#[test]
fn the_sentinel_names_the_generation_that_it_is_in_and_changes_with_it_alone() {
    let mount = Mount::new();
    let publish = |second, content| {
        mount.publish(second, &[("a", 0o400, content), (SENTINEL, 0o444, "")]).unwrap()
    };
    let named = || {
        let target = fs::read_link(mount.path("..data")).unwrap();
        assert_eq!(mount.read(SENTINEL), format!("{}\n", target.display()));
        fs::metadata(mount.path(SENTINEL)).unwrap().ino()
    };
    assert_eq!(publish(0, "1"), Written::Changed);
    let first = named();
    let before = mount.state();
    assert_eq!(publish(1, "1"), Written::Unchanged);
    assert_eq!(mount.state(), before);
    assert_eq!(publish(2, "2"), Written::Changed);
    assert_ne!(named(), first);
    // One that says something else is put right, with a generation of its own.
    let inside = mount.path("..data").join(SENTINEL);
    fs::set_permissions(&inside, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&inside, "..2030_01_01_00_00_00.000000000\n").unwrap();
    fs::set_permissions(&inside, fs::Permissions::from_mode(0o444)).unwrap();
    assert_eq!(publish(3, "2"), Written::Changed);
    named();
}

#[test]
fn the_previous_generation_stays_until_the_next_change() {
    let mount = Mount::new();
    mount.publish(0, &[("a", 0o400, "0")]).unwrap();
    let reader = mount.path(fs::read_link(mount.path("..data")).unwrap().to_str().unwrap());
    mount.publish(1, &[("a", 0o400, "1")]).unwrap();
    assert_eq!(fs::read_to_string(reader.join("a")).unwrap(), "0");
    mount.publish(2, &[("a", 0o400, "2")]).unwrap();
    assert!(!reader.exists());
    assert_eq!(mount.generations().len(), 2);
}

#[test]
fn what_is_withdrawn_is_gone_from_every_generation_and_the_rest_stays() {
    let mount = Mount::new();
    mount.publish(1, &[("a", 0o444, "1"), ("b", 0o444, "1")]).unwrap();
    mount.publish(2, &[("a", 0o444, "2"), ("b", 0o444, "2")]).unwrap();
    let (names, hold) = ([String::from("a"), String::from("not there")], &mount.1);
    withdraw(mount.0.path(), &names, &mut hold.borrow_mut()).unwrap();
    assert!(!mount.path("a").exists() && mount.generations().len() == 1);
    assert_eq!(mount.read("b"), "2");
    assert_eq!(mount.publish(3, &[("b", 0o444, "2")]).unwrap(), Written::Changed);
    assert!(!mount.names().contains(&String::from("a")) && mount.generations().len() == 1);
}

#[test]
fn what_an_interrupted_run_left_behind_goes_away() {
    let mount = Mount::new();
    let files = [("a", 0o400, "1")];
    mount.publish(0, &files).unwrap();
    let leftover = mount.path("..2030_01_01_00_00_00.000000000");
    fs::create_dir(&leftover).unwrap();
    fs::write(leftover.join("half"), "half").unwrap();
    symlink("..2030_01_01_00_00_00.000000000", mount.path("..data_tmp")).unwrap();
    symlink("..data/a", mount.path("..link_tmp")).unwrap();
    mount.publish(1, &files).unwrap();
    assert!(!leftover.exists() && !mount.names().contains(&"..data_tmp".to_owned()));
    // A link that points elsewhere is put right through the name that is taken.
    fs::remove_file(mount.path("a")).unwrap();
    symlink("/etc/hostname", mount.path("a")).unwrap();
    mount.publish(2, &files).unwrap();
    assert_eq!(mount.read("a"), "1");
    assert!(!mount.names().contains(&"..link_tmp".to_owned()));
}

#[test]
fn a_switch_that_fails_leaves_no_name_and_no_generation() {
    let mount = Mount::new();
    // Somebody else made it, and it is in the way of ours.
    fs::create_dir(mount.path("..data_tmp")).unwrap();
    let error = mount.publish(0, &[("a", 0o400, "1")]).unwrap_err();
    assert_eq!(error.to_string(), "could not create \"..data_tmp\": File exists (os error 17)");
    assert_eq!(mount.names(), ["..data_tmp"]);
}

#[test]
fn a_run_that_ended_before_it_tidied_up_is_completed() {
    let mount = Mount::new();
    let files = [("a", 0o400, "2")];
    mount.publish(5, &[("a", 0o400, "1")]).unwrap();
    mount.publish(6, &files).unwrap();
    let before = mount.generations();
    let older = mount.path("..2023_11_14_22_13_20.000000000");
    fs::create_dir(&older).unwrap();
    fs::write(older.join("a"), "0").unwrap();
    symlink("..data/gone", mount.path("gone")).unwrap();
    assert_eq!(mount.publish(7, &files).unwrap(), Written::Changed);
    assert_eq!(mount.publish(8, &files).unwrap(), Written::Unchanged);
    assert_eq!(mount.generations(), before);
    assert!(!mount.names().contains(&"gone".to_owned()));
}

#[test]
fn a_run_that_ended_before_its_links_is_completed() {
    let mount = Mount::new();
    let files = [("a", 0o400, "1"), ("b", 0o400, "2")];
    mount.publish(0, &files).unwrap();
    fs::remove_file(mount.path("b")).unwrap();
    let generations = mount.generations();
    assert_eq!(mount.publish(1, &files).unwrap(), Written::Changed);
    assert_eq!((mount.read("b"), mount.generations()), ("2".to_owned(), generations));
}

#[test]
fn no_files_at_all_are_a_valid_generation() {
    let mount = Mount::new();
    mount.publish(0, &[("a", 0o400, "1")]).unwrap();
    mount.publish(1, &[]).unwrap();
    assert!(mount.path("..data").is_dir() && !mount.path("a").exists());
    assert_eq!(mount.publish(2, &[]).unwrap(), Written::Unchanged);
}

#[test]
fn what_is_not_ours_is_never_overwritten() {
    for foreign in ["a", "..data"] {
        for make_directory in [false, true] {
            let mount = Mount::new();
            let path = mount.path(foreign);
            if make_directory { fs::create_dir(&path) } else { fs::write(&path, "theirs") }
                .unwrap();
            let before = mount.state();
            let error = mount.publish(0, &[("b", 0o400, ""), ("a", 0o400, "")]).unwrap_err();
            assert!(matches!(&error, WriteError::Foreign(name) if name == foreign), "{error}");
            assert_eq!(mount.state(), before);
        }
    }
    let mount = Mount::new();
    fs::write(mount.path("theirs"), "theirs").unwrap();
    fs::create_dir(mount.path("..theirs")).unwrap();
    mount.publish(0, &[("a", 0o400, "1")]).unwrap();
    mount.publish(1, &[("a", 0o400, "2")]).unwrap();
    assert_eq!(mount.read("theirs"), "theirs");
    assert!(mount.path("..theirs").is_dir());
}

#[test]
fn a_mount_that_is_none_is_said_so() {
    let mount = Mount::new();
    let name = Name::next(UNIX_EPOCH, None);
    let publish = |path: &Path| publish(path, &[], 0o700, None, &name, &mut Hold::default());
    let missing = publish(&mount.path("no")).unwrap_err();
    assert!(matches!(missing, WriteError::NoMount(_)), "{missing}");
    fs::write(mount.path("file"), "").unwrap();
    symlink(mount.0.path(), mount.path("link")).unwrap();
    for other in ["file", "link"] {
        let error = publish(&mount.path(other)).unwrap_err();
        assert!(matches!(error, WriteError::NotADirectory(_)), "{error}");
    }
}

/// Bytes of which every part tells the round.
fn round_of(content: &[u8]) -> u64 {
    // Equal to itself moved by one number: quick also where nothing is optimised.
    assert!(content.len() == LENGTH && content[8..] == content[..LENGTH - 8], "torn");
    u64::from_be_bytes(content[..8].try_into().unwrap())
}

/// More than the kernel copies at once.
const LENGTH: usize = 8 * 1024;
const RACED: [&str; 3] = ["a", "b", "c"];

/// As fast as it can. A generation goes with the second change after its own, so readers who meet
/// two changes within one reading may find it gone; nobody else may, and nobody finds anything torn,
/// empty, mixed, or older than before.
#[test]
fn however_often_readers_look_they_see_one_whole_generation() {
    const READS: u64 = 1_000_000;
    let in_memory = Path::new("/dev/shm");
    let mount =
        if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() };
    let mount = mount.unwrap();
    let (begun, ended, reads) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let write = |round: u64| {
        let content = round.to_be_bytes().repeat(LENGTH / 8);
        let files = RACED.map(|name| NewFile { name, mode: 0o400, content: &content });
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_micros(round);
        begun.fetch_add(1, Ordering::SeqCst);
        publish(mount.path(), &files, 0o700, None, &Name::next(now, None), &mut Hold::default())
            .unwrap();
        ended.fetch_add(1, Ordering::SeqCst);
    };
    write(0);
    // What a look gives; `None` is possible only where two changes have met it.
    let looked = |look: &dyn Fn() -> Option<u64>, latest: &mut u64| {
        let before = ended.load(Ordering::SeqCst);
        let round = look();
        let changes = begun.load(Ordering::SeqCst) - before;
        match round {
            Some(round) => {
                assert!(round >= *latest, "{round} after {latest}");
                *latest = round;
            }
            None => assert!(changes >= 2, "missing after {changes} changes"),
        }
    };
    let by_path = || {
        let mut latest = 0;
        while reads.load(Ordering::Relaxed) < READS {
            for name in RACED {
                let look = || Some(round_of(&fs::read(mount.path().join(name)).ok()?));
                looked(&look, &mut latest);
                reads.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    let by_directory = || {
        let mut latest = 0;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let look = || {
            let path = mount.path().join("..data");
            let directory = rustix::fs::openat(CWD, &path, flags, Mode::empty()).ok()?;
            let read = |name| {
                let file = rustix::fs::openat(&directory, name, OFlags::RDONLY, Mode::empty());
                let mut content = Vec::with_capacity(LENGTH);
                fs::File::from(file.ok()?).read_to_end(&mut content).unwrap();
                Some(round_of(&content))
            };
            let [a, b, c] = RACED.map(read);
            let (a, b, c) = (a?, b?, c?);
            assert!(a == b && b == c, "mixed");
            Some(a)
        };
        while reads.load(Ordering::Relaxed) < READS {
            looked(&look, &mut latest);
            reads.fetch_add(RACED.len() as u64, Ordering::Relaxed);
        }
    };
    let mut round = 0;
    std::thread::scope(|scope| {
        let readers = [scope.spawn(by_path), scope.spawn(by_directory)];
        while !readers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            round += 1;
            write(round);
        }
    });
    assert!(round > 100, "{round} changes only");
}
