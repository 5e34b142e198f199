//! What is escaped in the JSON of a Pod. A quote, a line break or a control character costs what many
//! letters do, each time that it is read and written.

use crate::problem::Problem;

/// The longest plan of 256 files with all that can be said of them has some 8,000.
const MOST: usize = 28 * 1024;

/// Backslashes, of which those before a `u` count twice: what takes six letters costs the most.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Escapes(usize);

impl Escapes {
    pub(super) fn of(json: &str) -> Self {
        // One more than there may be says enough.
        let behind = json.split('\\').skip(1).take(MOST + 1);
        Self(behind.map(|text| 1 + usize::from(text.starts_with('u'))).sum())
    }

    pub(super) fn check(self) -> Option<Problem> {
        self.check_with(0)
    }

    /// With what is added to the Pod, as the API server writes it, with `<`, `>` and `&` as `\uXXXX`: what
    /// comes again must not be too much then.
    pub(super) fn check_with_added<'v>(
        self,
        added: impl Iterator<Item = &'v str> + Clone,
    ) -> Option<Problem> {
        // Most is short enough, whatever stands in it.
        if self.0 + 2 * added.clone().map(str::len).sum::<usize>() <= MOST {
            return None;
        }
        let (mut escaped, mut before) = (0, 0);
        for byte in added.flat_map(str::bytes) {
            escaped += match byte {
                b'\\' => 1,
                // The last one begins U+2028 and U+2029, and others that count for nothing.
                b'<' | b'>' | b'&' | 0xE2 => 2,
                b'u' if before == b'\\' => 1,
                _ => 0,
            };
            before = byte;
        }
        self.check_with(escaped)
    }

    fn check_with(self, more: usize) -> Option<Problem> {
        (self.0 + more > MOST).then(|| {
            Problem::pod(
                "the Pod",
                format!(
                    "its JSON and what is added to it have more than {MOST} backslashes together"
                ),
                "put long texts into a ConfigMap, or make several Pods of it",
            )
        })
    }
}
