//! The Alibaba Cloud client: signing, credentials, KMS secrets and OOS parameters.
//! It knows nothing of Kubernetes, files or plans; clock, token and network are given to it.

mod call;
mod call_info;
mod canonical;
mod cause;
mod clock;
mod credentials;
mod crypto;
pub mod endpoint;
mod envelope;
mod error;
mod error_code;
mod held;
mod judge;
mod kms;
mod lookup;
mod matching;
mod oos;
mod pace;
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

pub use endpoint::{Network, Service};
pub use error::Error;
pub use lookup::{AssumedRole, Lookup, Subject};
pub use pace::{Entry, Window};
pub use session::{Identity, Session};
pub use tally::Requests;
pub use transport::{Transport, TransportConfig, TransportError};
