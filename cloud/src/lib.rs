//! The Alibaba Cloud client: signing, credentials, KMS secrets and OOS parameters.
//! It knows nothing of Kubernetes, files or plans; clock, token and network are given to it.

mod code;
mod crypto;
pub mod endpoint;
mod error;
mod lookup;
mod retry;
mod sensitive;
mod session;
mod transport;

pub use endpoint::{Network, Service};
pub use error::{Class, Error};
pub use lookup::{AssumedRole, Fetched, Lookup, Subject};
pub use retry::RetryPolicy;
pub use sensitive::Sensitive;
pub use session::{Identity, Session};
pub use transport::{Transport, TransportConfig, TransportError};
