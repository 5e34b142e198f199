//! Stories on real clusters, one a file. `hack/e2e` runs them: first `install`, then those of
//! `together` side by side; then those of `alone` one by one, while those of `apart` are told on a
//! second cluster; and `afterwards` in the end.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::print_stdout, reason = "what people are told is shown with a failure")]
#![allow(clippy::needless_pass_by_value, reason = "JSON is written where it is used")]

mod cloud;
mod failure;
mod node;
mod other_injector;
mod peer;
mod pods;
mod release;
mod search;
mod stage;

mod afterwards;
mod alone;
mod apart;
mod install;
mod last_release;
mod together;
