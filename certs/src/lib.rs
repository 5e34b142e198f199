//! The webhook's serving certificate and the CA that vouches for it.
//!
//! One call makes both, as PEM. The CA's key signs one certificate and is gone: whoever steals
//! what is stored can serve as this webhook until the certificate ends, and sign nothing.
//!
//! In a cluster a [`Keeper`] in every replica makes, publishes and rotates them through a shared
//! Secret and `caBundle`; where others make them, an [`Observer`] looks whether they fit.

mod act;
mod anchor;
mod api;
mod authority;
mod backoff;
mod coverage;
mod follow;
mod issue;
mod keeper;
mod leaf;
mod lifetimes;
mod observer;
mod pair;
mod place;
mod private_key;
mod published;
mod report;
mod setup;
mod state;
mod step;
mod stored;
mod subject;
mod trust;
mod validity;

pub use issue::{Error, Issued, issue};
pub use keeper::Keeper;
pub use lifetimes::{BadLifetime, Lifetimes};
pub use observer::Observer;
pub use place::{Place, Target};
pub use private_key::PrivateKey;
pub use state::{Counts, Serving, State};
pub use subject::common_name;
pub use validity::not_after;
