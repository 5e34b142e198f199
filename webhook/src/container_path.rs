//! Where in a container a path leads, however it is written.

use std::borrow::Cow;

/// A path as the kubelet takes it: from the root, also where it is written without its first `/`.
/// It is read once, into its shortest form, so that comparing it costs no more than its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContainerPath<'p> {
    /// Each step with a `/` before it; empty for the root.
    text: Cow<'p, str>,
    steps_back: bool,
}

impl<'p> ContainerPath<'p> {
    pub(crate) fn new(text: impl Into<Cow<'p, str>>) -> Self {
        let text = text.into();
        let from_root = text.strip_prefix('/');
        let mut is_shortest = from_root.is_some();
        let mut steps_back = false;
        for step in from_root.unwrap_or(&text).as_bytes().split(|byte| *byte == b'/') {
            match step {
                b"" | b"." => is_shortest = false,
                b".." => steps_back = true,
                _ => {}
            }
        }
        let text = if is_shortest { text } else { Cow::Owned(shortest(&text)) };
        Self { text, steps_back }
    }

    /// Whether it has a `..`: it may lead anywhere, and so is and holds any other.
    pub(crate) fn steps_back(&self) -> bool {
        self.steps_back
    }

    pub(crate) fn is_root(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether it is `tree` or lies below it: as it is written, or by the usual link.
    pub(crate) fn is_within(&self, tree: &ContainerPath<'_>) -> bool {
        below(&self.text, &tree.text).is_some()
            || below(self.linked(), tree.linked()).is_some()
            || self.steps_back
            || tree.steps_back
    }

    /// How many steps it lies below `tree`, if it does as it is written.
    pub(crate) fn steps_below(&self, tree: &ContainerPath<'_>) -> Option<usize> {
        below(&self.text, &tree.text).map(|rest| rest.matches('/').count())
    }

    /// Whether one is, or lies in, the other.
    pub(crate) fn meets(&self, other: &ContainerPath<'_>) -> bool {
        self.is_within(other) || other.is_within(self)
    }

    /// In most images `/var/run` is a link to `/run`.
    fn linked(&self) -> &str {
        match below(&self.text, "/var/run") {
            Some(_) => self.text.strip_prefix("/var").unwrap_or(&self.text),
            None => &self.text,
        }
    }
}

fn shortest(text: &str) -> String {
    let mut short = String::with_capacity(text.len() + 1);
    for step in text.split('/').filter(|step| !step.is_empty() && *step != ".") {
        short.push('/');
        short.push_str(step);
    }
    short
}

/// What follows `tree`, where a path is it or lies below it.
fn below<'p>(path: &'p str, tree: &str) -> Option<&'p str> {
    path.strip_prefix(tree).filter(|rest| rest.is_empty() || rest.starts_with('/'))
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
