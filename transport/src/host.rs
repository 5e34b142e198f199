//! What a host may be called, and the patterns that say which hosts are meant.

/// A plain host name: no scheme, port, path, user or address literal can hide in it.
#[must_use]
pub fn is_host_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    host.len() <= 253
        && host.split('.').all(label)
        && host.rsplit('.').next().is_some_and(|top| top.bytes().any(|b| b.is_ascii_lowercase()))
}

/// Whether `pattern`, which is a host name, `*.suffix` or `*`, means this host.
pub(crate) fn matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some("") => true,
        Some(suffix) => suffix.starts_with('.') && host.ends_with(suffix),
        None => pattern == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_host_name_is_a_host_name() {
        assert!(is_host_name("kst-hzz65f176a0.cryptoservice.kms.example"));
        for bad in [
            "",
            "127.0.0.1",
            "[::1]",
            "kms.example:443",
            "kms.example/x",
            "user@kms.example",
            "https://kms.example",
            "kms..example",
            "kms.example.",
            "KMS.example",
            "kms example",
        ] {
            assert!(!is_host_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_pattern_matches_a_host_a_suffix_or_all() {
        assert!(matches("*", "kms.example.com"));
        assert!(matches("*.example.com", "kms.example.com"));
        assert!(!matches("*.example.com", "example.com"));
        assert!(!matches("*example.com", "evilexample.com"));
        assert!(!matches("*.example.com", "kms.example.com.evil.example"));
        assert!(matches("kms.example.com", "kms.example.com"));
        assert!(!matches("kms.example.com", "oos.example.com"));
    }
}
