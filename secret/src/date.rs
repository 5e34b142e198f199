//! The two date formats of the wire, in whole seconds since 1970, UTC. It is pure.

/// `2025-01-02T03:04:05Z`, from seconds since 1970.
#[must_use]
pub fn iso8601(seconds: u64) -> String {
    let (year, month, day) = civil_date(seconds / DAY);
    let rest = seconds % DAY;
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Reads what [`iso8601`] writes, and nothing else.
#[must_use]
pub fn parse_iso8601(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-');
    let days = days(number(date.next()?, 4)?, number(date.next()?, 2)?, number(date.next()?, 2)?)?;
    let time = clock_time(time)?;
    date.next().is_none().then_some(days * DAY + time)
}

/// The `Date` header: `Thu, 02 Jan 2025 03:04:05 GMT`. The two obsolete forms are not read.
#[must_use]
pub fn parse_http_date(text: &str) -> Option<u64> {
    let (_weekday, rest) = text.strip_suffix(" GMT")?.split_once(", ")?;
    let mut parts = rest.split(' ');
    let day = number(parts.next()?, 2)?;
    let name = parts.next()?;
    let month = 1 + u64::try_from(MONTHS.iter().position(|month| *month == name)?).ok()?;
    let days = days(number(parts.next()?, 4)?, month, day)?;
    let time = clock_time(parts.next()?)?;
    parts.next().is_none().then_some(days * DAY + time)
}

/// Seconds of the day in `03:04:05`.
fn clock_time(text: &str) -> Option<u64> {
    let mut parts = text.split(':');
    let hour = number(parts.next()?, 2)?;
    let minute = number(parts.next()?, 2)?;
    let second = number(parts.next()?, 2)?;
    let valid = hour < 24 && minute < 60 && second <= 60 && parts.next().is_none();
    valid.then_some(hour * 3600 + minute * 60 + second)
}

fn number(text: &str, width: usize) -> Option<u64> {
    let digits = text.len() == width && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Days since 1970 of a date of the Gregorian calendar. The year is counted from March, so that
/// the leap day is its last.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let from_march = (month + 9) % 12;
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    Some(year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - EPOCH)
}

/// Year, month and day of the Gregorian calendar, from days since 1970.
#[must_use]
pub fn civil_date(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH;
    let era = days / ERA;
    let of_era = days % ERA;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

const DAY: u64 = 86_400;
/// Days in 400 years.
const ERA: u64 = 146_097;
/// Days from 1 March of the year 0 to 1 January 1970.
const EPOCH: u64 = 719_468;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::{iso8601, parse_http_date, parse_iso8601};

    #[test]
    fn known_dates_are_read_and_written() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_735_787_045, "2025-01-02T03:04:05Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(iso8601(seconds), text);
            assert_eq!(parse_iso8601(text), Some(seconds));
        }
        assert_eq!(parse_http_date("Thu, 02 Jan 2025 03:04:05 GMT"), Some(1_735_787_045));
    }

    #[test]
    fn every_day_of_four_centuries_is_read_back() {
        for day in 0..146_097 {
            let seconds = day * 86_400 + 1;
            assert_eq!(parse_iso8601(&iso8601(seconds)), Some(seconds));
        }
    }

    #[test]
    fn other_forms_are_not_dates() {
        for text in [
            "",
            "2025-01-02",
            "2025-01-02T03:04:05",
            "2025-01-02T03:04:05+08:00",
            "2025-13-02T03:04:05Z",
            "2025-01-02T24:04:05Z",
            "2025-01-02T03:04:05.000Z",
            "1969-12-31T23:59:59Z",
            "2025-01-02-01T03:04:05Z",
        ] {
            assert_eq!(parse_iso8601(text), None, "{text}");
        }
        assert_eq!(parse_http_date("Thursday, 02-Jan-25 03:04:05 GMT"), None);
    }
}
