//! What every backend answers with: a value that is never shown, or the kind of its failure; and
//! when a backend is asked again. It knows no backend, no plan and no network.

mod backoff;
mod date;
mod echo;
mod failure;
mod fetched;
mod random;
mod retry;
mod sensitive;
mod tally;
mod thread;

pub use backoff::{Backoff, share};
pub use date::{civil_date, iso8601, parse_http_date, parse_iso8601};
pub use echo::{LONGEST_TEXT, echoes, identifier};
pub use failure::Failure;
pub use fetched::{Fetched, Metadata};
pub use random::{NoRandomness, hex, random, roll, secret_hex};
pub use retry::{InvalidRetryPolicy, Next, RetryPolicy, Strain, Trouble};
pub use sensitive::Sensitive;
pub use tally::{Requests, Tally};
pub use thread::start_thread;
