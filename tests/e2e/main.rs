//! Stories on a real cluster, one a file. `hack/e2e` runs them: first `install`, then those of
//! `together` side by side, those of `alone` one by one, and `afterwards` in the end.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod pods;
mod release;
mod stage;

mod afterwards;
mod alone;
mod install;
mod together;
