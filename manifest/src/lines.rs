//! The lines of a text: where they begin, and the space before what stands on them.

/// Where the line of this byte begins.
pub(crate) fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

/// What stands before this byte on its line, if it is nothing but space.
pub(crate) fn leading(text: &str, at: usize) -> Option<&str> {
    let before = text.get(line_start(text, at)..at)?;
    before.chars().all(|c| c == ' ' || c == '\t').then_some(before)
}

/// The space at the beginning of this byte's line.
pub(crate) fn indentation(text: &str, at: usize) -> &str {
    let line = text.get(line_start(text, at)..at).unwrap_or_default();
    let content = line.trim_start_matches([' ', '\t']);
    line.get(..line.len() - content.len()).unwrap_or_default()
}

/// Where the line of the dash begins that an item of a list stands behind, and the columns before
/// the dash, where it is the first thing on its line.
pub(crate) fn dash_line(text: &str, item: usize) -> Option<(usize, usize)> {
    let mut start = line_start(text, item);
    let mut before = text.get(start..item)?;
    // The item may stand on a line below its dash.
    while before.trim().is_empty() || before.trim_start().starts_with('#') {
        let end = start.checked_sub(1)?;
        start = line_start(text, end);
        before = text.get(start..end)?;
    }
    let bare = before.trim_start_matches(' ');
    let behind = bare.strip_prefix('-')?.trim();
    // Anchors, tags and comments may stand behind the dash; another dash is another list.
    let properties = behind.is_empty() || behind.starts_with(['&', '!', '#']);
    properties.then(|| (start, before.len() - bare.len()))
}
