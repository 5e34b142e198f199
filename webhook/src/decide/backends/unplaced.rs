//! Why no one knows where a secret is fetched.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unplaced {
    /// Neither the secret nor the Pod nor the settings say it, which its backend tells once for all.
    Unknown,
    /// What they say is not allowed, as a problem says.
    Refused,
}
