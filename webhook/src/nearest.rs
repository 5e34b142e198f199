//! "Did you mean": the known name that a misspelt one is closest to.

/// The closest of `known`, if it is close enough that a slip of the fingers explains it.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Beyond this it is not a slip, and the table below stays small.
    if name.len() > 128 {
        return None;
    }
    let most = (name.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits from one name to the other: a letter more, less or another, or two neighbours swapped.
/// Upper and lower case are the same.
fn distance(a: &str, b: &str) -> usize {
    let letters = |name: &str| name.chars().map(|c| c.to_ascii_lowercase()).collect::<Vec<_>>();
    let (a, b) = (letters(a), letters(b));
    let cell = |row: &[usize], at: Option<usize>| at.and_then(|at| row.get(at).copied());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let neighbours = i.checked_sub(1).and_then(|i| a.get(i)) == Some(y)
                && j.checked_sub(1).and_then(|j| b.get(j)) == Some(x);
            let edits = [
                cell(&last, Some(j)).map(|edits| edits + usize::from(x != y)),
                cell(&last, Some(j + 1)).map(|edits| edits + 1),
                cell(&row, Some(j)).map(|edits| edits + 1),
                cell(&before_last, j.checked_sub(1).filter(|_| neighbours)).map(|edits| edits + 1),
            ];
            row.push(edits.into_iter().flatten().min().unwrap_or_default());
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_edits_between_two_names() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("Region", "region"), 0);
        assert_eq!(distance("regoin", "region"), 1);
        assert_eq!(distance("ab", "ba"), 1);
    }

    #[test]
    fn offers_the_closest_name_and_nothing_far_fetched() {
        let known = ["region", "regions", "network"];
        assert_eq!(nearest("regoin", known), Some("region"));
        assert_eq!(nearest("regionss", known), Some("regions"));
        assert_eq!(nearest("secert", ["secrets", "mode"]), Some("secrets"));
        assert_eq!(nearest("colour", known), None);
    }
}
