//! Numbers are compared by their digits as JSON writes them: exactly, and at a price that is their
//! length. To read them as a machine's numbers costs a hundred times more for some than for others.

use std::cmp::Ordering;

/// A number that was read, for any number of comparisons: it may have as many digits as a value bytes.
#[derive(Clone, Copy)]
pub struct Decimal<'v> {
    is_negative: bool,
    /// The number is 0.DIGITS times ten to the power of this; zero has the lowest.
    exponent: i64,
    /// The digits on both sides of the point, without zeros around them, so that a comparison ends with
    /// the shorter number.
    digits: [&'v str; 2],
}

impl<'v> Decimal<'v> {
    #[must_use]
    pub fn read(number: &'v str) -> Self {
        let (is_negative, number) = match number.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, number),
        };
        let (mantissa, power) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let digits = match (whole, fraction) {
            ("", "") => return Self { is_negative: false, exponent: i64::MIN, digits: [""; 2] },
            ("", fraction) => ["", fraction.trim_start_matches('0')],
            (whole, "") => [whole.trim_end_matches('0'), ""],
            both => [both.0, both.1],
        };
        let [_, rest] = digits;
        let behind_point = if whole.is_empty() { length(fraction) - length(rest) } else { 0 };
        let exponent = power_of(power).saturating_add(length(whole) - behind_point);
        Self { is_negative, exponent, digits }
    }

    pub(crate) fn is_zero(self) -> bool {
        self.exponent == i64::MIN
    }

    #[must_use]
    pub fn compare(self, other: Self) -> Ordering {
        match (self.is_negative, other.is_negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.compare_size(other),
            (true, true) => other.compare_size(self),
        }
    }

    fn compare_size(self, other: Self) -> Ordering {
        let by_exponent = self.exponent.cmp(&other.exponent);
        by_exponent.then_with(|| {
            let [left, right] = [self, other].map(|it| it.digits.into_iter().flat_map(str::bytes));
            left.cmp(right)
        })
    }
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

/// A power that no machine holds is further away than the digits of any value move it.
fn power_of(text: &str) -> i64 {
    const FAR: i64 = i64::MAX / 2;
    match text.parse::<i64>() {
        Ok(power) => power.clamp(-FAR, FAR),
        Err(_) if text.starts_with('-') => -FAR,
        Err(_) => FAR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(left: &str, right: &str) -> Ordering {
        let order = Decimal::read(left).compare(Decimal::read(right));
        assert_eq!(Decimal::read(right).compare(Decimal::read(left)), order.reverse());
        order
    }

    #[test]
    fn numbers_are_equal_however_they_are_written() {
        for (left, right) in [
            ("1", "1.0"),
            ("100", "1e2"),
            ("0.001", "1E-3"),
            ("-0", "0e7"),
            ("0.0", "0"),
            ("12.50", "125e-1"),
            ("1e+05", "100000.000"),
            ("1e99999999999999999999", "1e99999999999999999999"),
            ("-120", "-1.2e2"),
        ] {
            assert_eq!(compare(left, right), Ordering::Equal, "{left} {right}");
        }
    }

    #[test]
    fn numbers_have_the_order_of_all_their_digits() {
        let sorted = [
            "-1e99999999999999999999",
            "-9007199254740993.5",
            "-9007199254740993",
            "-1",
            "-1e-99999999999999999999",
            "0",
            "1e-99999999999999999999",
            "1e-400",
            "0.1",
            "0.10000000000000000000000000000001",
            "0.2",
            "1",
            "9",
            "10",
            "9007199254740992",
            "9007199254740993",
            "170141183460469231731687303715884105728",
            "1e400",
            "1e99999999999999999999",
        ];
        for (at, left) in sorted.iter().enumerate() {
            for (other, right) in sorted.iter().enumerate() {
                assert_eq!(compare(left, right), at.cmp(&other), "{left} {right}");
            }
        }
    }

    #[test]
    fn zero_is_zero_however_it_is_written() {
        assert!(
            ["0", "-0", "0.000", "0e5", "-0.0E-1"].iter().all(|it| Decimal::read(it).is_zero())
        );
        assert!(["1", "-1e-400", "0.0001"].iter().all(|it| !Decimal::read(it).is_zero()));
    }
}
