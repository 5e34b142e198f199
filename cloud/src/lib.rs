//! The Alibaba Cloud client: signing, credentials, KMS secrets and OOS parameters.
//! It knows nothing of Kubernetes, files or plans; clock, token and network are given to it.

mod call;
mod canonical;
mod cause;
mod clock;
mod code;
mod credentials;
mod crypto;
mod date;
mod echo;
pub mod endpoint;
mod envelope;
mod error;
mod held;
mod judge;
mod kms;
mod lookup;
mod matching;
mod oos;
mod pace;
mod retry;
mod sensitive;
mod session;
mod shape;
mod sign;
mod slot;
mod sts;
mod tally;
pub mod thread;
mod transport;
mod untold;
mod value;

pub use crypto::{roll, secret_hex};
pub use date::{iso8601, parse_iso8601};
pub use endpoint::{Network, Service};
pub use error::{Class, Error};
pub use kms::About;
pub use lookup::{AssumedRole, Fetched, Lookup, Subject};
pub use pace::{Entry, Window};
pub use retry::{BadRetryPolicy, Next, RetryPolicy, Trouble};
pub use sensitive::Sensitive;
pub use session::{Identity, Session};
pub use tally::Requests;
pub use transport::{Transport, TransportConfig, TransportError};
