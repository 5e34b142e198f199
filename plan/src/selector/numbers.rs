//! Numbers that an expression has itself. The parser reads them as a machine's numbers.

/// A number in a literal whose digits the parser would not keep.
pub(super) fn lost(text: &str) -> Option<String> {
    // A literal stands between backticks; those in other quotes are text.
    let (mut quote, mut is_escaped, mut start) = (None, false, 0);
    for (at, c) in text.char_indices() {
        match quote {
            None if matches!(c, '\'' | '"' | '`') => (quote, start) = (Some(c), at + 1),
            Some(end) if c == end && !is_escaped => {
                quote = None;
                let literal = text.get(start..at).filter(|_| c == '`').unwrap_or_default();
                let literal = literal.replace("\\`", "`");
                // Without quotes it is a text.
                let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&literal).is_ok();
                let mut numbers = in_json(if is_json { &literal } else { "" });
                if let Some(number) = numbers.find(|number| !is_kept(number)) {
                    return Some(number.to_owned());
                }
            }
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    None
}

/// The numbers of a JSON text.
fn in_json(json: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
    // Every other part between quotes is a string; a quote that is escaped ends none.
    let mut is_text = false;
    let parts = json.split_inclusive('"').filter(move |part| {
        let was_text = is_text;
        let slashes = part.trim_end_matches('"').bytes().rev().take_while(|b| *b == b'\\').count();
        let ends = part.ends_with('"') && !(was_text && slashes % 2 == 1);
        is_text = was_text != ends;
        !was_text
    });
    let words = parts.flat_map(move |part| part.split(move |c| !is_part(c)));
    words.filter(|word| word.contains(|c: char| c.is_ascii_digit()))
}

fn is_kept(number: &str) -> bool {
    let kept = serde_json::from_str::<serde_json::Number>(number);
    // What is no number, the parser has told.
    kept.map_or(true, |kept| digits(&kept.to_string()) == digits(number))
}

/// The digits that count, wherever the point stands.
fn digits(number: &str) -> String {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_a_machine_holds_are_kept() {
        for text in [
            "[?a == `1.50`]",
            "`18446744073709551615`",
            "`-9223372036854775808`",
            "`1e5`",
            "`0.000`",
            "`1e300`",
            "`{\"a\": [1, 2.5, \"123456789012345678901234567890\"]}`",
            "'`123456789012345678901234567890`'",
            "\"`123456789012345678901234567890`\"",
        ] {
            assert_eq!(lost(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_that_would_become_another_is_found() {
        for (text, number) in [
            ("[?a == `123456789012345678901234567890`]", "123456789012345678901234567890"),
            ("`0.12345678901234567891`", "0.12345678901234567891"),
            ("`{\"a\": [\"\\\"\", 1e-400]}`", "1e-400"),
            ("`[\"\\`\", 12345678901234567891234]`", "12345678901234567891234"),
        ] {
            assert_eq!(lost(text).as_deref(), Some(number), "{text}");
        }
    }
}
