//! Texts are borrowed from where they came, or made here and wiped when they go.

use std::borrow::Cow;
use std::io;
use std::ops::Deref;
use std::rc::Rc;

use zeroize::Zeroizing;

use crate::error::Error;

/// A value in between may be larger than what is written in the end: one in quotes is longer.
const MAX_VALUE_BYTES: usize = 1024 * 1024;

#[derive(Clone)]
pub enum Text<'a> {
    Borrowed(&'a str),
    Owned(Rc<Zeroizing<String>>),
}

impl<T: Into<Zeroizing<String>>> From<T> for Text<'_> {
    fn from(text: T) -> Self {
        Self::Owned(Rc::new(text.into()))
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

/// A text that grows here has a bound, and leaves no copies behind.
pub struct Builder {
    text: Zeroizing<String>,
    most: usize,
    /// The message about a text that has more begins with this. Without, there is no fuel for more.
    subject: Option<&'static str>,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new(MAX_VALUE_BYTES, "it makes")
    }
}

impl Builder {
    #[must_use]
    pub fn new(most: usize, subject: &'static str) -> Self {
        Self { text: Zeroizing::default(), most, subject: Some(subject) }
    }

    /// One operation makes no more than can be paid for.
    pub(crate) fn affordable(bytes: usize) -> Self {
        if bytes >= MAX_VALUE_BYTES {
            return Self::default();
        }
        Self { text: Zeroizing::default(), most: bytes, subject: None }
    }

    #[inline]
    pub fn push_str(&mut self, part: &str) -> Result<(), Error> {
        let length = self.text.len() + part.len();
        if length > self.text.capacity().min(self.most) {
            self.reserve(length)?;
        }
        self.text.push_str(part);
        Ok(())
    }

    /// This makes room for a text of this length, which may still grow.
    pub fn reserve(&mut self, length: usize) -> Result<(), Error> {
        if length > self.most {
            return Err(self.too_long());
        }
        let capacity = length.max(self.text.capacity() * 2).min(self.most);
        let mut larger = Zeroizing::new(String::with_capacity(capacity));
        larger.push_str(&self.text);
        self.text = larger;
        Ok(())
    }

    /// Some characters of the text are written in another way.
    pub(crate) fn push_escaped(
        &mut self,
        text: &str,
        escape: impl Fn(char) -> Option<Cow<'static, str>>,
    ) -> Result<(), Error> {
        let mut start = 0;
        for (at, c) in text.char_indices() {
            if let Some(escaped) = escape(c) {
                self.push_str(text.get(start..at).unwrap_or_default())?;
                self.push_str(&escaped)?;
                start = at + c.len_utf8();
            }
        }
        self.push_str(text.get(start..).unwrap_or_default())
    }

    pub(crate) fn too_long(&self) -> Error {
        match self.subject {
            Some(subject) => Error::words(format!("{subject} more than {} bytes", self.most)),
            None => Error::OutOfFuel,
        }
    }

    #[must_use]
    pub fn into_text(self) -> Zeroizing<String> {
        self.text
    }
}

/// serde_json writes whole characters.
impl io::Write for Builder {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(part).map_err(io::Error::other)?;
        self.push_str(text).map_err(io::Error::other)?;
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
