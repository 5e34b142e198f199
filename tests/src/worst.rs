//! Admissions that are as dear as Pods and annotations within the limits can make them: one for each
//! list and text that a Pod's author fills, in any size, and mixtures of them.

mod axes;
mod axis;
mod crossings;
mod escapes;
mod letters;
mod lists;
pub mod measure;
mod mixture;
mod operator;
mod patterns;
mod pod;
mod search;
mod settings;
mod shapes;
mod texts;

pub use self::axes::axes;
pub use self::axis::Axis;
pub use self::mixture::Mixture;
pub use self::pod::Pod;
pub use self::search::{Worst, dearest_body, search};
pub use self::shapes::{Body, bodies};
