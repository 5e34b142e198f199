//! What an entry will hold: a value as it came, or what was made of values.

use secret::Sensitive;

pub(super) enum Content<'a> {
    Whole(&'a Sensitive),
    Made(Sensitive),
}

impl Content<'_> {
    pub(super) fn into_sensitive(self) -> Sensitive {
        match self {
            Self::Whole(value) => Sensitive::new(value.expose().to_vec()),
            Self::Made(value) => value,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(value) => value.expose(),
            Self::Made(value) => value.expose(),
        }
    }
}
