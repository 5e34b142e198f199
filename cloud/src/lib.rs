//! The Alibaba Cloud client: signing, credentials, KMS secrets and OOS parameters.
//! It knows nothing of Kubernetes, files or plans; clock, token and network are given to it.

mod asking;
mod batch;
mod call;
mod call_info;
mod canonical;
mod cause;
mod clock;
mod concurrency_limit;
mod credentials;
mod crypto;
pub mod endpoint;
mod envelope;
mod error;
mod error_code;
mod keys;
mod kms;
mod kms_batch;
mod lenient_json;
mod lookup;
mod matching;
mod metadata;
mod oos;
mod oos_batch;
mod parts;
mod pool_key;
mod refusers;
mod response;
mod secret_fields;
mod sender;
mod session;
mod sign;
mod sts;
mod together;
mod transport;
mod value;

pub use batch::{Batching, KmsBatching};
pub use concurrency_limit::{InFlightRequest, Window};
pub use credentials::provider;
pub use endpoint::{Network, Service};
pub use error::Error;
pub use error_code::{Diagnosis, ECS_METADATA};
pub use lookup::{AssumedRole, Lookup, Subject};
pub use session::Session;
pub use transport::{Transport, TransportConfig, TransportError};
