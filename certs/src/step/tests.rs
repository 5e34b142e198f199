//! The machine over every interleaving of a few replicas, and single decisions by name.

mod decide;
mod explore;
mod faults;
mod interleavings;
mod life;
mod quick;
mod world;
