//! Where in a container a path leads, however it is written.

use std::iter;

/// A path as the kubelet takes it: from the root, also where it is written without its first `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerPath<'p>(Vec<&'p str>);

impl<'p> ContainerPath<'p> {
    #[must_use]
    pub fn new(text: &'p str) -> Self {
        Self(text.split('/').filter(|part| !part.is_empty() && *part != ".").collect())
    }

    /// Whether it has a `..`: it may lead anywhere, and so is and holds any other.
    #[must_use]
    pub fn steps_back(&self) -> bool {
        self.0.contains(&"..")
    }

    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is `tree` or lies below it: as it is written, or by the usual link.
    #[must_use]
    pub fn is_within(&self, tree: &Self) -> bool {
        self.steps_back()
            || tree.steps_back()
            || self.0.starts_with(&tree.0)
            || self.linked().starts_with(&tree.linked())
    }

    /// How many steps it lies below `tree`, if it does as it is written.
    #[must_use]
    pub(crate) fn steps_below(&self, tree: &Self) -> Option<usize> {
        self.0.strip_prefix(tree.0.as_slice()).map(<[_]>::len)
    }

    /// Whether one is, or lies in, the other.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.is_within(other) || other.is_within(self)
    }

    /// In most images `/var/run` is a link to `/run`.
    fn linked(&self) -> Vec<&'p str> {
        match self.0.as_slice() {
            ["var", "run", rest @ ..] => iter::once("run").chain(rest.iter().copied()).collect(),
            parts => parts.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ContainerPath<'_> {
        ContainerPath::new(text)
    }

    #[test]
    fn a_path_is_the_same_however_it_is_written() {
        for other in ["/a/b/", "//a//b", "a/b", "/./a/./b/.", "./a/b"] {
            assert_eq!(path(other), path("/a/b"), "{other}");
        }
        assert!(path("/").is_root() && path("").is_root() && !path("/a").is_root());
        for stepping in ["..", "/a/..", "/a/../b"] {
            let stepping = path(stepping);
            assert!(stepping.steps_back() && stepping.is_within(&path("/c")), "{stepping:?}");
            assert!(path("/c").is_within(&stepping), "{stepping:?}");
        }
        assert!(!path("/a/..b/...").steps_back());
    }

    #[test]
    fn a_path_lies_in_what_holds_it() {
        for (inner, outer) in [
            ("/a", "/a"),
            ("/a/b", "/a"),
            ("/a", "/"),
            ("/var/run/a", "/var"),
            ("/var/run/a", "/run"),
            ("/run/a", "/var/run"),
            ("/var/./run/a", "run"),
        ] {
            assert!(path(inner).is_within(&path(outer)), "{inner} {outer}");
        }
        for (inner, outer) in [
            ("/a", "/a/b"),
            ("/ab", "/a"),
            ("/a/b", "/b"),
            ("/var/running", "/run"),
            // What is mounted there hides the link.
            ("/run/a", "/var"),
        ] {
            assert!(!path(inner).is_within(&path(outer)), "{inner} {outer}");
        }
    }

    #[test]
    fn steps_are_counted_below_what_holds_a_path() {
        let steps = |inner, outer| path(inner).steps_below(&path(outer));
        assert_eq!((steps("/a/b/c", "/a"), steps("/a", "/a")), (Some(2), Some(0)));
        assert_eq!((steps("/ab", "/a"), steps("/a", "/a/b")), (None, None));
    }

    #[test]
    fn paths_meet_where_one_holds_the_other() {
        for (one, other) in
            [("/a", "/a/b"), ("/a/b", "/a"), ("/var", "/var/run/a"), ("/run/a", "/var/run")]
        {
            assert!(path(one).meets(&path(other)), "{one} {other}");
        }
        for (one, other) in [("/a", "/b"), ("/a/b", "/a/c"), ("/var", "/run/a")] {
            assert!(!path(one).meets(&path(other)), "{one} {other}");
        }
    }
}
