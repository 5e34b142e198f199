//! A file under the mount: its name, its mode, and what it holds.

mod error;

use std::fmt;

use printable::shorten;
use serde::{Deserialize, Serialize};

pub use self::error::InvalidFile;
use self::error::{MAX_PARTS, MAX_PATH};
use crate::content::{Content, Template};
use crate::selector::Selector;

/// One path component that is ours to write, or several: a file in directories of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileName(String);

/// Permission bits, written as quoted octal (`"0400"`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileMode(u16);

/// What happens when the source does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnMissing {
    #[default]
    Fail,
    Skip,
}

/// How a value stands in its secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// As it is wanted.
    #[default]
    AsIs,
    /// Bytes that are kept as text.
    Base64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "FileJson", into = "FileJson")]
pub struct File {
    pub name: FileName,
    pub content: Content,
    pub options: FileOptions,
}

/// What is said of a file beside what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileOptions {
    pub mode: FileMode,
    pub on_missing: OnMissing,
    pub encoding: Encoding,
}

/// The same as an author says it; the Pod fills the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestedFileOptions {
    pub mode: Option<FileMode>,
    pub on_missing: Option<OnMissing>,
    pub encoding: Option<Encoding>,
}

/// A file in JSON: either a value or a template.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FileJson {
    name: FileName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    select: Option<Selector>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    template: Option<Template>,
    mode: FileMode,
    #[serde(default, skip_serializing_if = "OnMissing::is_fail")]
    on_missing: OnMissing,
    #[serde(default, skip_serializing_if = "Encoding::is_as_is")]
    encoding: Encoding,
}

impl File {
    /// Indexes of all lookups that it needs, some of them perhaps twice.
    pub(crate) fn sources(&self) -> impl Iterator<Item = usize> {
        self.content.sources()
    }
}

impl FileOptions {
    #[must_use]
    pub fn new(mode: FileMode, on_missing: OnMissing) -> Self {
        Self { mode, on_missing, encoding: Encoding::default() }
    }
}

impl RequestedFileOptions {
    #[must_use]
    pub fn filled(self, default: FileOptions) -> FileOptions {
        let Self { mode, on_missing, encoding } = self;
        FileOptions {
            mode: mode.unwrap_or(default.mode),
            on_missing: on_missing.unwrap_or(default.on_missing),
            encoding: encoding.unwrap_or(default.encoding),
        }
    }
}

impl TryFrom<FileJson> for File {
    type Error = InvalidFile;

    fn try_from(written: FileJson) -> Result<Self, Self::Error> {
        let FileJson { name, from, select, template, mode, on_missing, encoding } = written;
        let content = Content::of(from, select, template).ok_or(InvalidFile::Content)?;
        Ok(Self { name, content, options: FileOptions { mode, on_missing, encoding } })
    }
}

impl From<File> for FileJson {
    fn from(file: File) -> Self {
        let File { name, content, options: FileOptions { mode, on_missing, encoding } } = file;
        let (from, select, template) = content.into_parts();
        Self { name, from, select, template, mode, on_missing, encoding }
    }
}

