//! What no answer says of its call. Calls that differ in it never share a connection: nobody could
//! tell to which of them an answer belongs that was one too many.

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PoolKey {
    /// A secret and a plain parameter of one name are answered alike.
    pub(crate) action: &'static str,
    /// The assumed role, with its session, that calls.
    pub(crate) caller: String,
    /// The account or region in which the name is meant.
    pub(crate) place: String,
    /// The version of a parameter that is meant: no answer says of an old one that it is old.
    pub(crate) version: Option<u32>,
}
