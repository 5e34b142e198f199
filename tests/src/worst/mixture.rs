//! Pods that are filled with several things at once, each a part of what there may be of it.

use std::fmt;

use anyhow::Context as _;
use webhook::settings::Settings;

use super::axes::axes;
use super::axis::Axis;
use super::operator::ordinary;
use super::pod::Pod;

/// Places in the list of axes, and how many sixteenths of its size each has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mixture(Vec<(usize, usize)>);

const WHOLE: usize = 16;
/// More would be refused for being too large more often than not.
const PARTS: usize = 6;

impl Mixture {
    /// One thing alone, as much of it as there may be.
    #[must_use]
    pub fn whole(axis: usize) -> Self {
        Self(vec![(axis, WHOLE)])
    }

    /// Written by `Display`.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let part = |text: &str| -> anyhow::Result<(usize, usize)> {
            let (axis, size) = text.split_once(':').context("a part is AXIS:SIXTEENTHS")?;
            Ok((axis.parse()?, size.parse()?))
        };
        text.split(',')
            .filter(|part| !part.is_empty())
            .map(part)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Another one that differs a little.
    #[must_use]
    pub fn changed(&self, random: &mut fastrand::Rng) -> Self {
        let mut parts = self.0.clone();
        let size = |random: &mut fastrand::Rng| 1 << random.usize(0..=WHOLE.ilog2() as usize);
        let at = random.usize(0..parts.len().max(1));
        let (change, count) = (random.u8(0..3), parts.len());
        if let (0, Some(part)) = (change, parts.get_mut(at)) {
            part.1 = size(random);
        } else if (change == 1 && count > 1) || count >= PARTS {
            parts.remove(at);
        } else {
            parts.push((random.usize(0..axes().len()), size(random)));
        }
        Self(parts)
    }

    #[must_use]
    pub fn review(&self) -> Vec<u8> {
        let mut pod = Pod::default();
        let axes = axes();
        for (axis, size) in self.sized(&axes) {
            (axis.fill)(&mut pod, size);
        }
        pod.review()
    }

    /// Those of the first part that wants any.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let axes = axes();
        let ordinary = ordinary(0);
        let mut wanted = self.sized(&axes).map(|(axis, size)| (axis.settings)(size));
        wanted.find(|settings| *settings != ordinary).unwrap_or(ordinary)
    }

    /// In words.
    #[must_use]
    pub fn named(&self) -> String {
        let axes = axes();
        let named: Vec<String> =
            self.sized(&axes).map(|(axis, size)| format!("{} ({size})", axis.name)).collect();
        named.join(" + ")
    }

    fn sized<'a>(&self, axes: &'a [Axis]) -> impl Iterator<Item = (&'a Axis, usize)> {
        let parts = self.0.iter().filter_map(|(axis, size)| Some((axes.get(*axis)?, *size)));
        parts.map(|(axis, size)| (axis, axis.most * size / WHOLE))
    }
}

impl fmt::Display for Mixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (axis, size)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{axis}:{size}")?;
        }
        Ok(())
    }
}
