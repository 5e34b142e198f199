//! The words and signs of an expression.

use jmespath::Variable;
use jmespath::ast::Comparator;

use super::syntax_error::Syntax;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum SelectorToken {
    Name(String),
    Quoted(String),
    Number(i32),
    Literal(Variable),
    Compare(Comparator),
    Dot,
    Star,
    Flatten,
    Filter,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    OpenParenthesis,
    CloseParenthesis,
    Comma,
    Colon,
    And,
    Or,
    Pipe,
    Not,
    Current,
    Reference,
    End,
}

/// All of them, each with the byte where it begins; the last one is the end.
pub(super) fn read(text: &str) -> Result<Vec<(usize, SelectorToken)>, Syntax> {
    let mut rest = Rest { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        rest.skip(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
        let start = rest.at;
        let Some(c) = rest.next() else {
            tokens.push((start, SelectorToken::End));
            return Ok(tokens);
        };
        let token = match c {
            '.' => SelectorToken::Dot,
            '*' => SelectorToken::Star,
            ']' => SelectorToken::CloseBracket,
            '{' => SelectorToken::OpenBrace,
            '}' => SelectorToken::CloseBrace,
            '(' => SelectorToken::OpenParenthesis,
            ')' => SelectorToken::CloseParenthesis,
            ',' => SelectorToken::Comma,
            ':' => SelectorToken::Colon,
            '@' => SelectorToken::Current,
            '[' if rest.eat(']') => SelectorToken::Flatten,
            '[' if rest.eat('?') => SelectorToken::Filter,
            '[' => SelectorToken::OpenBracket,
            '|' if rest.eat('|') => SelectorToken::Or,
            '|' => SelectorToken::Pipe,
            '&' if rest.eat('&') => SelectorToken::And,
            '&' => SelectorToken::Reference,
            '<' if rest.eat('=') => SelectorToken::Compare(Comparator::LessThanEqual),
            '<' => SelectorToken::Compare(Comparator::LessThan),
            '>' if rest.eat('=') => SelectorToken::Compare(Comparator::GreaterThanEqual),
            '>' => SelectorToken::Compare(Comparator::GreaterThan),
            '!' if rest.eat('=') => SelectorToken::Compare(Comparator::NotEqual),
            '!' => SelectorToken::Not,
            '=' if rest.eat('=') => SelectorToken::Compare(Comparator::Equal),
            '=' => return Err(Syntax::new(start, "one = means nothing; did you mean ==?")),
            '"' => quoted(&mut rest, start)?,
            '\'' => {
                let text = rest.until('\'', start)?;
                SelectorToken::Literal(Variable::String(text.replace("\\'", "'")))
            }
            '`' => literal(&rest.until('`', start)?.replace("\\`", "`"), start)?,
            '-' | '0'..='9' => {
                rest.skip(|c| c.is_ascii_digit());
                let number = text.get(start..rest.at).unwrap_or_default();
                let number = number.parse().map_err(|_| {
                    let what = if number == "-" {
                        "a number stands behind - here, and nothing else"
                    } else {
                        "the number is larger than any index"
                    };
                    Syntax::new(start, what)
                })?;
                SelectorToken::Number(number)
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                rest.skip(|c| c.is_ascii_alphanumeric() || c == '_');
                SelectorToken::Name(text.get(start..rest.at).unwrap_or_default().to_owned())
            }
            c => return Err(Syntax::new(start, format!("{c:?} means nothing here"))),
        };
        tokens.push((start, token));
    }
}

fn quoted(rest: &mut Rest<'_>, start: usize) -> Result<SelectorToken, Syntax> {
    let inner = rest.until('"', start)?;
    let name = serde_json::from_str(&format!("\"{inner}\""));
    name.map(SelectorToken::Quoted).map_err(|_| {
        Syntax::new(start, "between double quotes stands a key as JSON writes it, with \\\\ for \\")
    })
}

/// JSON, or a text without quotes, which the other libraries take for one with quotes.
fn literal(text: &str, start: usize) -> Result<SelectorToken, Syntax> {
    // A number that no machine holds is JSON all the same, and no text.
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let json = match is_json {
        true => Variable::from_json(text),
        false => Variable::from_json(&format!("\"{}\"", text.trim_start())),
    };
    json.map(SelectorToken::Literal)
        .map_err(|_| Syntax::new(start, "between backticks stands JSON; put text in single quotes"))
}

struct Rest<'t> {
    text: &'t str,
    at: usize,
}

impl Rest<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn eat(&mut self, wanted: char) -> bool {
        let is_there = self.peek() == Some(wanted);
        if is_there {
            self.at += wanted.len_utf8();
        }
        is_there
    }

    fn skip(&mut self, belongs: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&belongs) {
            self.next();
        }
    }

    /// The text up to a sign that no backslash escapes, with its backslashes.
    fn until(&mut self, end: char, start: usize) -> Result<String, Syntax> {
        let mut inner = String::new();
        while let Some(c) = self.next() {
            if c == end {
                return Ok(inner);
            }
            inner.push(c);
            if c == '\\' {
                inner.extend(self.next());
            }
        }
        Err(Syntax::new(start, format!("the {end} is not closed")))
    }
}
