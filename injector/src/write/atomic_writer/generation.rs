//! A generation: one directory with one consistent set of files, named after its time.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, Dir, FileType, Gid, Mode, OFlags, Stat};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::hold::Hold;
use super::links::NEW_LINK;
use super::{NEXT, NewFile, SENTINEL, WriteError, open_directory};

/// What a generation is called. Later ones sort behind earlier ones.
#[derive(Clone, Debug)]
pub(crate) struct Name(String);

/// What a generation has to hold.
pub(super) struct Wanted<'a> {
    pub(super) files: &'a [NewFile<'a>],
    directory_mode: Mode,
    group: Option<Gid>,
}

/// Written into names, so that a foreign directory is never taken for a generation.
const NAME_PATTERN: &str = "..dddd_dd_dd_dd_dd_dd.ddddddddd";

impl<'a> Wanted<'a> {
    pub(super) fn new(files: &'a [NewFile<'a>], directory_mode: u16, group: Option<u32>) -> Self {
        Self {
            files,
            directory_mode: Mode::from_raw_mode(directory_mode.into()),
            group: group.map(Gid::from_raw),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.files.iter().any(|file| file.name == name)
    }

    /// Whether `name` holds a file that is not wanted any more. What cannot be read may.
    pub(super) fn lacks_some_of(&self, mount: &OwnedFd, name: &str) -> bool {
        let held = open_directory(mount, Path::new(name)).and_then(|held| entries(&held));
        held.map_or(true, |names| !names.iter().all(|name| self.has(name)))
    }

    /// Whether `name` holds exactly this already. What cannot be read does not.
    pub(super) fn is_held_by(&self, mount: &OwnedFd, name: &str, hold: &mut Hold) -> bool {
        self.compare(mount, name, hold).unwrap_or(false)
    }

    fn compare(&self, mount: &OwnedFd, name: &str, hold: &mut Hold) -> Result<bool, Errno> {
        let directory = open_directory(mount, Path::new(name))?;
        if !self.fits(&rustix::fs::fstat(&directory)?, self.directory_mode) {
            return Ok(false);
        }
        if !entries(&directory)?.iter().all(|name| self.has(name)) {
            return Ok(false);
        }
        for file in self.files {
            let opened = hold.open(&directory, name, file.name)?;
            if !self.is_same(&opened, file, &content(file, name))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_same(&self, opened: &File, file: &NewFile<'_>, content: &[u8]) -> Result<bool, Errno> {
        let stat = rustix::fs::fstat(opened)?;
        let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        let size = usize::try_from(stat.st_size).ok();
        if !regular || size != Some(content.len()) || !self.fits(&stat, mode(file)) {
            return Ok(false);
        }
        // From its beginning, however often it was read before.
        let mut found = Zeroizing::new(vec![0; content.len()]);
        match opened.read_exact_at(&mut found, 0) {
            Ok(()) => Ok(found.as_slice() == content),
            // It was shortened meanwhile.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        }
    }

    fn fits(&self, stat: &Stat, mode: Mode) -> bool {
        Mode::from_raw_mode(stat.st_mode) & Mode::from_raw_mode(0o777) == mode
            && self.group.is_none_or(|group| stat.st_gid == group.as_raw())
    }

    fn own(&self, opened: &OwnedFd, mode: Mode, name: &str) -> Result<(), WriteError> {
        set_owner(opened, name, self.group, mode)
    }
}

/// The group first: changing it may clear bits of the mode. Explicitly, because a directory
/// that was chmodded has lost the setgid bit that would have passed the group on.
pub(super) fn set_owner(
    opened: impl AsFd,
    name: &str,
    group: Option<Gid>,
    mode: Mode,
) -> Result<(), WriteError> {
    if let Some(group) = group {
        rustix::fs::fchown(&opened, None, Some(group)).map_err(|errno| match errno {
            Errno::PERM => WriteError::Group(group.as_raw()),
            errno => WriteError::new("set the group of", name, errno),
        })?;
    }
    // And not at creation, where the umask takes its share.
    rustix::fs::fchmod(&opened, mode)
        .map_err(|errno| WriteError::new("set the mode of", name, errno))
}

/// Makes a directory that holds what is wanted, or leaves none behind.
pub(super) fn create(mount: &OwnedFd, wanted: &Wanted<'_>, name: &str) -> Result<Hold, WriteError> {
    rustix::fs::mkdirat(mount, name, Mode::RWXU)
        .map_err(|errno| WriteError::new("create", name, errno))?;
    let filled = open_directory(mount, Path::new(name))
        .map_err(|errno| WriteError::new("open", name, errno))
        .and_then(|directory| fill(&directory, wanted, name));
    filled.inspect_err(|_| remove(mount, name))
}

fn fill(directory: &OwnedFd, wanted: &Wanted<'_>, name: &str) -> Result<Hold, WriteError> {
    let mut hold = Hold::on(name);
    for file in wanted.files {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(directory, file.name, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|errno| WriteError::new("create", file.name, errno))?;
        let mut opened = File::from(opened);
        opened.write_all(&content(file, name)).map_err(|error| {
            WriteError::new("write", file.name, Errno::from_io_error(&error).unwrap_or(Errno::IO))
        })?;
        // While it is open for us to write: from its first instant on nobody gets a lease on it. One
        // that cannot be held is written all the same.
        let _ = hold.open(directory, name, file.name);
        wanted.own(&opened.into(), mode(file), file.name)?;
    }
    wanted.own(directory, wanted.directory_mode, name)?;
    Ok(hold)
}

/// What a run left behind that ended in the middle: generations later than the current one.
pub(super) fn remove_unfinished(mount: &OwnedFd, current: Option<&str>) {
    for link in [NEXT, NEW_LINK] {
        // Most often there is none. One that stays fails again, with words, when it is created.
        let _ = rustix::fs::unlinkat(mount, link, AtFlags::empty());
    }
    remove_all_but(mount, |name| current.is_some_and(|current| name <= current));
}

/// Where one run ended before it had tidied up, there is more than one.
pub(super) fn latest_before(mount: &OwnedFd, shown: &str) -> Option<String> {
    let all = entries(mount).unwrap_or_default().into_iter();
    all.filter(|name| is_name(name) && name.as_str() < shown).max()
}

/// Removes generations; one that cannot be removed is in nobody's way.
pub(super) fn remove_all_but(mount: &OwnedFd, keep: impl Fn(&str) -> bool) {
    for name in entries(mount).unwrap_or_default() {
        if is_name(&name) && !keep(&name) {
            remove(mount, &name);
        }
    }
}

pub(super) fn remove(mount: &OwnedFd, name: &str) {
    if let Ok(directory) = open_directory(mount, Path::new(name)) {
        for entry in entries(&directory).unwrap_or_default() {
            let _ = rustix::fs::unlinkat(&directory, &entry, AtFlags::empty());
        }
    }
    let _ = rustix::fs::unlinkat(mount, name, AtFlags::REMOVEDIR);
}

/// Names in a directory; those that are not UTF-8 are not ours and left out.
pub(super) fn entries(directory: &OwnedFd) -> Result<Vec<String>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        match entry?.file_name().to_str() {
            Ok("." | "..") | Err(_) => {}
            Ok(name) => names.push(name.to_owned()),
        }
    }
    Ok(names)
}

pub(super) fn is_name(name: &str) -> bool {
    name.len() == NAME_PATTERN.len()
        && name.bytes().zip(NAME_PATTERN.bytes()).all(|(byte, pattern)| match pattern {
            b'd' => byte.is_ascii_digit(),
            literal => byte == literal,
        })
}

impl Name {
    /// That of `now`, if it sorts behind `present`; else the one after that: a clock may be set
    /// back, or stand still.
    pub(crate) fn next(now: SystemTime, present: Option<&str>) -> Self {
        let of_now = name(now.duration_since(UNIX_EPOCH).unwrap_or_default());
        match present.filter(|present| of_now.as_str() <= *present) {
            Some(present) => Self(after(present)),
            None => Self(of_now),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// One more, of its digits. That need not be a time, and sorts all the same.
fn after(name: &str) -> String {
    let mut carry = true;
    let next = |digit: char| match digit.to_digit(10) {
        Some(9) if carry => '0',
        Some(value) if carry => {
            carry = false;
            char::from_digit(value + 1, 10).unwrap_or(digit)
        }
        _ => digit,
    };
    let reversed: String = name.chars().rev().map(next).collect();
    reversed.chars().rev().collect()
}

/// `..YYYY_MM_DD_HH_MM_SS.NNNNNNNNN` in UTC: sorts by time, as the kubelet's names do.
fn name(since: Duration) -> String {
    let (days, rest) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let nanos = since.subsec_nanos();
    format!("..{year:04}_{month:02}_{day:02}_{hour:02}_{minute:02}_{second:02}.{nanos:09}")
}

/// The Gregorian date of a day since 1970-01-01. Years begin in March here, so that the leap day
/// is the last one; 719,468 days lie between 0000-03-01 and 1970-01-01, 146,097 in 400 years.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // 153 days in every five months from March on.
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

/// What a file holds in the generation of this name.
fn content<'a>(file: &NewFile<'a>, generation: &str) -> Cow<'a, [u8]> {
    match file.name {
        SENTINEL => Cow::Owned(format!("{generation}\n").into_bytes()),
        _ => Cow::Borrowed(file.content),
    }
}

fn mode(file: &NewFile<'_>) -> Mode {
    Mode::from_raw_mode(file.mode.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_named_after_its_time() {
        for (seconds, nanos, expected) in [
            (0, 0, "..1970_01_01_00_00_00.000000000"),
            (951_782_400, 7, "..2000_02_29_00_00_00.000000007"),
            (1_709_251_199, 999_999_999, "..2024_02_29_23_59_59.999999999"),
            (1_767_225_599, 1, "..2025_12_31_23_59_59.000000001"),
            (4_107_542_400, 0, "..2100_03_01_00_00_00.000000000"),
        ] {
            let made = name(Duration::new(seconds, nanos));
            assert_eq!(made, expected);
            assert!(is_name(&made));
        }
    }

    #[test]
    fn a_name_sorts_behind_the_present_one_whatever_the_clock_says() {
        let now = UNIX_EPOCH + Duration::new(951_782_400, 7);
        let present = "..2000_02_29_00_00_00.000000007";
        for (present, expected) in [
            (None, present),
            (Some("..2000_02_29_00_00_00.000000006"), present),
            (Some(present), "..2000_02_29_00_00_00.000000008"),
            (Some("..2001_01_01_00_00_00.000000999"), "..2001_01_01_00_00_00.000001000"),
            (Some("..2001_12_31_23_59_59.999999999"), "..2001_12_31_23_59_60.000000000"),
            (Some("..2001_12_31_23_59_99.999999999"), "..2001_12_31_23_60_00.000000000"),
        ] {
            let next = Name::next(now, present);
            assert_eq!(next.as_str(), expected);
            assert!(is_name(expected) && present.is_none_or(|present| present < expected));
        }
    }

    #[test]
    fn nothing_else_is_taken_for_a_generation() {
        for other in ["..data", "..data_tmp", "..", "..2024_02_29", "db", "..2024_02_29_23_59_59.x"]
        {
            assert!(!is_name(other), "{other}");
        }
    }
}
