//! One way to make an admission dear.

use webhook::settings::Settings;

use super::pod::Pod;

/// One way to make an admission dear.
pub struct Axis {
    pub name: &'static str,
    /// The largest size that is not refused for being too large.
    pub most: usize,
    /// Adds what is dear to a Pod that is otherwise small.
    pub fill: fn(&mut Pod, usize),
    /// What the operator would have to have set.
    pub settings: fn(usize) -> Settings,
}

impl Axis {
    /// The review of a Pod that is filled to this size.
    #[must_use]
    pub fn review(&self, size: usize) -> Vec<u8> {
        let mut pod = Pod::default();
        (self.fill)(&mut pod, size);
        pod.review()
    }
}
