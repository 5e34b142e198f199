//! Bounded HTTPS to hosts of a backend: who is trusted for which of them, how names are resolved, how
//! many connections there are, how much is read and for how long. It knows no backend: what is asked,
//! what an answer means and when to ask again is its user's to say.

mod body;
mod chain;
mod client_error;
mod connection;
mod failure;
mod host;
mod pool;
mod proxy;
mod request;
mod resolver;
mod roots;
mod transport;

pub use failure::{AttemptError, NoAnswer, ProxyFault, Unreachable};
pub use host::is_host_name;
pub use proxy::{NotAProxy, Proxy};
pub use request::{Answer, Method, Origin, Request, header};
pub use roots::{Roots, RootsError};
pub use transport::{Transport, TransportConfig};
