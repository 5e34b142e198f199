//! An expression's text becomes a tree, as the libraries in Python, Go and JavaScript read it.
//!
//! They differ from ours in one thing: a multiselect hash behind a projection ends it, as a multiselect
//! list does, so that `users[*].{n: name}[0]` is the first of the list and not the first of each. Ours
//! knows that of lists only. Each hash that follows a dot is therefore handed to it as a list of one,
//! `.[{…}]`, and taken out of the list again in the tree.

use jmespath::ast::Ast;
use jmespath::{ErrorReason, JmespathError};

use super::parts::parts_mut;

/// Why a text is no expression.
#[derive(Debug)]
pub(super) struct Syntax {
    /// The byte of the text where it stops making sense.
    pub(super) offset: usize,
    pub(super) reason: String,
}

pub(super) fn parse(text: &str) -> Result<Ast, Syntax> {
    let listed = Listed::read(text);
    let mut ast = jmespath::parse(&listed.text).map_err(|error| Syntax {
        offset: listed.original(error.offset),
        reason: reason(&error),
    })?;
    let mut rest = vec![&mut ast];
    while let Some(ast) = rest.pop() {
        listed.restore(ast);
        rest.extend(parts_mut(ast));
    }
    Ok(ast)
}

/// The library's words, on one line and short: they quote the expression, which is no secret.
fn reason(error: &JmespathError) -> String {
    match &error.reason {
        ErrorReason::Parse(text) => {
            text.chars().filter(|c| printable::is_printable(*c)).take(120).collect()
        }
        ErrorReason::Runtime(_) => "not a valid expression".to_owned(),
    }
}

/// The text with brackets around each hash that follows a dot.
struct Listed {
    text: String,
    /// Where in it the brackets stand, in order; opening ones are true.
    brackets: Vec<(usize, bool)>,
}

impl Listed {
    fn read(text: &str) -> Self {
        let mut listed =
            Self { text: String::with_capacity(text.len() + 16), brackets: Vec::new() };
        // Whether each brace that is open got a bracket.
        let mut open = Vec::new();
        let (mut quote, mut is_escaped, mut follows_dot) = (None, false, false);
        for c in text.chars() {
            if let Some(end) = quote {
                quote = quote.filter(|_| is_escaped || c != end);
                is_escaped = c == '\\' && !is_escaped;
                listed.text.push(c);
                continue;
            }
            match c {
                '\'' | '"' | '`' => quote = Some(c),
                '{' => {
                    if follows_dot {
                        listed.bracket('[', true);
                    }
                    open.push(follows_dot);
                }
                _ => {}
            }
            listed.text.push(c);
            if c == '}' && open.pop() == Some(true) {
                listed.bracket(']', false);
            }
            follows_dot = c == '.' || (follows_dot && c.is_ascii_whitespace());
        }
        listed
    }

    fn bracket(&mut self, bracket: char, opens: bool) {
        self.brackets.push((self.text.len(), opens));
        self.text.push(bracket);
    }

    /// What stands at this byte of our text stands at that byte of the author's.
    fn original(&self, offset: usize) -> usize {
        let before = self.brackets.iter().take_while(|(at, _)| *at < offset).count();
        offset.saturating_sub(before)
    }

    /// Takes a hash out of the list that it was put into, and makes the offset that errors have one of
    /// the author's text.
    fn restore(&self, ast: &mut Ast) {
        if let Ast::MultiList { offset, elements } = ast
            && self.brackets.binary_search(&(*offset, true)).is_ok()
            && let Some(hash) = elements.pop()
        {
            *ast = hash;
        }
        if let Ast::Function { offset, .. } | Ast::Slice { offset, .. } = ast {
            *offset = self.original(*offset);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> String {
        // Offsets differ with parentheses, and say nothing about what is meant.
        let shown = format!("{:?}", parse(text).unwrap());
        let parts = shown.split(", ").filter(|part| !part.starts_with("offset: "));
        parts
            .collect::<Vec<_>>()
            .join(", ")
            .replace("offset: ", "")
            .replace(|c: char| c.is_ascii_digit(), "")
    }

    #[test]
    fn a_hash_ends_the_projection_that_it_follows() {
        for (text, meant) in [
            ("a[*].{b: c}.d", "(a[*].{b: c}).d"),
            ("a[?x].{b: c}.d", "(a[?x].{b: c}).d"),
            ("a[].{b: c}.d", "(a[].{b: c}).d"),
            ("a.*.{b: c}.d", "(a.*.{b: c}).d"),
            ("a[1:].{b: c}.d", "(a[1:].{b: c}).d"),
            ("a[*] . {b: c} . d", "(a[*].{b: c}).d"),
            ("!a[*].{b: c}.d", "(!(a[*].{b: c})).d"),
            ("!(a[*].{b: c}.d)", "!((a[*].{b: c}).d)"),
            ("a[*].{b: c[*].{e: f}.g}.d", "(a[*].{b: (c[*].{e: f}).g}).d"),
        ] {
            assert_eq!(tree(text), tree(meant), "{text}");
        }
        assert_ne!(tree("a[*].b.d"), tree("(a[*].b).d"));
    }

    #[test]
    fn braces_in_quotes_and_in_other_places_stay_what_they_are() {
        for text in [
            "{a: b}.a",
            "[{a: b}][0].a",
            "map(&{a: b}, c)",
            "a.\"b.{c}\".d",
            "a[?b == '.{c}'].d",
            "a[?b == `\".{c}\"`].d",
            "a[?b == 'it\\'s .{c}'].d",
            "a.[{b: c}]",
        ] {
            assert_eq!(parse(text).unwrap(), jmespath::parse(text).unwrap(), "{text}");
        }
        let list = parse("a.[{b: c}]").unwrap();
        assert!(matches!(list, Ast::Subexpr { rhs, .. } if matches!(*rhs, Ast::MultiList { .. })));
    }

    #[test]
    fn a_mistake_is_found_where_the_author_wrote_it() {
        for (text, offset) in [("a.{b: c}..d", 9), ("a.{b: c", 7), ("a.{b: c}}", 8), ("a.{b}", 4)] {
            assert_eq!(parse(text).unwrap_err().offset, offset, "{text}");
        }
    }
}
