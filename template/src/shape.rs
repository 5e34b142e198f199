//! What can be seen in the words of a template alone: which statements it has and how deep it
//! nests. Read before the parser, which recurses.

use minijinja::machinery::{Token, tokenize};

use crate::engine;
use crate::fault::{Fault, Invalid, shorten};

/// Tokens from the beginning of an expression to its innermost part; a comma starts anew. Every
/// operation is one at least, so that the tree of operations is no deeper.
const MAX_CHAIN: usize = 256;

/// What the parser takes longest for is not the length of a template, but how many words, signs and
/// pieces of text it has: so many are parsed and checked in half a millisecond.
pub(crate) const MAX_TOKENS: usize = 4096;

/// Branches of `if` around one place.
const MAX_BRANCHES: usize = 32;

pub(crate) fn check(text: &str) -> Result<(), Invalid> {
    let mut chains = Counts::default();
    let mut branches = Counts::default();
    let mut begins = false;
    let mut last_line = 1;
    for (index, token) in tokenize(text, false, engine::syntax()).enumerate() {
        let (token, span) =
            token.map_err(|error| Fault::Syntax.at(error.line().unwrap_or(last_line)))?;
        last_line = usize::from(span.start_line);
        if index >= MAX_TOKENS {
            return Err(Fault::TooMany.at(last_line));
        }
        if begins {
            let Token::Ident(name) = &token else { return Err(Fault::Syntax.at(last_line)) };
            statement(name, &mut branches).map_err(|fault| fault.at(last_line))?;
        }
        begins = matches!(token, Token::BlockStart);
        match token {
            Token::TemplateData(_) | Token::BlockStart | Token::VariableStart => chains.clear(),
            Token::Comma => {
                chains.close();
                chains.open();
            }
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                chains.count();
                chains.open();
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                chains.close();
                chains.count();
            }
            _ => chains.count(),
        }
        if chains.sum > MAX_CHAIN || branches.sum > MAX_BRANCHES {
            return Err(Fault::TooDeep.at(last_line));
        }
    }
    Ok(())
}

/// A count for each bracket or `if` that is open.
#[derive(Default)]
struct Counts {
    open: Vec<usize>,
    /// All counts, and one for each of them.
    sum: usize,
}

impl Counts {
    fn open(&mut self) {
        self.open.push(0);
        self.sum += 1;
    }

    fn close(&mut self) {
        if let Some(count) = self.open.pop() {
            self.sum -= 1 + count;
        }
    }

    fn count(&mut self) {
        if self.open.is_empty() {
            self.open();
        }
        self.count_open();
    }

    /// Nothing, where none is open.
    fn count_open(&mut self) {
        if let Some(last) = self.open.last_mut() {
            *last += 1;
            self.sum += 1;
        }
    }

    fn clear(&mut self) {
        self.open.clear();
        self.sum = 0;
    }
}

/// `branches` has one entry for each `if` that is open.
fn statement(name: &str, branches: &mut Counts) -> Result<(), Fault> {
    match name {
        "if" => branches.open(),
        "elif" | "else" => branches.count_open(),
        "endif" => branches.close(),
        "set" | "endset" => {}
        "for" | "endfor" | "while" | "break" | "continue" => {
            return Err(Fault::Loop(name.to_owned()));
        }
        "include" | "import" | "from" | "extends" | "block" | "endblock" | "macro" | "endmacro"
        | "call" | "endcall" => return Err(Fault::Parts(name.to_owned())),
        _ => return Err(Fault::Statement(shorten(name))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deep(text: &str) -> bool {
        matches!(check(text), Err(Invalid { fault: Fault::TooDeep, .. }))
    }

    #[test]
    fn a_long_list_is_not_deep_and_a_long_chain_is() {
        let items = "secret(\"kms://a\"), ".repeat(700);
        assert!(!deep(&format!("{{{{ [{items}] | join }}}}")));
        for (open, part, close) in [
            ("a", ".b", ""),
            ("a", " | trim", ""),
            ("a", " | default(1, 2)", ""),
            ("", "[", ""),
            ("", "[1, ", ""),
            ("", "not ", "a"),
            ("a", " ~ a", ""),
            ("a", " if a else a", ""),
        ] {
            let text = format!("{{{{ {open}{}{close} }}}}", part.repeat(300));
            assert!(deep(&text), "{part}");
        }
    }

    #[test]
    fn branches_are_counted_where_they_are_open() {
        let one = "{% if a %}{% elif b %}{% else %}{% endif %}";
        assert!(!deep(&one.repeat(100)));
        assert!(deep(&"{% if a %}".repeat(40)));
        assert!(deep(&format!("{{% if a %}}{}", "{% elif b %}".repeat(40))));
    }
}
