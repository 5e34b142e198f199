//! Kubernetes quantities, as far as resources need them: compared and added in thousandths.

use serde::{Serialize, Serializer};

/// A non-negative amount in thousandths of its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Quantity(u128);

impl Quantity {
    pub(crate) fn bytes(bytes: u64) -> Self {
        Self(u128::from(bytes) * 1000)
    }

    /// Decimal digits with one of the suffixes of Kubernetes; `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > 32 {
            return None;
        }
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (digits, suffix) = text.split_at_checked(end)?;
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.len() > 9 || whole.len() > 18 {
            return None;
        }
        // In billionths, so that `0.001` and `1n` are exact; then scaled by the suffix.
        let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let fraction: u128 =
            if fraction.is_empty() { 0 } else { format!("{fraction:0<9}").parse().ok()? };
        let billionths = whole * 1_000_000_000 + fraction;
        let (times, divided) = scale(suffix)?;
        Some(Self((billionths.checked_mul(times)? / divided).div_ceil(1_000_000)))
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    pub(crate) fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// As bytes, in the largest binary unit that keeps it whole.
    pub(crate) fn to_bytes_text(self) -> String {
        let bytes = self.0.div_ceil(1000);
        for (unit, name) in [(1 << 30, "Gi"), (1 << 20, "Mi"), (1 << 10, "Ki")] {
            if bytes >= unit && bytes.is_multiple_of(unit) {
                return format!("{}{name}", bytes / unit);
            }
        }
        bytes.to_string()
    }
}

/// An amount and the text that says it, which goes into the Pod as it is: a positive one but for requests,
/// which may be nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrittenQuantity {
    text: String,
    amount: Quantity,
}

impl WrittenQuantity {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let amount = Quantity::parse(text).filter(|amount| !amount.is_zero())?;
        Some(Self { text: text.to_owned(), amount })
    }

    /// The same, or nothing.
    pub(crate) fn parse_request(text: &str) -> Option<Self> {
        Some(Self { text: text.to_owned(), amount: Quantity::parse(text)? })
    }

    pub(crate) fn zero() -> Self {
        Self { text: "0".to_owned(), amount: Quantity(0) }
    }

    /// Whole bytes, rounded up.
    pub(crate) fn of_bytes(amount: Quantity) -> Self {
        let amount = Quantity(amount.0.next_multiple_of(1000));
        Self { text: amount.to_bytes_text(), amount }
    }

    /// Thousandths, like `100m`.
    pub(crate) fn of_thousandths(thousandths: u16) -> Self {
        let amount = Quantity(u128::from(thousandths));
        Self { text: format!("{thousandths}m"), amount }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn amount(&self) -> Quantity {
        self.amount
    }
}

impl Serialize for WrittenQuantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

fn scale(suffix: &str) -> Option<(u128, u128)> {
    let ten = |power: u32| 10_u128.pow(power);
    Some(match suffix {
        "" => (1, 1),
        "n" => (1, ten(9)),
        "u" => (1, ten(6)),
        "m" => (1, ten(3)),
        "k" => (ten(3), 1),
        "M" => (ten(6), 1),
        "G" => (ten(9), 1),
        "T" => (ten(12), 1),
        "P" => (ten(15), 1),
        "E" => (ten(18), 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        _ => {
            let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            if power.unsigned_abs() > 18 {
                return None;
            }
            if power >= 0 { (ten(power.unsigned_abs()), 1) } else { (1, ten(power.unsigned_abs())) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Quantity {
        Quantity::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn the_same_amount_is_equal_however_it_is_written() {
        for (a, b) in [
            ("1", "1000m"),
            ("0.5", "500m"),
            ("1Gi", "1024Mi"),
            ("1e3", "1k"),
            (".1", "100m"),
            ("1n", "1m"),
            ("1000000000n", "1"),
            ("1000000u", "1"),
            ("1M", "1000k"),
            ("1G", "1000M"),
            ("1T", "1000G"),
            ("1P", "1000T"),
            ("1E", "1000P"),
            ("1Ti", "1024Gi"),
            ("1Pi", "1024Ti"),
            ("1Ei", "1024Pi"),
            ("1E3", "1k"),
            ("1e-3", "1m"),
            ("1e18", "1E"),
            ("0.000000001", "1n"),
        ] {
            assert_eq!(parse(a), parse(b), "{a} {b}");
        }
        assert!(parse("1G") < parse("1Gi"));
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in [
            "",
            "x",
            "-1",
            "1 Gi",
            "1gi",
            ".",
            "1e99",
            "1e",
            "1.1.1",
            "+1",
            "1_000",
            "1e19",
            "0.0000000001",
            "9999999999999999999999999999999",
            "1e000000000000000000000000000000001",
        ] {
            assert_eq!(Quantity::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_amount_of_resources_is_positive_and_stays_as_it_is_written() {
        for text in ["10m", "0.5", "16Mi", "1e3", ".1", "1.", "2Ti"] {
            let written = WrittenQuantity::parse(text).unwrap();
            assert_eq!((written.as_str(), written.amount()), (text, parse(text)));
        }
        for text in ["0", "0.0", "0m", "-1", "ten", ""] {
            assert_eq!(WrittenQuantity::parse(text), None, "{text:?}");
        }
        assert_eq!(WrittenQuantity::of_thousandths(100), WrittenQuantity::parse("100m").unwrap());
        assert_eq!(
            WrittenQuantity::of_bytes(parse("16Mi")),
            WrittenQuantity::parse("16Mi").unwrap()
        );
        assert_eq!(WrittenQuantity::of_bytes(parse("1500m")).as_str(), "2");
    }

    #[test]
    fn bytes_are_written_in_the_largest_whole_unit() {
        assert_eq!(parse("32Mi").plus(parse("1Mi")).to_bytes_text(), "33Mi");
        assert_eq!(parse("1536Ki").to_bytes_text(), "1536Ki");
        assert_eq!(parse("1k").to_bytes_text(), "1000");
        assert_eq!(parse("1500m").to_bytes_text(), "2");
        assert_eq!(Quantity::bytes(1 << 30).to_bytes_text(), "1Gi");
    }
}
