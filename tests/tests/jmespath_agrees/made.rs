//! Expressions for a value that looks like a secret, the same at each run.

use fastrand::Rng;
use serde_json::{Value, json};

use super::Case;

const COUNT: usize = 4000;

/// Those that stand for a kind, whatever the dice give.
const CHOSEN: [&str; 38] = [
    "users[?name=='bob'].{u: name}[0].u",
    "users[*].{u: name}.u",
    "users[*].{u: name}[?u=='bob']",
    "users[?age > `20`][*].{u: name}[?u]",
    "users[].{u: name}[].u",
    "*.{u: name}[0]",
    "users[1:].{u: name}[0]",
    "!users[*].{u: name}.u",
    "users[*].{u: tags[*].{t: k}[0].t}[0]",
    "users[*].[name, age][0]",
    "db.users.*.name.x",
    "@.*.name[?@ == 'x']",
    "*.*.name",
    "users[?name == `bob`].age",
    "sum([`1`, `2`])",
    "sum(users[].age)",
    "sum(`[]`)",
    "avg(users[].age)",
    "avg(`[]`)",
    "avg([`1`, `2`])",
    "abs(`-5`)",
    "abs(low)",
    "ceil(`1.5`)",
    "floor(`-1.5`)",
    "ceil(low)",
    "to_string(age)",
    "to_string(sum([`1`, `2`]))",
    "to_string(users[0])",
    "to_number('12')",
    "to_number('12.5')",
    "to_number('x')",
    "ids[?@ == `9007199254740993`]",
    "ids[?@ < `9007199254740993`]",
    "contains(ids, `9007199254740993`)",
    "max(ids)",
    "sort(ids)",
    "sort_by(users, &age)[].name",
    "max_by(users, &age).name",
];

pub(super) fn cases() -> Vec<Case> {
    // In what order the values of an object come, the specification leaves open: Python keeps that of
    // the text, and ours is that of the keys.
    let given = json!({
        "age": 7,
        "db": {"hosts": ["h1", "h2"], "name": "shop", "port": 5432, "users": {"a": {"name": "x"}}},
        "empty": [], "host": "db.shop",
        "ids": [9_007_199_254_740_993_u64, 9_007_199_254_740_992_u64, 3, 1.5],
        "low": -2.5, "name": "app", "none": null, "on": true,
        "users": [
            {"age": 31, "name": "bob", "tags": [{"k": "a", "v": 1}, {"k": "b", "v": 2}]},
            {"age": 19, "name": "eve", "tags": []},
            {"age": 44.5, "name": "ann", "tags": [{"k": "a"}]},
        ],
    });
    let mut made: Vec<Case> = CHOSEN.iter().map(|text| case(&given, (*text).to_owned())).collect();
    let mut rng = Rng::with_seed(11);
    let texts = std::iter::repeat_with(|| expression(&mut rng, 3));
    let texts = texts.filter(|text| !has_slice_behind_index(text)).take(COUNT);
    made.extend(texts.map(|text| case(&given, text)));
    made
}

/// `a[0][1:].b` is no projection in the Python library, and one in all others.
fn has_slice_behind_index(text: &str) -> bool {
    let mut behind_index = false;
    text.split_inclusive(']').any(|part| {
        let is_slice = part.starts_with('[') && part.contains(':');
        let found = behind_index && is_slice;
        let inside = part.rsplit('[').next().unwrap_or_default().trim_end_matches(']');
        behind_index = inside.parse::<i32>().is_ok();
        found
    })
}

fn case(given: &Value, expression: String) -> Case {
    Case { given: given.clone(), expression }
}

fn any<'t>(rng: &mut Rng, of: &[&'t str]) -> &'t str {
    rng.choice(of).unwrap()
}

fn field(rng: &mut Rng) -> String {
    const FIELDS: [&str; 16] = [
        "name", "age", "users", "users", "users", "tags", "k", "v", "db", "hosts", "port", "ids",
        "low", "none", "empty", "\"on\"",
    ];
    any(rng, &FIELDS).to_owned()
}

/// A head and what follows it.
fn expression(rng: &mut Rng, depth: usize) -> String {
    let mut text = head(rng, depth);
    for _ in 0..rng.usize(0..4) {
        text.push_str(&step(rng, depth));
    }
    text
}

