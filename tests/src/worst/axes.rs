//! All the ways, one for each list and text.

use super::axis::Axis;
use super::{crossings, escapes, letters, lists, patterns, settings, texts};

/// Every list, text and selector of a Pod, and every list of the settings.
#[must_use]
pub fn axes() -> Vec<Axis> {
    let mut axes = lists::axes();
    axes.extend(texts::axes());
    axes.extend(patterns::axes());
    axes.extend(settings::axes());
    axes.extend(escapes::axes());
    axes.extend(crossings::axes());
    axes.extend(letters::axes());
    axes
}

#[cfg(test)]
mod tests {
    use webhook::wire::admit::admit;

    use super::*;

    /// What is refused for its size is measured as a refusal and not as what it is to be.
    #[test]
    fn as_much_as_there_may_be_is_refused_for_its_size_only_where_that_is_meant() {
        let mut refused = Vec::new();
        for axis in axes() {
            let reply = admit(&axis.review(axis.most), &(axis.settings)(axis.most));
            let text = String::from_utf8(reply.body).unwrap();
            let is_for_size =
                ["more than", "at most", "longer than"].iter().any(|it| text.contains(it));
            if is_for_size && !axis.name.contains("far too many") {
                refused.push(format!("{}: {text:.400}", axis.name));
            }
        }
        assert!(refused.is_empty(), "{}", refused.join("\n"));
    }
}
