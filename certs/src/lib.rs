//! The webhook's serving certificate and the CA that vouches for it.
//!
//! One call makes both, as PEM. The CA's key signs one certificate and is gone: whoever steals
//! what is stored can serve as this webhook until the certificate ends, and sign nothing.

mod authority;
mod issue;
mod leaf;
mod lifetimes;
mod place;
mod private_key;
mod state;
mod validity;

pub use issue::{Error, Issued, issue};
pub use lifetimes::{BadLifetime, Lifetimes};
pub use place::{Place, Target};
pub use private_key::PrivateKey;
pub use state::{Counts, Serving, State};
pub use validity::not_after;
