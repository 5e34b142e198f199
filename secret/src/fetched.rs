//! A value that a backend gave, and what is known about how it came.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::echo::echoes;
use crate::sensitive::Sensitive;

#[derive(Debug)]
pub struct Fetched {
    /// The bytes of the secret; a binary secret is already decoded.
    pub value: Sensitive,
    pub version: String,
    pub request_id: String,
    pub metadata: Metadata,
    /// Whom the backend took us for, for instance the assumed role with its session.
    pub caller: String,
    /// Requests for this value, the successful one included.
    pub attempts: u32,
    pub elapsed: Duration,
}

/// What a backend says of a secret beside its value. Nothing of it but the name is needed to use
/// the value: what is not as documented is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The value was stored as bytes, not as text.
    pub binary: bool,
    pub name: Option<String>,
    /// `Generic`, `Rds` and others.
    pub kind: Option<String>,
    pub stages: Vec<String>,
    /// Like `2020-07-23T11:56:29Z`, as are the other times.
    pub created: Option<String>,
    pub automatic_rotation: Option<String>,
    pub last_rotation: Option<String>,
    pub next_rotation: Option<String>,
    /// Like `604800s`.
    pub rotation_interval: Option<String>,
}

impl Fetched {
    /// The version for logs; it is empty where it would repeat the value.
    #[must_use]
    pub fn printable_version(&self) -> &str {
        let encoded = match self.metadata.binary {
            true => Sensitive::from(STANDARD.encode(self.value.expose())),
            false => Sensitive::new(Vec::new()),
        };
        let repeats = echoes(&self.version, &[&self.value, &encoded]);
        if repeats { "" } else { &self.version }
    }
}
