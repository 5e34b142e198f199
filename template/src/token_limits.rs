//! The words of a template alone show which statements it has, which names it sets and how deep it
//! nests. They are read before the parser, which recurses.

use std::collections::HashSet;

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;
use printable::shorten;

use crate::fault::{Fault, Invalid};
use crate::limits::MAX_NUMBER_BYTES;

/// So many tokens lead from the beginning of an expression to its innermost part; a comma starts anew.
/// Every operation is one at least, so that the tree of operations is no deeper.
const MAX_CHAIN: usize = 256;

/// So many branches of `if` may be around one place.
const MAX_BRANCHES: usize = 32;

/// The text is kept exactly as it is written.
pub(crate) fn syntax() -> SyntaxConfig {
    let mut builder = SyntaxConfig::builder();
    builder.keep_trailing_newline(true);
    builder.build().unwrap_or_default()
}

/// This finds the names that are set somewhere, unless something is wrong. `left` is how many tokens
/// this template and those behind it may have.
pub(crate) fn check<'t>(text: &'t str, left: &mut usize) -> Result<HashSet<&'t str>, Invalid> {
    let mut targets = HashSet::new();
    // Beside each count stands what it was where each bracket or `if` that is still open began.
    let (mut chain, mut brackets) = (0, Vec::new());
    let (mut branches, mut conditions) = (0, Vec::new());
    let (mut begins, mut sets) = (false, false);
    let mut line = 1;
    for token in tokenize(text, false, syntax()) {
        let (token, span) =
            token.map_err(|error| Fault::Syntax.at(error.line().unwrap_or(line)))?;
        line = usize::from(span.start_line);
        *left = left.checked_sub(1).ok_or_else(|| Fault::TooMany.at(line))?;
        let length = span.end_offset.saturating_sub(span.start_offset) as usize;
        if matches!(token, Token::Float(_)) && length > MAX_NUMBER_BYTES {
            return Err(Fault::LongNumber.at(line));
        }
        match &token {
            Token::Ident(name) if begins => match *name {
                "if" => {
                    conditions.push(branches);
                    branches += 1;
                }
                "elif" | "else" => branches += 1,
                "endif" => branches = conditions.pop().unwrap_or_default(),
                "set" | "endset" => {}
                other => return Err(Fault::Statement(shorten(other)).at(line)),
            },
            _ if begins => return Err(Fault::Syntax.at(line)),
            Token::Ident(name) if sets => drop(targets.insert(*name)),
            _ => {}
        }
        sets = begins && matches!(token, Token::Ident("set"));
        begins = matches!(token, Token::BlockStart);
        match token {
            Token::TemplateData(_) | Token::BlockStart | Token::VariableStart => {
                chain = 0;
                brackets.clear();
            }
            Token::Comma => chain = brackets.last().copied().unwrap_or_default(),
            Token::ParenOpen | Token::BracketOpen | Token::BraceOpen => {
                chain += 2;
                brackets.push(chain);
            }
            Token::ParenClose | Token::BracketClose | Token::BraceClose => {
                chain = brackets.pop().unwrap_or(chain);
            }
            _ => chain += 1,
        }
        if chain > MAX_CHAIN || branches > MAX_BRANCHES {
            return Err(Fault::TooDeep.at(line));
        }
    }
    Ok(targets)
}
