//! The webhook's serving certificate and the CA that vouches for it.
//!
//! One call makes both, as PEM. The CA's key signs one certificate and is gone: whoever steals
//! what is stored can serve as this webhook until the certificate ends, and sign nothing.

mod authority;
mod issue;
mod leaf;
mod private_key;
mod validity;

pub use issue::{Error, Issued, issue};
pub use private_key::PrivateKey;
pub use validity::not_after;