impl FileName {
    pub fn parse(text: &str) -> Result<Self, InvalidFile> {
        let quoted = || shorten(text);
        if text.is_empty() {
            Err(InvalidFile::Empty)
        } else if text.len() > 255 {
            Err(InvalidFile::TooLong(quoted(), text.len()))
        } else if !text.chars().all(printable::is_printable) {
            Err(InvalidFile::Unprintable(quoted()))
        } else if text.contains(['/', '\\']) {
            Err(InvalidFile::Separator(quoted()))
        } else if text == "." || text == ".." {
            Err(InvalidFile::Directory(quoted()))
        } else if text.starts_with("..") || text.starts_with(".kms-") {
            Err(InvalidFile::Reserved(quoted()))
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// A name with directories before it, with a `/` behind each.
    pub fn parse_path(text: &str) -> Result<Self, InvalidFile> {
        if text.len() > MAX_PATH || text.split('/').count() > MAX_PARTS {
            return Err(InvalidFile::TooDeep(shorten(text)));
        }
        text.split('/').try_for_each(|part| Self::parse(part).map(drop))?;
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directories that it is in, the outermost first.
    pub fn directories(&self) -> impl Iterator<Item = &str> {
        directories_of(&self.0)
    }
}

/// The directories that a path is in, the outermost first.
pub fn directories_of(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for FileName {
    type Error = InvalidFile;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse_path(&text)
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> Self {
        name.0
    }
}

impl FileMode {
    /// Only the owner: consumers run as the same user as the fetcher.
    pub const OWNER: Self = Self(0o400);
    /// The Pod's `fsGroup` reads.
    pub const GROUP: Self = Self(0o440);
    /// Everything in the Pod reads; the volume is private to the Pod.
    pub const ALL: Self = Self(0o444);

    pub fn parse(text: &str) -> Result<Self, InvalidFile> {
        let bad = || InvalidFile::Mode(shorten(text));
        let octal = (3..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let bits = u16::from_str_radix(text, 8).map_err(|_| bad())?;
        // The owner must read: the fetcher compares what is there with what it fetched.
        if octal && bits <= 0o777 && bits & 0o400 != 0 { Ok(Self(bits)) } else { Err(bad()) }
    }

    #[must_use]
    pub fn bits(self) -> u16 {
        self.0
    }

    #[must_use]
    pub fn group_reads(self) -> bool {
        self.0 & 0o040 != 0
    }

    #[must_use]
    pub fn others_read(self) -> bool {
        self.0 & 0o004 != 0
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl fmt::Debug for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl TryFrom<String> for FileMode {
    type Error = InvalidFile;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<FileMode> for String {
    fn from(mode: FileMode) -> Self {
        mode.to_string()
    }
}

impl Encoding {
    pub fn parse(text: &str) -> Result<Self, InvalidFile> {
        match text {
            "base64" => Ok(Self::Base64),
            "utf-8" | "utf8" => Ok(Self::AsIs),
            _ => Err(InvalidFile::Encoding(shorten(text))),
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(crate) fn is_as_is(&self) -> bool {
        *self == Self::AsIs
    }
}

impl OnMissing {
    pub fn parse(text: &str) -> Result<Self, InvalidFile> {
        match text {
            "fail" => Ok(Self::Fail),
            "skip" => Ok(Self::Skip),
            _ => Err(InvalidFile::OnMissing(shorten(text))),
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub(crate) fn is_fail(&self) -> bool {
        *self == Self::Fail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_file_names() {
        for name in ["db", ".env", "tls.crt", "密码", "a b", &"x".repeat(255)] {
            assert_eq!(FileName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_leave_the_mount_or_are_ours_are_refused() {
        for (name, words) in [
            ("", "empty"),
            (".", "directories"),
            ("..", "directories"),
            ("../x", "separator"),
            ("/etc/passwd", "separator"),
            ("a\\b", "separator"),
            ("..data", "reserved"),
            ("..2026", "reserved"),
            (".kms-status", "reserved"),
            ("a\nb", "control"),
            ("a\0b", "control"),
            ("a\u{202e}b", "format"),
            ("a\u{2028}b", "format"),
            ("\u{feff}b", "format"),
            ("a\u{200b}", "format"),
            ("a\u{e0041}", "format"),
            ("a\u{a0}b", "space"),
            (&"x".repeat(256), "at most 255"),
        ] {
            let error = FileName::parse(name).unwrap_err().to_string();
            assert!(error.contains(words), "{name:?}: {error}");
        }
    }

    #[test]
    fn a_path_has_directories_that_are_names_each() {
        let name = FileName::parse_path("shop/db/tls.crt").unwrap();
        assert_eq!(name.directories().collect::<Vec<_>>(), ["shop", "shop/db"]);
        assert_eq!(FileName::parse_path("a").unwrap().directories().count(), 0);
        let deep = ["a"; 9].join("/");
        for text in ["/a", "a/", "a//b", "a/../b", "a/..data", "a/.kms-x/b", ".", "a/\u{1b}", &deep]
        {
            assert!(FileName::parse_path(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn modes_are_octal_and_readable_by_their_owner() {
        assert_eq!(FileMode::parse("0400").unwrap(), FileMode::OWNER);
        assert_eq!(FileMode::parse("444").unwrap().to_string(), "0444");
        for text in
            ["", "4", "0x1f", "0800", "01777", "4755", "0000", "0044", "00400", "+400", "-400"]
        {
            assert!(FileMode::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_mode_says_who_reads() {
        for (text, group, others) in [
            ("0400", false, false),
            ("0440", true, false),
            ("0404", false, true),
            ("0433", false, false),
        ] {
            let mode = FileMode::parse(text).unwrap();
            assert_eq!((mode.group_reads(), mode.others_read()), (group, others), "{text}");
        }
    }

    #[test]
    fn a_missing_source_fails_or_is_skipped() {
        assert_eq!(OnMissing::parse("fail"), Ok(OnMissing::Fail));
        assert_eq!(OnMissing::parse("skip"), Ok(OnMissing::Skip));
    }
}
