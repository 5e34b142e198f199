//! What an admission answers, and how it went.

/// An HTTP answer with its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// JSON where the status is 200, else one line of text.
    pub body: Vec<u8>,
    pub outcome: Outcome,
    /// What names the review; `None` where that could not be read.
    pub about: Option<About>,
    /// The first line of a denial's message.
    pub reason: Option<String>,
}

/// What names a review in a log, as the API server sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    pub uid: String,
    pub namespace: String,
    /// The Pod's name, or what its name will begin with.
    pub name: String,
}

/// How an admission went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Injected,
    Unchanged,
    Denied,
    /// Denied because something could not be read that another time may be.
    Unavailable,
    /// The request was no review of a Pod.
    Unreadable,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Injected => "injected",
            Self::Unchanged => "unchanged",
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
            Self::Unreadable => "unreadable",
        }
    }
}
