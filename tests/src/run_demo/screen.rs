//! What a person sees: numbered headings with times, text, and lines that stand out.

use std::io::{self, Write};
use std::time::Duration;

/// Text is broken here; a terminal of the usual 80 columns with some room.
const WIDTH: usize = 96;

/// Writes to `out`, and remembers what was said and how long each step took.
pub(crate) struct Screen<W> {
    out: W,
    colors: bool,
    said: String,
    steps: Vec<(String, Duration)>,
}

impl<W: Write> Screen<W> {
    pub(crate) fn new(out: W, colors: bool) -> Self {
        Self { out, colors, said: String::new(), steps: Vec::new() }
    }

    pub(crate) fn title(&mut self, text: &str) -> io::Result<()> {
        self.write(BOLD, text)
    }

    /// Begins the report on a step that took this long.
    pub(crate) fn step(&mut self, title: &str, took: Duration) -> io::Result<()> {
        self.steps.push((title.to_owned(), took));
        let heading = format!("{:>2}  {title}", self.steps.len());
        self.write("", "")?;
        self.write(BOLD, &format!("{heading:<82}{:>10}", time(took)))
    }

    /// A paragraph.
    pub(crate) fn say(&mut self, text: &str) -> io::Result<()> {
        for line in broken(text, WIDTH - 3) {
            self.write("", &format!("   {line}"))?;
        }
        Ok(())
    }

    /// One line as it is.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.write("", &format!("   {text}"))
    }

    pub(crate) fn added(&mut self, text: &str) -> io::Result<()> {
        self.write(GREEN, &format!(" + {text}"))
    }

    /// What a program said, broken into lines where it is long.
    pub(crate) fn quote(&mut self, text: &str) -> io::Result<()> {
        for line in text.lines().flat_map(|line| broken(line, WIDTH - 5)) {
            self.write(YELLOW, &format!("   | {line}"))?;
        }
        Ok(())
    }

    pub(crate) fn summary(&mut self) -> io::Result<()> {
        let total: Duration = self.steps.iter().map(|(_, took)| *took).sum();
        self.write("", "")?;
        self.write(BOLD, &format!("{:<82}{:>10}", "All as promised", time(total)))?;
        let steps = std::mem::take(&mut self.steps);
        for (index, (title, took)) in steps.iter().enumerate() {
            self.line(&format!("{:>2}  {title:<75}{:>10}", index + 1, time(*took)))?;
        }
        Ok(())
    }

    /// Everything so far, without colors.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    fn write(&mut self, color: &str, text: &str) -> io::Result<()> {
        self.said.push_str(text);
        self.said.push('\n');
        let text = text.trim_end();
        if self.colors && !color.is_empty() {
            writeln!(self.out, "{color}{text}{PLAIN}")
        } else {
            writeln!(self.out, "{text}")
        }
    }
}

const BOLD: &str = "\x1b[1m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

fn time(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1000.0)
}

/// Words in lines of at most `width`, indented as the text is.
fn broken(text: &str, width: usize) -> Vec<String> {
    let indent: String = text.chars().take_while(|c| *c == ' ').collect();
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let room = width.saturating_sub(indent.len() + line.chars().count());
        if !line.is_empty() && word.chars().count() >= room {
            lines.push(format!("{indent}{line}"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(format!("{indent}{line}"));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(colors: bool) -> String {
        let mut screen = Screen::new(Vec::new(), colors);
        screen.title("Title").unwrap();
        screen.step("One", Duration::from_micros(1500)).unwrap();
        screen.added("new: 1").unwrap();
        screen.quote("no\n  check: it").unwrap();
        screen.summary().unwrap();
        assert!(!screen.said().contains('\x1b'));
        String::from_utf8(screen.out).unwrap()
    }

    #[test]
    fn colors_are_used_only_where_they_are_wanted() {
        assert!(seen(true).contains("\x1b[32m + new: 1\x1b[0m"));
        let plain = seen(false);
        assert!(!plain.contains('\x1b'));
        for line in ["Title", " + new: 1", "   | no", "   |   check: it"] {
            assert!(plain.lines().any(|found| found == line), "{plain}");
        }
        assert_eq!(plain.matches("1.5 ms").count(), 3);
    }

    #[test]
    fn long_text_is_broken_between_words() {
        assert_eq!(broken("  aa bb cc", 8), ["  aa bb", "  cc"]);
        assert_eq!(broken("", 8), [""]);
        assert_eq!(broken("a-very-long-word b", 4), ["a-very-long-word", "b"]);
    }
}
