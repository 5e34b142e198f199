//! What can be seen in the words of a template alone: which statements it has and how deep it
//! nests. Read before the parser, which recurses.

use minijinja::machinery::{Token, tokenize};

use crate::engine;
use crate::fault::{Fault, Invalid, shorten};

/// Tokens from the beginning of an expression to its innermost part; a comma starts anew. Every
/// operation is one at least, so that the tree of operations is no deeper.
const MAX_CHAIN: usize = 256;

/// Branches of `if` around one place.
const MAX_BRANCHES: usize = 32;

pub(crate) fn check(text: &str) -> Result<(), Invalid> {
    let mut chains: Vec<usize> = Vec::new();
    let mut branches: Vec<usize> = Vec::new();
    let mut begins = false;
    let mut last_line = 1;
    for token in tokenize(text, false, engine::syntax()) {
        let (token, span) =
            token.map_err(|error| Fault::Syntax.at(error.line().unwrap_or(last_line)))?;
        last_line = usize::from(span.start_line);
        if begins {
            let Token::Ident(name) = &token else { return Err(Fault::Syntax.at(last_line)) };
            statement(name, &mut branches).map_err(|fault| fault.at(last_line))?;
        }
        begins = matches!(token, Token::BlockStart);
        match token {
            Token::TemplateData(_) | Token::BlockStart | Token::VariableStart => chains.clear(),
            Token::Comma => {
                chains.pop();
                chains.push(0);
            }
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                count(&mut chains);
                chains.push(0);
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                chains.pop();
                count(&mut chains);
            }
            _ => count(&mut chains),
        }
        if chains.len() + chains.iter().sum::<usize>() > MAX_CHAIN
            || branches.len() + branches.iter().sum::<usize>() > MAX_BRANCHES
        {
            return Err(Fault::TooDeep.at(last_line));
        }
    }
    Ok(())
}

fn count(chains: &mut Vec<usize>) {
    match chains.last_mut() {
        Some(chain) => *chain += 1,
        None => chains.push(1),
    }
}

/// `branches` has one entry for each `if` that is open.
fn statement(name: &str, branches: &mut Vec<usize>) -> Result<(), Fault> {
    match name {
        "if" => branches.push(0),
        "elif" | "else" => {
            if let Some(branch) = branches.last_mut() {
                *branch += 1;
            }
        }
        "endif" => drop(branches.pop()),
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
