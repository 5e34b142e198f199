//! The expressions that an expression is made of.

use jmespath::ast::Ast;

/// Walks with a list of its own and not by calling itself: the expression's author picks the depth.
pub(super) fn first<T>(ast: &Ast, find: impl Fn(&Ast) -> Option<T>) -> Option<T> {
    let mut rest = vec![ast];
    while let Some(ast) = rest.pop() {
        if let Some(found) = find(ast) {
            return Some(found);
        }
        add_parts(ast, &mut rest);
    }
    None
}

/// The expressions that this one is made of.
pub(super) fn add_parts<'a>(ast: &'a Ast, parts: &mut Vec<&'a Ast>) {
    match ast {
        Ast::Function { args, .. } => parts.extend(args),
        Ast::Comparison { lhs, rhs, .. }
        | Ast::And { lhs, rhs, .. }
        | Ast::Or { lhs, rhs, .. }
        | Ast::Projection { lhs, rhs, .. }
        | Ast::Subexpr { lhs, rhs, .. } => parts.extend([&**lhs, &**rhs]),
        Ast::Condition { predicate, then, .. } => parts.extend([&**predicate, &**then]),
        Ast::Expref { ast: node, .. }
        | Ast::Flatten { node, .. }
        | Ast::Not { node, .. }
        | Ast::ObjectValues { node, .. } => parts.push(node),
        Ast::MultiList { elements, .. } => parts.extend(elements),
        Ast::MultiHash { elements, .. } => parts.extend(elements.iter().map(|pair| &pair.value)),
        Ast::Identity { .. }
        | Ast::Field { .. }
        | Ast::Index { .. }
        | Ast::Literal { .. }
        | Ast::Slice { .. } => {}
    }
}

/// The same, to be changed in place.
#[must_use]
pub fn parts_mut(ast: &mut Ast) -> Vec<&mut Ast> {
    match ast {
        Ast::Function { args, .. } => args.iter_mut().collect(),
        Ast::Comparison { lhs, rhs, .. }
        | Ast::And { lhs, rhs, .. }
        | Ast::Or { lhs, rhs, .. }
        | Ast::Projection { lhs, rhs, .. }
        | Ast::Subexpr { lhs, rhs, .. } => vec![&mut **lhs, &mut **rhs],
        Ast::Condition { predicate, then, .. } => vec![&mut **predicate, &mut **then],
        Ast::Expref { ast: node, .. }
        | Ast::Flatten { node, .. }
        | Ast::Not { node, .. }
        | Ast::ObjectValues { node, .. } => vec![&mut **node],
        Ast::MultiList { elements, .. } => elements.iter_mut().collect(),
        Ast::MultiHash { elements, .. } => {
            elements.iter_mut().map(|pair| &mut pair.value).collect()
        }
        Ast::Identity { .. }
        | Ast::Field { .. }
        | Ast::Index { .. }
        | Ast::Literal { .. }
        | Ast::Slice { .. } => Vec::new(),
    }
}
