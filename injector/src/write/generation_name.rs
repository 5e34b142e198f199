//! The names of generations: they tell the time, so that names sort as generations follow.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secret::civil_date;

/// The name of a generation. Later names sort behind earlier ones.
#[derive(Clone, Debug)]
pub(crate) struct Name(String);

/// Names have this form, so that a foreign directory is never taken for a generation.
const NAME_PATTERN: &str = "..dddd_dd_dd_dd_dd_dd.ddddddddd";

pub(super) fn is_name(name: &str) -> bool {
    name.len() == NAME_PATTERN.len()
        && name.bytes().zip(NAME_PATTERN.bytes()).all(|(byte, pattern)| match pattern {
            b'd' => byte.is_ascii_digit(),
            literal => byte == literal,
        })
}

impl Name {
    /// The name of `now`, if it sorts behind `present`; otherwise the name after `present`: a clock
    /// may be set back, or stand still.
    pub(crate) fn next(now: SystemTime, present: Option<&str>) -> Self {
        let of_now = name(now.duration_since(UNIX_EPOCH).unwrap_or_default());
        match present.filter(|present| of_now.as_str() <= *present) {
            Some(present) => Self(after(present)),
            None => Self(of_now),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Adds one to the digits of a name. The result need not be a time, and sorts all the same.
fn after(name: &str) -> String {
    let mut carry = true;
    let next = |digit: char| match digit.to_digit(10) {
        Some(9) if carry => '0',
        Some(value) if carry => {
            carry = false;
            char::from_digit(value + 1, 10).unwrap_or(digit)
        }
        _ => digit,
    };
    let reversed: String = name.chars().rev().map(next).collect();
    reversed.chars().rev().collect()
}

/// `..YYYY_MM_DD_HH_MM_SS.NNNNNNNNN` in UTC: sorts by time, as the kubelet's names do.
fn name(since: Duration) -> String {
    let (days, rest) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = civil_date(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    let nanos = since.subsec_nanos();
    format!("..{year:04}_{month:02}_{day:02}_{hour:02}_{minute:02}_{second:02}.{nanos:09}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_named_after_its_time() {
        for (seconds, nanos, expected) in [
            (0, 0, "..1970_01_01_00_00_00.000000000"),
            (951_782_400, 7, "..2000_02_29_00_00_00.000000007"),
            (1_709_251_199, 999_999_999, "..2024_02_29_23_59_59.999999999"),
            (1_767_225_599, 1, "..2025_12_31_23_59_59.000000001"),
            (4_107_542_400, 0, "..2100_03_01_00_00_00.000000000"),
        ] {
            let made = name(Duration::new(seconds, nanos));
            assert_eq!(made, expected);
            assert!(is_name(&made));
        }
    }

    #[test]
    fn a_name_sorts_behind_the_present_one_whatever_the_clock_says() {
        let now = UNIX_EPOCH + Duration::new(951_782_400, 7);
        let present = "..2000_02_29_00_00_00.000000007";
        for (present, expected) in [
            (None, present),
            (Some("..2000_02_29_00_00_00.000000006"), present),
            (Some(present), "..2000_02_29_00_00_00.000000008"),
            (Some("..2001_01_01_00_00_00.000000999"), "..2001_01_01_00_00_00.000001000"),
            (Some("..2001_12_31_23_59_59.999999999"), "..2001_12_31_23_59_60.000000000"),
            (Some("..2001_12_31_23_59_99.999999999"), "..2001_12_31_23_60_00.000000000"),
        ] {
            let next = Name::next(now, present);
            assert_eq!(next.as_str(), expected);
            assert!(is_name(expected) && present.is_none_or(|present| present < expected));
        }
    }

    #[test]
    fn nothing_else_is_taken_for_a_generation() {
        for other in ["..data", "..data_tmp", "..", "..2024_02_29", "db", "..2024_02_29_23_59_59.x"]
        {
            assert!(!is_name(other), "{other}");
        }
    }
}
