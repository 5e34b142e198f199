//! A key that needs double quotes and has none: what the author meant is told from where the expression
//! stops making sense.

/// Characters that keys of secrets have, and that JMESPath takes for something else.
const IN_KEYS: [char; 7] = ['-', '/', ':', '$', '+', '%', '~'];

/// The key at this byte, and the expression with quotes around it.
pub(super) fn key(text: &str, offset: usize) -> Option<(String, String)> {
    let (before, behind) = (text.get(..offset)?, text.get(offset..)?);
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || IN_KEYS.contains(&c);
    let start = before.rfind(|c| !is_part(c)).map_or(0, |at| at + width(before, at));
    let end = offset + behind.find(|c| !is_part(c)).unwrap_or(behind.len());
    let key = text.get(start..end)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = key.starts_with(|c: char| is_plain(c) || c == '$');
    // A key of nothing but digits and signs is a slice or an index that is wrong in another way.
    let is_name = key.chars().all(is_plain) && !key.starts_with(|c: char| c.is_ascii_digit());
    if !begins || is_name || !key.contains(char::is_alphabetic) {
        return None;
    }
    let (left, right) = (text.get(..start)?, text.get(end..)?);
    // Inside quotes it is quoted already.
    let is_quoted = ['"', '\'', '`'].iter().any(|quote| left.matches(*quote).count() % 2 == 1);
    let quoted = format!("{left}\"{key}\"{right}");
    (!is_quoted && super::syntax::parse(&quoted).is_ok()).then(|| (key.to_owned(), quoted))
}

/// Bytes of the character that begins there.
fn width(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use crate::selector::{InvalidSelector, Selector};

    #[test]
    fn a_key_with_a_sign_in_it_gets_its_quotes_shown() {
        for (text, key, quoted) in [
            ("api-key", "api-key", "\"api-key\""),
            ("a.api-key.b", "api-key", "a.\"api-key\".b"),
            ("tls/cert", "tls/cert", "\"tls/cert\""),
            ("schlüssel", "schlüssel", "\"schlüssel\""),
            ("$ref", "$ref", "\"$ref\""),
            ("users[?name=='a-b'].api-key", "api-key", "users[?name=='a-b'].\"api-key\""),
            ("x-1-y", "x-1-y", "\"x-1-y\""),
            ("2fa", "2fa", "\"2fa\""),
        ] {
            let Err(InvalidSelector::Unquoted { key: found, quoted: shown, .. }) =
                Selector::parse(text)
            else {
                panic!("{text}: {:?}", Selector::parse(text))
            };
            assert_eq!((found.as_str(), shown.as_str()), (key, quoted), "{text}");
            assert!(Selector::parse(&shown).is_ok(), "{shown}");
        }
    }

    #[test]
    fn other_mistakes_are_not_taken_for_keys() {
        for text in ["a..b", "a[-]", "a[1-2]", "-1", "a.'x-y", "a b", "[?a-b"] {
            let error = Selector::parse(text).unwrap_err();
            assert!(matches!(error, InvalidSelector::Syntax { .. }), "{text}: {error:?}");
        }
    }
}
