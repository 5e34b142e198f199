use jmespath::{Rcvar, Variable};

use super::super::{InvalidSelector, Selector};
use super::size;

#[test]
fn an_expression_whose_result_doubles_again_and_again_is_refused() {
    let twenty = |step: &str| format!("@{}", step.repeat(20));
    for text in [
        twenty("|[@,@][]"),
        twenty("|[[@,@],[@]][][]"),
        twenty("|[*].[@,@][]"),
        twenty("|map(&[@,@],@)[]"),
        twenty("|to_array(@)|[@[],@[]][]"),
        twenty("|sort(@)|[@,@][]"),
        twenty("|values({a:@,b:@})[]"),
        twenty("|merge({a:@},{b:@}).*|[]"),
        twenty("|[?@]|[@,@][]"),
        twenty("|[::1]|[@,@][]"),
        twenty("|[to_string(@)]"),
        twenty("|[to_string([@,@])]"),
        twenty("|[join('',[@,@][])]"),
        format!("[?to_string([@,@]{}|to_string(@))]", "|[@,@]".repeat(20)),
        format!("to_string(@{})", "|[@,@]".repeat(20)),
        format!("(@{0}) == (@{0})", "|[@,@]".repeat(20)),
        format!("contains(@{0}, @{0})", "|[@,@]".repeat(20)),
        format!("sort_by(@, &to_string(@{}))", "|[@,@]".repeat(20)),
        format!("map(&(@{}), @)", "|[@,@][]".repeat(20)),
    ] {
        assert!(text.len() <= super::super::MAX_SELECTOR_BYTES, "{text}");
        assert_eq!(Selector::parse(&text), Err(InvalidSelector::Growing), "{text}");
    }
}

#[test]
fn what_people_write_is_not_refused() {
    let many = (0..40).map(|index| format!("k{index}:a.b.k{index}")).collect::<Vec<_>>();
    for text in [
        "password",
        "a.b.c.d.e.f.g.h",
        "[a.b, c.d][]",
        "items[?name=='x'].value | [0]",
        "items[?env=='prod' && role!='db'].hosts[].address | sort(@) | join(',', @)",
        "join(',', hosts[*].join(':', [name, to_string(port)]))",
        "reservations[].instances[].tags[?k=='n'].v[] | [0]",
        "sort_by(items, &age)[-1].{name: name, age: to_string(age)}",
        "map(&{n: name, v: to_string(value)}, items)",
        "merge(defaults, overrides, {a: 'b'})",
        "to_string({user: db.user, password: db.password})",
        "not_null(a, b, c) || 'none'",
        "max_by(versions, &created).value",
        "[*][*][*][*][*][*]",
        &format!("{{{}}}", many.join(",")),
    ] {
        let selector = Selector::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        // As large as the services let a secret be, of parts as small as people have.
        let item = r#"{"name":"shop-db-1","value":5432,"env":"prod"}"#;
        let value = format!(r#"{{"items":[{}]}}"#, vec![item; 640].join(","));
        assert!(value.len() > 30_000);
        assert!(selector.for_value(&Variable::from_json(&value).unwrap(), 0).is_some(), "{text}");
    }
}

#[test]
fn a_value_may_be_too_large_for_an_expression_that_a_small_one_fits() {
    let (small, large) = (r#"["a"]"#.to_owned(), format!("[{}]", vec!["1"; 30_000].join(",")));
    for text in ["@|[@,@][]|[@,@][]|[@,@][]", "join(@[0], map(&'', @))"] {
        let selector = Selector::parse(text).unwrap();
        assert!(selector.for_value(&Variable::from_json(&small).unwrap(), 0).is_some(), "{text}");
        assert!(selector.for_value(&Variable::from_json(&large).unwrap(), 0).is_none(), "{text}");
    }
}

/// The bound is above what the evaluator makes, for every expression that stands for a kind.
#[test]
fn nothing_that_is_made_is_larger_than_its_bound() {
    let value = r#"{"l":["a","b\u0001",["c",["d"]],{"k":"v","w":[1,2,3]}],"s":"x\"y","n":7,"z":null,
        "o":{"a":{"b":["e"]},"f":[{"n":"1"},{"n":"2"}]},"t":["q","r","p"]}"#;
    let value = Variable::from_json(value).unwrap();
    let root = Rcvar::new(value.clone());
    for text in [
        "@",
        "l",
        "missing",
        "l[1]",
        "l[::-1]",
        "l[]",
        "l[][]",
        "o.*",
        "l[*]",
        "l[*].[@,@]",
        "l[*].{a:@,b:@}",
        "o.f[?n=='1']",
        "o.f[*].n",
        "[l,l,o][]",
        "{a:l,b:o,c:@}",
        "l == o",
        "!l",
        "l || o",
        "missing || o",
        "l && o",
        "join(s, t)",
        "join('', t)",
        "to_string(@)",
        "to_string([@,s])",
        "to_array(s)",
        "map(&[@,@], l)",
        "map(&to_string(@), l)",
        "sort(t)",
        "reverse(t)",
        "keys(@)",
        "values(@)",
        "merge(o, @)",
        "sort_by(o.f, &n)",
        "max_by(o.f, &n)",
        "type(l)",
        "length(l)",
        "not_null(z, l)",
        "`[1,[2,\"x\"]]`",
        "'literal'",
        "z",
        "l[*].z",
        "@|[@,@]|[@,@]|[@,@][]|[][]",
        "l[?type(@)=='array'][] | map(&[to_string(@)], @)[]",
    ] {
        let ast = jmespath::parse(text).unwrap();
        let most = super::bound(&ast, size(&value)).result.at(size(&value));
        let made = jmespath::compile(text).unwrap().search(&root).unwrap();
        assert!(size(&made) <= most, "{text}: {} of {most}", size(&made));
    }
}
