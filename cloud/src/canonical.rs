//! The canonical form of a request, which is what gets signed.

use zeroize::Zeroizing;

/// Holds the security token, hence wiped.
pub(crate) struct Canonical {
    pub(crate) text: Zeroizing<Vec<u8>>,
    /// Names of the signed headers, joined by `;`.
    pub(crate) signed_headers: String,
}

/// `query` is canonical already; header names are lower case.
pub(crate) fn request(query: &str, headers: &[(&str, &[u8])], payload_hash: &str) -> Canonical {
    let mut headers = headers.to_vec();
    headers.sort_unstable_by_key(|(name, _)| *name);
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let signed_headers = names.join(";");

    let mut parts: Vec<&[u8]> = vec![b"POST\n/\n", query.as_bytes(), b"\n"];
    for (name, value) in &headers {
        parts.extend([name.as_bytes(), b":", value.trim_ascii(), b"\n"]);
    }
    parts.extend([b"\n", signed_headers.as_bytes(), b"\n", payload_hash.as_bytes()]);
    Canonical { text: Zeroizing::new(parts.concat()), signed_headers }
}

/// Pairs sorted by key, values percent-encoded. The same text goes on the wire.
pub(crate) fn query(pairs: &[(&str, &str)]) -> String {
    let mut pairs = pairs.to_vec();
    pairs.sort_unstable();
    let pairs: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{key}={}", encode(value))).collect();
    pairs.join("&")
}

/// RFC 3986 with upper-case digits; everything but the unreserved characters is encoded.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if is_unreserved(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&secret::hex(&[byte]).to_ascii_uppercase());
        }
    }
    encoded
}

/// Bytes that a value has in a query.
pub(crate) fn encoded_length(text: &str) -> usize {
    text.bytes().map(|byte| if is_unreserved(byte) { 1 } else { 3 }).sum()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::query;

    #[test]
    fn a_query_is_sorted_and_encoded() {
        assert_eq!(
            query(&[("VersionStage", "ACSCurrent"), ("SecretName", "app/db secret*~+密")]),
            "SecretName=app%2Fdb%20secret%2A~%2B%E5%AF%86&VersionStage=ACSCurrent"
        );
        assert_eq!(query(&[("Empty", "")]), "Empty=");
        assert_eq!(query(&[]), "");
    }
}
