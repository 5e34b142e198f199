//! The server in a cluster, whose API is a small one of this process.

mod api;
mod classes;
mod lookup;
mod reviews;
mod watch;
