//! What is escaped in the JSON of a Pod. A quote, a line break or a control character costs what many
//! letters do, each time that it is read and written.

use memchr::{memchr_iter, memchr3_iter};

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
        added: impl Iterator<Item = &'v str>,
    ) -> Option<Problem> {
        let escaped = added.map(str::as_bytes).map(|json| {
            let before_u = |at: usize| usize::from(json.get(at + 1) == Some(&b'u'));
            let escapes: usize = memchr_iter(b'\\', json).map(|at| 1 + before_u(at)).sum();
            // What begins U+2028 and U+2029 begins others too, which count for nothing.
            let signs = memchr3_iter(b'<', b'>', b'&', json).chain(memchr_iter(0xE2, json));
            escapes + 2 * signs.count()
        });
        let escaped = escaped.sum();
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
