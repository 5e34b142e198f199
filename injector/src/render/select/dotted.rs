//! A path that finds nothing because a key has dots in its name.

use jmespath::ast::Ast;
use jmespath::{Rcvar, Variable};

/// The path as it must be written, where it is one of nothing but keys, and some of them together are
/// a key of the value.
pub(super) fn meant(expression: &Ast, root: &Rcvar) -> Option<String> {
    let keys = keys(expression)?;
    let mut node = Rcvar::clone(root);
    for (at, key) in keys.iter().enumerate() {
        let Variable::Object(members) = &*node else { return None };
        let rest = keys.get(at..)?;
        // The longest name goes first: what is left of the path must be found too.
        for count in (2..=rest.len()).rev() {
            let (name, behind) = rest.split_at_checked(count)?;
            if let Some(found) = members.get(&name.join("."))
                && has(found, behind)
            {
                let dotted = name.join(".");
                let before = keys.get(..at)?.iter().copied();
                let path = before.chain([dotted.as_str()]).chain(behind.iter().copied());
                return Some(path.map(written).collect::<Vec<_>>().join("."));
            }
        }
        let next = members.get(*key)?;
        node = Rcvar::clone(next);
    }
    None
}

/// A key as an expression has it.
fn written(key: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let starts_plain = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    match starts_plain && key.bytes().all(is_plain) {
        true => key.to_owned(),
        false => serde_json::Value::from(key).to_string(),
    }
}

fn has(node: &Rcvar, keys: &[&str]) -> bool {
    let mut node = Rcvar::clone(node);
    for key in keys {
        let next = node.get_field(key);
        node = next;
    }
    !node.is_null()
}

/// The keys of a path that has nothing else. It walks down the left side, where the parser puts what
/// comes first.
fn keys(expression: &Ast) -> Option<Vec<&str>> {
    let mut keys = Vec::new();
    let mut rest = expression;
    loop {
        match rest {
            Ast::Field { name, .. } => {
                keys.push(name.as_str());
                keys.reverse();
                return Some(keys);
            }
            Ast::Subexpr { lhs, rhs, .. } => {
                let Ast::Field { name, .. } = &**rhs else { return None };
                keys.push(name.as_str());
                rest = lhs;
            }
            _ => return None,
        }
    }
}
