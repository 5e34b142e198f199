//! `*` (any run of characters) and `?` (one character), as in RAM policies and `StringLike`.

pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    // The position after the last `*`, and how much of the text that `*` has swallowed.
    let mut retry: Option<(usize, usize)> = None;
    let (mut p, mut t) = (0, 0);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                retry = Some((p, t));
            }
            Some(c) if *c == '?' || text.get(t) == Some(c) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((after_star, swallowed)) = retry else {
                    return false;
                };
                p = after_star;
                t = swallowed + 1;
                retry = Some((after_star, t));
            }
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

pub(crate) fn any(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_as_in_ram() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "anything/at:all", true),
            ("kms:*", "kms:GetSecretValue", true),
            ("kms:Get*Value", "kms:GetSecretValue", true),
            ("kms:Get*Value", "kms:GetSecretValues", false),
            ("system:serviceaccount:shop:*", "system:serviceaccount:shop:checkout", true),
            ("system:serviceaccount:shop:*", "system:serviceaccount:shopping:checkout", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b", "xaxxb", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
