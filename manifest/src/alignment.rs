//! Which items of a list stayed, went and came: items are known by equality or by their name.

use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlignmentStep {
    /// The old and the new index of the same item.
    Keep(usize, usize),
    Drop(usize),
    Add(usize),
}

/// Lists in Pods have tens of items; beyond this the table is not worth its memory.
const MAX_TABLE: usize = 250_000;

/// The longest common subsequence as steps in order, or `None` for lists too long for it.
pub(crate) fn align(before: &[Value], after: &[Value]) -> Option<Vec<AlignmentStep>> {
    // Nothing came or went: items without a name may have changed in their places.
    let mut pairs = before.iter().zip(after);
    if before.len() == after.len() && pairs.all(|(old, new)| name(old) == name(new)) {
        return Some((0..before.len()).map(|index| AlignmentStep::Keep(index, index)).collect());
    }
    let width = after.len() + 1;
    if (before.len() + 1).checked_mul(width)? > MAX_TABLE {
        return None;
    }
    // lengths[i * width + j]: common items of before[i..] and after[j..].
    let mut lengths = vec![0_usize; (before.len() + 1) * width];
    let length = |lengths: &[usize], i: usize, j: usize| {
        lengths.get(i * width + j).copied().unwrap_or_default()
    };
    for (i, old) in before.iter().enumerate().rev() {
        for (j, new) in after.iter().enumerate().rev() {
            let longest = if same(old, new) {
                length(&lengths, i + 1, j + 1) + 1
            } else {
                length(&lengths, i + 1, j).max(length(&lengths, i, j + 1))
            };
            if let Some(cell) = lengths.get_mut(i * width + j) {
                *cell = longest;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut steps = Vec::with_capacity(before.len().max(after.len()));
    loop {
        match (before.get(i), after.get(j)) {
            (Some(old), Some(new)) if same(old, new) => {
                steps.push(AlignmentStep::Keep(i, j));
                (i, j) = (i + 1, j + 1);
            }
            (Some(_), Some(_)) if length(&lengths, i + 1, j) > length(&lengths, i, j + 1) => {
                steps.push(AlignmentStep::Drop(i));
                i += 1;
            }
            (_, Some(_)) => {
                steps.push(AlignmentStep::Add(j));
                j += 1;
            }
            (Some(_), None) => {
                steps.push(AlignmentStep::Drop(i));
                i += 1;
            }
            (None, None) => return Some(steps),
        }
    }
}

fn same(old: &Value, new: &Value) -> bool {
    match (name(old), name(new)) {
        (Some(old), Some(new)) => old == new,
        _ => old == new,
    }
}

fn name(item: &Value) -> Option<&str> {
    item.get("name")?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn steps(before: &Value, after: &Value) -> Vec<AlignmentStep> {
        align(before.as_array().unwrap(), after.as_array().unwrap()).unwrap()
    }

    #[test]
    fn items_are_known_by_name() {
        let before = json!([{"name": "a", "x": 1}, {"name": "b"}]);
        let after = json!([{"name": "new"}, {"name": "a", "x": 2}, {"name": "b"}]);
        assert_eq!(
            steps(&before, &after),
            [AlignmentStep::Add(0), AlignmentStep::Keep(0, 1), AlignmentStep::Keep(1, 2)]
        );
    }

    #[test]
    fn items_without_a_name_are_known_by_equality() {
        assert_eq!(
            steps(&json!(["a", "b", "c"]), &json!(["a", "c"])),
            [AlignmentStep::Keep(0, 0), AlignmentStep::Drop(1), AlignmentStep::Keep(2, 1)]
        );
        assert_eq!(
            steps(&json!(["a", "c"]), &json!(["a", "b", "c"])),
            [AlignmentStep::Keep(0, 0), AlignmentStep::Add(1), AlignmentStep::Keep(1, 2)]
        );
    }

    #[test]
    fn in_lists_of_one_length_items_without_a_name_change_in_their_places() {
        let changed = [AlignmentStep::Keep(0, 0), AlignmentStep::Keep(1, 1)];
        assert_eq!(steps(&json!(["a", {"b": 1}]), &json!(["a", {"b": 2}])), changed);
        let (before, after) = (vec![json!(1); 1000], vec![json!(2); 1000]);
        assert_eq!(align(&before, &after).unwrap().len(), 1000);
    }
}
