//! Renders a template as the fetcher does: `render TEMPLATE FILE...`, the files hold the values of its
//! sources in their order. Says how long the result is, for a count of what it cost.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "not shipped")]

fn main() {
    let mut words = std::env::args().skip(1);
    let text = words.next().unwrap_or_else(|| panic!("render TEMPLATE FILE..."));
    let template = template::Template::parse(&text).unwrap();
    let values: Vec<_> = words.map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let sources = template.secrets();
    let value = |source: &str| {
        let at = sources.iter().position(|secret| secret.source == source)?;
        values.get(at).map(String::as_str)
    };
    println!("{}", template.render(value).unwrap().len());
}
