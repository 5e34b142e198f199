//! Where the server is in its life.

/// It never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    Serving,
    /// Everything is answered, but clients are asked to go elsewhere.
    Draining,
    /// No new connections; what is under way is finished.
    Stopping,
}
