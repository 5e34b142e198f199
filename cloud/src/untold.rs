//! What no answer says of its question. Questions that differ in it never share a connection: of
//! an answer too many nobody could tell whose it is.

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Untold {
    /// A secret and a plain parameter of one name are answered alike.
    pub(crate) action: &'static str,
    /// Who asks.
    pub(crate) caller: String,
    /// In which account or region the name is meant.
    pub(crate) place: String,
    /// Which version of a parameter is meant: of an old one no answer says that it is old.
    pub(crate) version: Option<u32>,
}
