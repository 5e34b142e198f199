//! One annotation of a family, whose key has a name of the Pod's in it.

/// One annotation of a family.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    pub(super) key: &'a str,
    /// What stands behind the dot, if there is one.
    pub(super) name: Option<&'a str>,
    pub(super) text: &'a str,
}

/// What stands behind the dot of a family's key; `None` for a key of no such family.
pub(super) fn member_name<'k>(word: &str, key: &'k str) -> Option<Option<&'k str>> {
    match key.strip_prefix(word)? {
        "" => Some(None),
        rest => rest.strip_prefix('.').map(Some),
    }
}
