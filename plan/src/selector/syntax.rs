//! An expression's text becomes a tree, as the libraries in Python, Go and JavaScript read it: theirs is
//! the same parser in three languages. That of the library which evaluates the tree lets a projection
//! go on where theirs ends it, behind a multiselect hash (`a[*].{b: c}[0]`) and one step behind `.*`
//! (`a.*.b[?c]`).
//!
//! A token binds what stands before it as strongly as a number says (Pratt's top down operator
//! precedence). It calls itself as deep as the text nests, which is bounded.

use jmespath::Rcvar;
use jmespath::ast::{Ast, KeyValuePair};

use super::syntax_error::Syntax;
use super::tokens::{self, SelectorToken};

pub(super) fn parse(text: &str) -> Result<Ast, Syntax> {
    let mut parser = Parser { tokens: tokens::read(text)?, at: 0, depth: 0 };
    let ast = parser.expression(0)?;
    match parser.peek() {
        SelectorToken::End => Ok(ast),
        _ => Err(parser.unexpected("nothing of this kind follows here")),
    }
}

/// What binds less than this ends a projection.
const PROJECTION: u8 = 10;
const COMPARISON: u8 = 5;
const FLATTEN: u8 = 9;
const STAR: u8 = 20;
const FILTER: u8 = 21;
const DOT: u8 = 40;
const NOT: u8 = 45;

/// How strongly a token binds what stands before it.
fn power(token: &SelectorToken) -> u8 {
    match token {
        SelectorToken::Pipe => 1,
        SelectorToken::Or => 2,
        SelectorToken::And => 3,
        SelectorToken::Compare(_) => COMPARISON,
        SelectorToken::Flatten => FLATTEN,
        SelectorToken::Star => STAR,
        SelectorToken::Filter => FILTER,
        SelectorToken::Dot => DOT,
        SelectorToken::Not => NOT,
        SelectorToken::OpenBrace => 50,
        SelectorToken::OpenBracket => 55,
        SelectorToken::OpenParenthesis => 60,
        _ => 0,
    }
}

struct Parser {
    tokens: Vec<(usize, SelectorToken)>,
    at: usize,
    /// Expressions that are not read to their end.
    depth: usize,
}

/// Ten times what people write, and a small part of a thread's stack in a debug build too.
const MAX_DEPTH: usize = 64;

type Parsed = Result<Ast, Syntax>;

