//! Names of images: whether one stands for the operator's image in a registry that they trust.

/// An image reference, as far as two are compared.
#[derive(Debug, PartialEq, Eq)]
struct Reference<'a> {
    repository: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl<'a> Reference<'a> {
    fn read(text: &'a str) -> Self {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        match name.rsplit_once(':') {
            // Before a slash it is the port of the registry.
            Some((repository, tag)) if !tag.contains('/') => {
                Self { repository, tag: Some(tag), digest }
            }
            _ => Self { repository: name, tag: None, digest },
        }
    }
}

/// Whether `text` is `ours` under the name of one of these repositories: the same tag, and the same
/// digest where ours has one. A mirror may add the digest that it resolved the tag to, and nothing else:
/// what a runtime would have to guess at is none.
pub(crate) fn is_mirrored(text: &str, ours: &str, repositories: &[String]) -> bool {
    let (found, ours) = (Reference::read(text), Reference::read(ours));
    repositories.iter().any(|repository| repository == found.repository)
        && found.tag == ours.tag
        && match ours.digest {
            Some(_) => found.digest == ours.digest,
            None => found.digest.is_none_or(is_digest),
        }
}

/// Whether `text` is an image of the same repository as `ours`, or of one of the mirrors, whatever its
/// tag: one that the operator publishes, of this release or of another.
pub(crate) fn has_repository(text: &str, ours: &str, mirrors: &[String]) -> bool {
    let found = Reference::read(text).repository;
    found == Reference::read(ours).repository || mirrors.iter().any(|mirror| mirror == found)
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// A repository alone, without tag and digest.
pub(crate) fn is_repository(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let (host, path) = text.split_once('/').unwrap_or(("", text));
    let (name, port) = host.split_once(':').unwrap_or((host, "1"));
    text.len() <= 255
        && (part(name) || !text.contains('/'))
        && port.bytes().all(|b| b.is_ascii_digit())
        && path.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_holds_the_same_tag_or_digest_under_a_name_of_the_operators() {
        let repositories = ["mirror.example:5000/cache/injector".to_owned()];
        let mirrored = |text: &str, ours: &str| is_mirrored(text, ours, &repositories);
        let digest = "sha256:00";
        let plain = "registry.example/team/injector:1";
        let pinned = format!("registry.example/team/injector@{digest}");
        let both = format!("{plain}@{digest}");
        let at = |rest: &str| format!("mirror.example:5000/cache/injector{rest}");
        for (text, ours) in [
            (at(":1"), plain),
            (at(&format!(":1@sha256:{}", "1a".repeat(32))), plain),
            (at("@sha256:00"), &pinned),
            (at(":1@sha256:00"), &both),
        ] {
            assert!(mirrored(&text, ours), "{text} for {ours}");
        }
        for (text, ours) in [
            (at(":2"), plain),
            (at(""), plain),
            (at(":1@sha256:11"), plain),
            (at(":1@"), plain),
            (at(&format!(":1@sha256:{}", "1A".repeat(32))), plain),
            (at(&format!(":1@sha512:{}", "1a".repeat(32))), plain),
            (at("@sha256:11"), plain),
            (at("@sha256:11"), &pinned),
            (at(":1"), &pinned),
            (at(":1"), &both),
            (at("/more:1"), plain),
            ("registry.example/team/other:1".to_owned(), plain),
            ("mirror.example/cache/injector:1".to_owned(), plain),
            (String::new(), plain),
        ] {
            assert!(!mirrored(&text, ours), "{text} for {ours}");
        }
        assert!(!is_mirrored(plain, plain, &[]));
    }

    #[test]
    fn a_repository_has_neither_tag_nor_digest() {
        for text in ["a", "a/b", "mirror.example/team/injector", "mirror.example:5000/a_b/c-d"] {
            assert!(is_repository(text), "{text}");
        }
        for text in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "a/b:1",
            "a:1",
            "a/b@sha256:00",
            "https://a/b",
            "a/*",
            "a:x/b",
        ] {
            assert!(!is_repository(text), "{text}");
        }
    }
}
