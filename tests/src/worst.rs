//! Admissions that are as dear as Pods and annotations within the limits can make them: one for each
//! list and text that a Pod's author fills, in any size, and mixtures of them.

mod lists;
pub mod measure;
mod mixture;
mod patterns;
mod pod;
mod search;
mod settings;
mod shapes;
mod texts;

pub use self::mixture::Mixture;
pub use self::pod::Pod;
pub use self::search::{Worst, dearest_body, search};
pub use self::shapes::{Body, bodies};

use webhook::settings::Settings;

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

/// Every list, text and selector of a Pod, and every list of the settings.
#[must_use]
pub fn axes() -> Vec<Axis> {
    let mut axes = lists::axes();
    axes.extend(texts::axes());
    axes.extend(patterns::axes());
    axes.extend(settings::axes());
    axes
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
