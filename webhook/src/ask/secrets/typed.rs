//! What other readers make of a value that stands without quotes. The CSI provider reads YAML 1.1, where
//! `0123`, `1.10`, `on` and `1e3` are numbers and booleans, and turns them into text again.

/// A number that YAML makes of a text has as many characters at most: more are dear to read.
const MOST_DIGITS: usize = 40;

/// What the provider makes of the value, where that is not the text itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) kind: &'static str,
    /// The text that it becomes.
    pub(super) reading: String,
}

/// `None` where every reader takes the value for the same text.
pub(super) fn otherwise(text: &str) -> Option<Typed> {
    typed(text).filter(|typed| typed.reading != text)
}

/// Whether the value is no text to YAML 1.1, whatever it becomes.
pub(super) fn typed(text: &str) -> Option<Typed> {
    let typed = |kind, reading: String| Some(Typed { kind, reading });
    if ["null", "Null", "NULL", "~"].contains(&text) {
        return typed("nothing", String::new());
    }
    // In small letters, in capitals, or with one at the beginning.
    let is_written_so = |word: &&str| {
        let mut rest = text.bytes().skip(1);
        let is_small = rest.clone().all(|b| b.is_ascii_lowercase());
        let are_capitals = text.starts_with(|c: char| c.is_ascii_uppercase())
            && rest.all(|b| b.is_ascii_uppercase());
        text.eq_ignore_ascii_case(word) && (is_small || are_capitals)
    };
    if ["true", "yes", "on", "y"].iter().any(is_written_so) {
        return typed("a boolean", "true".to_owned());
    }
    if ["false", "no", "off", "n"].iter().any(is_written_so) {
        return typed("a boolean", "false".to_owned());
    }
    if text.len() > MOST_DIGITS {
        return None;
    }
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    if let Some(whole) = whole(&plain) {
        return typed("a number", whole.to_string());
    }
    if let Some(minutes) = sexagesimal(&plain) {
        return typed("a number of base 60", minutes.to_string());
    }
    let unsigned = plain.trim_start_matches(['+', '-']);
    if [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(&unsigned) {
        return typed("a number", text.to_lowercase().trim_start_matches('.').to_owned());
    }
    let is_number = unsigned.contains(|c: char| c.is_ascii_digit())
        && unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    let number = plain.parse::<f64>().ok().filter(|number| is_number && number.is_finite())?;
    let is_short = number == 0.0 || (1e-5..1e21).contains(&number.abs());
    typed("a number", if is_short { number.to_string() } else { format!("{number:e}") })
}

/// Octal, hexadecimal and binary numbers are written with a prefix; `0` alone is that of octal ones.
fn whole(plain: &str) -> Option<i128> {
    let (is_negative, digits) = match plain.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, plain.strip_prefix('+').unwrap_or(plain)),
    };
    let with_prefix = [("0x", 16), ("0X", 16), ("0b", 2), ("0o", 8), ("0", 8)].into_iter();
    let mut of_prefix = with_prefix
        .filter_map(|(prefix, base)| Some((digits.strip_prefix(prefix)?, base)))
        .filter(|(digits, _)| digits.bytes().all(|b| b.is_ascii_alphanumeric()));
    let (digits, base) = of_prefix
        .find(|(digits, base)| u128::from_str_radix(digits, *base).is_ok())
        .unwrap_or((digits, 10));
    if !digits.bytes().all(|b| b.is_ascii_alphanumeric())
        || (base == 10 && digits.len() > 1 && digits.starts_with('0'))
    {
        return None;
    }
    let number = i128::from_str_radix(digits, base).ok()?;
    let number = if is_negative { -number } else { number };
    // What no machine's number holds is one with a point to it.
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&number).then_some(number)
}

/// `1:30` is 90.
fn sexagesimal(plain: &str) -> Option<u64> {
    let mut parts = plain.split(':');
    let mut number: u64 = parts.next()?.parse().ok()?;
    let mut count = 0;
    for part in parts {
        let part: u64 = part.parse().ok().filter(|part| *part < 60)?;
        number = number.checked_mul(60)?.checked_add(part)?;
        count += 1;
    }
    (count > 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_provider_reads_otherwise_is_known_with_its_reading() {
        for (text, reading) in [
            ("0123", "83"),
            ("007", "7"),
            ("089", "89"),
            ("1.10", "1.1"),
            ("1.0", "1"),
            ("1e3", "1000"),
            ("+12", "12"),
            ("0x1F", "31"),
            ("0b11", "3"),
            ("0o17", "15"),
            ("1_000", "1000"),
            ("1:30", "90"),
            (".5", "0.5"),
            ("-.inf", "-.inf"),
            ("on", "true"),
            ("Yes", "true"),
            ("y", "true"),
            ("OFF", "false"),
            ("no", "false"),
            ("N", "false"),
            ("TRUE", "true"),
            ("Null", ""),
            ("123456789012345678901234567890", "1.2345678901234568e29"),
        ] {
            assert_eq!(typed(text).map(|typed| typed.reading), Some(reading.to_owned()), "{text}");
        }
        for text in ["0123", "1.10", "on", "1e3", "Null", "TRUE"] {
            assert!(otherwise(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_every_reader_takes_for_the_same_text_is_left_alone() {
        for text in [
            "2",
            "0",
            "-5",
            "1.5",
            "true",
            "false",
            "18446744073709551615",
            "v1",
            "oN",
            "yEs",
            "nul",
            "1.2.3",
            "2024-01-01",
            "a1",
            "e3",
            "-",
            ".",
            "0x",
            "08a",
            "1e",
            "--1",
            "1-2",
            "",
        ] {
            assert_eq!(otherwise(text), None, "{text}");
        }
    }
}