impl Parser {
    fn peek(&self) -> &SelectorToken {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> &SelectorToken {
        self.tokens.get(self.at + ahead).map_or(&SelectorToken::End, |(_, token)| token)
    }

    fn offset(&self) -> usize {
        let last = self.tokens.last();
        self.tokens.get(self.at).or(last).map_or(0, |(offset, _)| *offset)
    }

    fn advance(&mut self) -> (usize, SelectorToken) {
        let taken = (self.offset(), self.peek().clone());
        self.at += 1;
        taken
    }

    fn eat(&mut self, wanted: &SelectorToken) -> bool {
        let is_there = self.peek() == wanted;
        if is_there {
            self.at += 1;
        }
        is_there
    }

    fn close(&mut self, wanted: &SelectorToken, sign: char) -> Result<(), Syntax> {
        if self.eat(wanted) { Ok(()) } else { Err(self.unexpected(&format!("{sign} is missing"))) }
    }

    fn unexpected(&self, what: &str) -> Syntax {
        let ends = if self.peek() == &SelectorToken::End { "the expression ends; " } else { "" };
        Syntax::new(self.offset(), format!("{ends}{what}"))
    }

    fn expression(&mut self, least: u8) -> Parsed {
        if self.depth >= MAX_DEPTH {
            let what = format!("the expression nests deeper than {MAX_DEPTH} levels");
            return Err(Syntax::new(self.offset(), what));
        }
        self.depth += 1;
        let mut left = self.head()?;
        while least < power(self.peek()) {
            left = self.follow(left)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    /// What an expression begins with.
    fn head(&mut self) -> Parsed {
        let here = self.at;
        let (offset, token) = self.advance();
        let identity = || Box::new(Ast::Identity { offset });
        Ok(match token {
            SelectorToken::Literal(value) => Ast::Literal { offset, value: Rcvar::new(value) },
            SelectorToken::Name(name) => Ast::Field { offset, name },
            SelectorToken::Quoted(_) if self.peek() == &SelectorToken::OpenParenthesis => {
                self.at = here;
                return Err(self.unexpected("the name of a function stands without quotes"));
            }
            SelectorToken::Quoted(name) => Ast::Field { offset, name },
            SelectorToken::Current => Ast::Identity { offset },
            SelectorToken::Star if self.peek() == &SelectorToken::CloseBracket => {
                values(offset, identity(), *identity())
            }
            SelectorToken::Star => values(offset, identity(), self.projected(STAR)?),
            SelectorToken::Filter => self.filter(offset, identity())?,
            SelectorToken::Flatten => self.flatten(offset, identity())?,
            SelectorToken::OpenBracket => match (self.peek(), self.peek_at(1)) {
                (SelectorToken::Number(_) | SelectorToken::Colon, _) => {
                    self.index(offset, identity())?
                }
                (SelectorToken::Star, SelectorToken::CloseBracket) => {
                    self.all_items(offset, identity())?
                }
                _ => self.list(offset)?,
            },
            SelectorToken::OpenBrace => self.hash(offset)?,
            SelectorToken::OpenParenthesis => {
                let inner = self.expression(0)?;
                self.close(&SelectorToken::CloseParenthesis, ')')?;
                inner
            }
            SelectorToken::Not => Ast::Not { offset, node: Box::new(self.expression(NOT)?) },
            SelectorToken::Reference => Ast::Expref { offset, ast: Box::new(self.expression(0)?) },
            _ => {
                self.at = here;
                return Err(self.unexpected("an expression is missing here"));
            }
        })
    }

    /// What goes on with what stands before it.
    fn follow(&mut self, left: Ast) -> Parsed {
        let here = self.at;
        let (offset, token) = self.advance();
        let lhs = Box::new(left);
        Ok(match token {
            SelectorToken::Dot if self.eat(&SelectorToken::Star) => {
                values(offset, lhs, self.projected(DOT)?)
            }
            SelectorToken::Dot => {
                let rhs = Box::new(self.behind_dot(DOT)?);
                Ast::Subexpr { offset, lhs, rhs }
            }
            SelectorToken::Pipe => {
                let rhs = Box::new(self.expression(power(&token))?);
                Ast::Subexpr { offset, lhs, rhs }
            }
            SelectorToken::Or => {
                let rhs = Box::new(self.expression(power(&token))?);
                Ast::Or { offset, lhs, rhs }
            }
            SelectorToken::And => {
                let rhs = Box::new(self.expression(power(&token))?);
                Ast::And { offset, lhs, rhs }
            }
            SelectorToken::Compare(comparator) => {
                let rhs = Box::new(self.expression(COMPARISON)?);
                Ast::Comparison { offset, comparator, lhs, rhs }
            }
            SelectorToken::OpenParenthesis => match *lhs {
                Ast::Field { name, offset } if self.is_name(here) => {
                    let args = self.items(&SelectorToken::CloseParenthesis, ')', true)?;
                    Ast::Function { offset, name, args }
                }
                _ => {
                    self.at = here;
                    return Err(self.unexpected("only a name is called as a function"));
                }
            },
            SelectorToken::Flatten => self.flatten(offset, lhs)?,
            SelectorToken::Filter => self.filter(offset, lhs)?,
            SelectorToken::OpenBracket => match (self.peek(), self.peek_at(1)) {
                (SelectorToken::Number(_) | SelectorToken::Colon, _) => self.index(offset, lhs)?,
                (SelectorToken::Star, SelectorToken::CloseBracket) => {
                    self.all_items(offset, lhs)?
                }
                _ => {
                    return Err(self.unexpected(
                        "a number, : or * is missing; several keys stand behind a dot: .[a, b]",
                    ));
                }
            },
            _ => {
                self.at = here;
                return Err(self.unexpected("nothing of this kind follows here"));
            }
        })
    }

    /// Whether a name without quotes stands directly before this token.
    fn is_name(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.tokens.get(before));
        before.is_some_and(|(_, token)| matches!(token, SelectorToken::Name(_)))
    }

    /// What is done with each element of a projection.
    fn projected(&mut self, least: u8) -> Parsed {
        let offset = self.offset();
        match self.peek() {
            SelectorToken::OpenBracket | SelectorToken::Filter => self.expression(least),
            SelectorToken::Dot => {
                self.advance();
                self.behind_dot(least)
            }
            other if power(other) < PROJECTION => Ok(Ast::Identity { offset }),
            _ => Err(self.unexpected("a dot or bracket is missing")),
        }
    }

    /// A multiselect ends what it belongs to; behind a name it goes on.
    fn behind_dot(&mut self, least: u8) -> Parsed {
        let offset = self.offset();
        match self.peek() {
            SelectorToken::Name(_) | SelectorToken::Quoted(_) | SelectorToken::Star => {
                self.expression(least)
            }
            SelectorToken::OpenBracket => {
                self.advance();
                self.list(offset)
            }
            SelectorToken::OpenBrace => {
                self.advance();
                self.hash(offset)
            }
            _ => Err(self.unexpected("behind a dot stands a key, *, [ or {")),
        }
    }

    fn filter(&mut self, offset: usize, lhs: Box<Ast>) -> Parsed {
        let predicate = Box::new(self.expression(0)?);
        self.close(&SelectorToken::CloseBracket, ']')?;
        let then = Box::new(self.projected(FILTER)?);
        let rhs = Box::new(Ast::Condition { offset, predicate, then });
        Ok(Ast::Projection { offset, lhs, rhs })
    }

    fn flatten(&mut self, offset: usize, node: Box<Ast>) -> Parsed {
        let lhs = Box::new(Ast::Flatten { offset, node });
        let rhs = Box::new(self.projected(FLATTEN)?);
        Ok(Ast::Projection { offset, lhs, rhs })
    }

    /// `[*]`, whose bracket is read.
    fn all_items(&mut self, offset: usize, lhs: Box<Ast>) -> Parsed {
        self.at += 2;
        let rhs = Box::new(self.projected(STAR)?);
        Ok(Ast::Projection { offset, lhs, rhs })
    }

    /// An index or a slice, whose bracket is read.
    fn index(&mut self, offset: usize, lhs: Box<Ast>) -> Parsed {
        let mut parts = [None; 3];
        let (mut place, mut is_slice) = (0, false);
        loop {
            match self.advance().1 {
                SelectorToken::Number(number) => match parts.get_mut(place) {
                    Some(part @ None) => *part = Some(number),
                    _ => return Err(self.before("a slice is [FROM:TO:STEP]")),
                },
                SelectorToken::Colon if place < 2 => (place, is_slice) = (place + 1, true),
                SelectorToken::CloseBracket => break,
                _ => return Err(self.before("] is missing, or another : or number")),
            }
        }
        let [start, stop, step] = parts;
        if !is_slice {
            let idx = start.ok_or_else(|| self.before("a number is missing"))?;
            return Ok(behind(offset, lhs, Ast::Index { offset, idx }));
        }
        let slice = Ast::Slice { offset, start, stop, step: step.unwrap_or(1) };
        let lhs = Box::new(behind(offset, lhs, slice));
        let rhs = Box::new(self.projected(STAR)?);
        Ok(Ast::Projection { offset, lhs, rhs })
    }

    /// An error of the token that was read last.
    fn before(&mut self, what: &str) -> Syntax {
        self.at = self.at.saturating_sub(1);
        self.unexpected(what)
    }

    fn list(&mut self, offset: usize) -> Parsed {
        let elements = self.items(&SelectorToken::CloseBracket, ']', false)?;
        Ok(Ast::MultiList { offset, elements })
    }

    /// Expressions with commas between them, up to what closes them.
    fn items(
        &mut self,
        end: &SelectorToken,
        sign: char,
        may_be_none: bool,
    ) -> Result<Vec<Ast>, Syntax> {
        let mut items = Vec::new();
        if may_be_none && self.eat(end) {
            return Ok(items);
        }
        loop {
            items.push(self.expression(0)?);
            if !self.eat(&SelectorToken::Comma) {
                self.close(end, sign)?;
                return Ok(items);
            }
        }
    }

    fn hash(&mut self, offset: usize) -> Parsed {
        let mut elements = Vec::new();
        loop {
            let (SelectorToken::Name(key) | SelectorToken::Quoted(key)) = self.advance().1 else {
                return Err(self.before("between { and } stands NAME: EXPRESSION"));
            };
            self.close(&SelectorToken::Colon, ':')?;
            elements.push(KeyValuePair { key, value: self.expression(0)? });
            if !self.eat(&SelectorToken::Comma) {
                self.close(&SelectorToken::CloseBrace, '}')?;
                return Ok(Ast::MultiHash { offset, elements });
            }
        }
    }
}

/// A step behind another expression. Behind the value itself it stands alone.
fn behind(offset: usize, lhs: Box<Ast>, step: Ast) -> Ast {
    match *lhs {
        Ast::Identity { .. } => step,
        _ => Ast::Subexpr { offset, lhs, rhs: Box::new(step) },
    }
}

/// A projection of the values of an object.
fn values(offset: usize, node: Box<Ast>, rhs: Ast) -> Ast {
    let lhs = Box::new(Ast::ObjectValues { offset, node });
    Ast::Projection { offset, lhs, rhs: Box::new(rhs) }
}

#[cfg(test)]
mod tests;
