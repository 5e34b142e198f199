//! "Did you mean": the known name that a misspelt one is closest to.

/// Names longer than this are no slips, and no names that anything of ours has.
const LONGEST: usize = 128;
/// More edits than this are another name.
const MOST: usize = 4;
/// To count so many letters takes no longer than to compare one.
const COUNTED: usize = 32;

/// How many names may still be compared, in letters: a suggestion is a kindness, and must not cost
/// more than the decision that it explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Effort(usize);

impl Effort {
    /// Some two hundred microseconds: a dozen misspelt annotations, or hundreds of names of containers.
    pub(crate) fn of_one_pod() -> Self {
        Self(8 * 1024)
    }

    fn spend(&mut self, letters: usize) -> Option<()> {
        self.0 = self.0.checked_sub(letters)?;
        Some(())
    }
}

/// The closest of `known`, if it is close enough that a slip of the fingers explains it.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_within(name, known, &mut Effort(usize::MAX))
}

/// The same for as long as the effort lasts; what it has found until then is not returned, since it may
/// not be the closest.
pub(crate) fn nearest_within<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
    effort: &mut Effort,
) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let name = letters(name);
    let most = (name.len() / 3).clamp(1, MOST);
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        effort.spend(1)?;
        // In bytes a letter has four at most.
        if candidate.len() > 4 * (name.len() + most) {
            continue;
        }
        // Letters are counted many at a time, and copied one by one.
        effort.spend(candidate.len() / COUNTED)?;
        if name.len().abs_diff(candidate.chars().count()) > most {
            continue;
        }
        let other = letters(candidate);
        effort.spend(name.len())?;
        let bound = best.map_or(most, |(edits, _)| edits.saturating_sub(1));
        if let Some(edits) = distance(&name, &other, bound) {
            if edits == 0 {
                return Some(candidate);
            }
            best = Some((edits, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Upper and lower case are the same.
fn letters(name: &str) -> Vec<char> {
    name.chars().map(|c| c.to_ascii_lowercase()).collect()
}

/// Edits from one name to the other, up to `most`: a letter more, less or another, or two neighbours
/// swapped. Places that are further apart than that cannot belong together, so that only a band of
/// the table is filled.
fn distance(a: &[char], b: &[char], most: usize) -> Option<usize> {
    let width = 2 * MOST + 1;
    let far = most + 1;
    // Cell `k` of row `i` is about the first `i` letters of `a` and the first `i + k - MOST` of `b`.
    let mut before_last = [far; 2 * MOST + 1];
    let mut last = [far; 2 * MOST + 1];
    let mut row = [far; 2 * MOST + 1];
    let cell = |row: &[usize; 2 * MOST + 1], k: Option<usize>| {
        k.and_then(|k| row.get(k).copied()).unwrap_or(far)
    };
    for i in 0..=a.len() {
        for k in 0..width {
            let Some(j) = (i + k).checked_sub(MOST) else { continue };
            if j > b.len() {
                continue;
            }
            let edits = match (i.checked_sub(1), j.checked_sub(1)) {
                (None, _) => j,
                (_, None) => i,
                (Some(x), Some(y)) => {
                    let same = a.get(x) == b.get(y);
                    let swapped = x > 0
                        && y > 0
                        && a.get(x) == y.checked_sub(1).and_then(|y| b.get(y))
                        && x.checked_sub(1).and_then(|x| a.get(x)) == b.get(y);
                    let swap = if swapped { cell(&before_last, Some(k)) + 1 } else { far };
                    (cell(&last, Some(k)) + usize::from(!same))
                        .min(cell(&last, k.checked_add(1)) + 1)
                        .min(cell(&row, k.checked_sub(1)) + 1)
                        .min(swap)
                }
            };
            if let Some(cell) = row.get_mut(k) {
                *cell = edits.min(far);
            }
        }
        if row.iter().all(|edits| *edits > most) {
            return None;
        }
        before_last = last;
        last = row;
        row = [far; 2 * MOST + 1];
    }
    let end = (b.len() + MOST).checked_sub(a.len());
    Some(cell(&last, end)).filter(|edits| *edits <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(a: &str, b: &str) -> Option<usize> {
        distance(&letters(a), &letters(b), MOST)
    }

    #[test]
    fn counts_the_edits_between_two_names() {
        assert_eq!(edits("kitten", "sitting"), Some(3));
        assert_eq!(edits("", "abc"), Some(3));
        assert_eq!(edits("abc", ""), Some(3));
        assert_eq!(edits("Region", "region"), Some(0));
        assert_eq!(edits("regoin", "region"), Some(1));
        assert_eq!(edits("ab", "ba"), Some(1));
        assert_eq!(edits("abcd", "badc"), Some(2));
        assert_eq!(edits("abcdefgh", "abcd"), Some(4));
        assert_eq!(edits("abcdefgh", "abc"), None);
        assert_eq!(edits("abcdefgh", "hgfedcba"), None);
    }

    /// Each pair costs as much as a pair may.
    #[test]
    fn names_of_one_pod_are_compared_until_its_effort_is_spent() {
        let named = |end: &str| -> Vec<String> {
            (0..256).map(|n| format!("{}{n:03}{end}", "y".repeat(58))).collect()
        };
        let (known, asked) = (named("aa"), named("zz"));
        let mut effort = Effort::of_one_pod();
        let mut offered = 0;
        for name in &asked {
            let found = nearest_within(name, known.iter().map(String::as_str), &mut effort);
            offered += usize::from(found.is_some());
        }
        assert!(offered < 2, "{offered}");
    }

    #[test]
    fn offers_the_closest_name_and_nothing_far_fetched() {
        let known = ["region", "regions", "network"];
        assert_eq!(nearest("regoin", known), Some("region"));
        assert_eq!(nearest("regionss", known), Some("regions"));
        assert_eq!(nearest("secert", ["secrets", "mode"]), Some("secrets"));
        assert_eq!(nearest("colour", known), None);
    }

    #[test]
    fn nothing_is_offered_once_the_effort_is_spent() {
        let mut effort = Effort(20);
        let known = ["network", "region"];
        assert_eq!(nearest_within("regoin", known, &mut effort), Some("region"));
        assert_eq!(nearest_within("regoin", known, &mut effort), None);
    }
}
