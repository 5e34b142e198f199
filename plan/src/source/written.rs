//! A source in its parts, as they are written behind the scheme: `NAME[?KEY=VALUE&…][#JMESPATH]`.

pub(super) struct Written<'t> {
    pub(super) name: &'t str,
    options: Option<&'t str>,
    pub(super) selector: Option<&'t str>,
}

impl<'t> Written<'t> {
    pub(super) fn split(text: &'t str) -> Self {
        let (text, selector) = match text.split_once('#') {
            Some((text, selector)) => (text, Some(selector)),
            None => (text, None),
        };
        match text.split_once('?') {
            Some((name, options)) => Self { name, options: Some(options), selector },
            None => Self { name: text, options: None, selector },
        }
    }

    /// Keys and values; there is one at least behind a question mark.
    pub(super) fn options(&self) -> impl Iterator<Item = (&'t str, &'t str)> {
        let options = self.options.into_iter().flat_map(|options| options.split('&'));
        options.map(|option| option.split_once('=').unwrap_or((option, "")))
    }
}
