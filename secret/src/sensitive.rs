//! Bytes that must not be seen: no content in `Debug`, no `Display`, `Clone` or `Serialize`,
//! zeroed when dropped.

use std::fmt;

use zeroize::Zeroizing;

pub struct Sensitive(Zeroizing<Vec<u8>>);

impl Sensitive {
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The one way to the content; callers are found by this name.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<u8>> for Sensitive {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl From<Zeroizing<Vec<u8>>> for Sensitive {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl From<String> for Sensitive {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sensitive({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Sensitive;

    #[test]
    fn debug_shows_the_length_and_nothing_else() {
        let value = Sensitive::from(String::from("canary"));
        assert_eq!(format!("{value:?}"), "Sensitive(6 bytes)");
        assert_eq!(value.expose(), b"canary");
    }
}