fn inner(rng: &mut Rng, depth: usize) -> String {
    if depth == 0 { field(rng) } else { expression(rng, depth - 1) }
}

fn head(rng: &mut Rng, depth: usize) -> String {
    const LITERALS: [&str; 9] =
        ["`1`", "`1.0`", "'bob'", "`null`", "`[1, 2, 3]`", "`true`", "`\"a\"`", "`-7`", "`{}`"];
    match rng.u8(0..18) {
        0 => "@".to_owned(),
        1 => "*".to_owned(),
        2 => format!("[{}, {}]", inner(rng, depth.min(1)), field(rng)),
        3 => format!("{{name: {}, x: {}}}", field(rng), inner(rng, depth.min(1))),
        4 => format!("!{}", inner(rng, depth)),
        5 => format!("({})", inner(rng, depth)),
        6 => any(rng, &LITERALS).to_owned(),
        7 | 8 => call(rng, depth),
        9 => "users[*]".to_owned(),
        10 => "users[]".to_owned(),
        _ => field(rng),
    }
}

fn step(rng: &mut Rng, depth: usize) -> String {
    match rng.u8(0..22) {
        0..4 => format!(".{}", field(rng)),
        4 | 5 => format!("[{}]", rng.i32(-3..3)),
        6 | 7 => "[*]".to_owned(),
        8 | 9 => "[]".to_owned(),
        10 => format!("[?{}]", condition(rng, depth)),
        11 | 12 => format!(".{{name: {}, x: {}}}", field(rng), inner(rng, depth.min(1))),
        13 => format!(".[{}, {}]", field(rng), inner(rng, depth.min(1))),
        14 => ".*".to_owned(),
        15 => format!(" | {}", inner(rng, depth)),
        16 => format!(" || {}", inner(rng, depth)),
        17 => format!(" && {}", inner(rng, depth)),
        18 => format!("[{}:{}]", rng.i32(-3..3), rng.i32(-3..3)),
        19 => any(rng, &["[::-1]", "[1:]", "[:2]", "[::2]"]).to_owned(),
        20 => format!(".{}", call(rng, depth)),
        _ => format!(" {} {}", comparator(rng), inner(rng, depth.min(1))),
    }
}

fn comparator(rng: &mut Rng) -> &'static str {
    any(rng, &["==", "!=", "<", "<=", ">", ">="])
}

fn condition(rng: &mut Rng, depth: usize) -> String {
    const WITH: [&str; 8] =
        ["'bob'", "'a'", "`2`", "`19`", "`44.50`", "`9007199254740993`", "`null`", "name"];
    match rng.u8(0..3) {
        0 => inner(rng, depth.min(1)),
        _ => format!("{} {} {}", field(rng), comparator(rng), any(rng, &WITH)),
    }
}

fn call(rng: &mut Rng, depth: usize) -> String {
    const OF_ONE: [&str; 17] = [
        "abs",
        "avg",
        "ceil",
        "floor",
        "keys",
        "length",
        "max",
        "min",
        "not_null",
        "reverse",
        "sort",
        "sum",
        "to_array",
        "to_number",
        "to_string",
        "type",
        "values",
    ];
    const GOOD: [&str; 12] = [
        "users[].age",
        "ids",
        "age",
        "low",
        "name",
        "host",
        "users",
        "db",
        "db.hosts",
        "users[].name",
        "empty",
        "@",
    ];
    match rng.u8(0..10) {
        0 => format!("{}(users, &{})", any(rng, &["sort_by", "max_by", "min_by"]), field(rng)),
        1 => format!("map(&{}, users)", inner(rng, depth.min(1))),
        2 => {
            format!("contains({}, {})", any(rng, &GOOD), any(rng, &["`3`", "'b'", "age", "'bob'"]))
        }
        3 => format!("join(',', {})", any(rng, &["db.hosts", "users[].name", "ids"])),
        4 => format!("merge(db, {})", any(rng, &["`{\"zz\": 1}`", "`{\"port\": 1}`", "db"])),
        5 => format!("{}(name, 'a')", any(rng, &["starts_with", "ends_with"])),
        6 => format!("{}({})", any(rng, &OF_ONE), inner(rng, depth)),
        _ => format!("{}({})", any(rng, &OF_ONE), any(rng, &GOOD)),
    }
}
