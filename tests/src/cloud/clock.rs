//! The emulator's clock: the machine's, moved by an offset that tests set, and the two ways in which
//! the services write time.

use std::time::SystemTime;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// Offsets beyond a century serve no test and would leave the range of the calendar.
const LARGEST_OFFSET: i64 = 100 * 366 * 86_400;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock {
    offset_seconds: i64,
}

impl Clock {
    pub(crate) fn new(offset_seconds: i64) -> Self {
        Self { offset_seconds: offset_seconds.clamp(-LARGEST_OFFSET, LARGEST_OFFSET) }
    }

    pub(crate) fn now(self) -> OffsetDateTime {
        let now = OffsetDateTime::now_utc();
        now.checked_add(Duration::seconds(self.offset_seconds)).unwrap_or(now)
    }

    /// For the `Date` header.
    pub(crate) fn http_date(self) -> String {
        httpdate::fmt_http_date(SystemTime::from(self.now()))
    }
}

/// `2025-01-02T03:04:05Z`, in whole seconds.
pub(crate) fn write(moment: OffsetDateTime) -> String {
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        moment.year(),
        u8::from(moment.month()),
        moment.day(),
        moment.hour(),
        moment.minute(),
        moment.second()
    )
}

/// Only the form that `write` produces: the services refuse every other one.
pub(crate) fn read(text: &str) -> Option<OffsetDateTime> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    (write(moment) == text).then_some(moment)
}

pub(crate) fn from_unix(seconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for seconds in [0, 951_782_400, 1_735_787_045, 4_102_444_799] {
            let moment = from_unix(seconds).unwrap();
            assert_eq!(read(&write(moment)), Some(moment));
        }
        assert_eq!(write(from_unix(1_735_787_045).unwrap()), "2025-01-02T03:04:05Z");
    }

    #[test]
    fn other_forms_are_not_read() {
        for text in [
            "2025-01-02T03:04:05+00:00",
            "2025-01-02 03:04:05Z",
            "2025-01-02T03:04Z",
            "20250102T030405Z",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_offset_moves_the_clock() {
        let ahead = Clock::new(3600).now() - OffsetDateTime::now_utc();
        assert!((ahead - Duration::seconds(3600)).abs() < Duration::seconds(60));
    }
}
