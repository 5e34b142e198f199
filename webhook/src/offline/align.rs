//! Which items of a list stayed, went and came: items are known by equality or by their name.

use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The old and the new index of the same item.
    Keep(usize, usize),
    Drop(usize),
    Add(usize),
}

/// Lists in Pods have tens of items; beyond this the table is not worth its memory.
const MAX_TABLE: usize = 250_000;

/// The longest common subsequence as steps in order, or `None` for lists too long for it.
pub(super) fn align(before: &[Value], after: &[Value]) -> Option<Vec<Step>> {
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
                steps.push(Step::Keep(i, j));
                (i, j) = (i + 1, j + 1);
            }
            (Some(_), Some(_)) if length(&lengths, i + 1, j) > length(&lengths, i, j + 1) => {
                steps.push(Step::Drop(i));
                i += 1;
            }
            (_, Some(_)) => {
                steps.push(Step::Add(j));
                j += 1;
            }
            (Some(_), None) => {
                steps.push(Step::Drop(i));
                i += 1;
            }
            (None, None) => return Some(paired(&steps, before)),
        }
    }
}

/// As many unnamed items gone as came, in one place: each is the other, changed.
fn paired(steps: &[Step], before: &[Value]) -> Vec<Step> {
    let kept = |step: &Step| matches!(step, Step::Keep(..));
    let mut paired = Vec::with_capacity(steps.len());
    for run in steps.chunk_by(|a, b| kept(a) == kept(b)) {
        let dropped: Vec<_> = run.iter().filter_map(Step::dropped).collect();
        let added: Vec<_> = run.iter().filter_map(Step::added).collect();
        let unnamed = |old: &usize| before.get(*old).is_none_or(|item| item.get("name").is_none());
        if !dropped.is_empty() && dropped.len() == added.len() && dropped.iter().all(unnamed) {
            paired.extend(dropped.into_iter().zip(added).map(|(old, new)| Step::Keep(old, new)));
        } else {
            paired.extend(run);
        }
    }
    paired
}

impl Step {
    fn dropped(&self) -> Option<usize> {
        match self {
            Self::Drop(old) => Some(*old),
            _ => None,
        }
    }

    fn added(&self) -> Option<usize> {
        match self {
            Self::Add(new) => Some(*new),
            _ => None,
        }
    }
}

fn same(old: &Value, new: &Value) -> bool {
    match (old.get("name"), new.get("name")) {
        (Some(Value::String(old)), Some(Value::String(new))) => old == new,
        _ => old == new,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn steps(before: &Value, after: &Value) -> Vec<Step> {
        align(before.as_array().unwrap(), after.as_array().unwrap()).unwrap()
    }

    #[test]
    fn items_are_known_by_name() {
        let before = json!([{"name": "a", "x": 1}, {"name": "b"}]);
        let after = json!([{"name": "new"}, {"name": "a", "x": 2}, {"name": "b"}]);
        assert_eq!(steps(&before, &after), [Step::Add(0), Step::Keep(0, 1), Step::Keep(1, 2)]);
    }

    #[test]
    fn items_without_a_name_are_known_by_equality() {
        assert_eq!(
            steps(&json!(["a", "b", "c"]), &json!(["a", "c", "d"])),
            [Step::Keep(0, 0), Step::Drop(1), Step::Keep(2, 1), Step::Add(2)]
        );
        assert_eq!(
            steps(&json!(["a", "b", "c"]), &json!(["a", "x", "c"])),
            [Step::Keep(0, 0), Step::Keep(1, 1), Step::Keep(2, 2)]
        );
    }
}
