//! Parts of a Pod that are read as they are, because they are changed in place. As a tree an empty
//! entry takes thirty times what it takes as text, so that as much is read as such a part can have.

use serde_json::Value;

/// How much may still be read.
#[derive(Debug)]
pub(crate) struct Room {
    bytes: usize,
    /// Values and keys.
    nodes: usize,
}

impl Room {
    /// Two containers of ours with the longest plan, and volumes.
    pub(crate) fn of_ours() -> Self {
        Self { bytes: 512 * 1024, nodes: 1024 }
    }

    pub(super) fn of_affinity() -> Self {
        Self { bytes: 32 * 1024, nodes: 512 }
    }

    /// One that has been changed: each of its terms, of which there are 128 at most, says that it
    /// wants real nodes.
    pub(super) fn of_restricted_affinity() -> Self {
        let Self { bytes, nodes } = Self::of_affinity();
        Self { bytes: bytes + 128 * 128, nodes: nodes + 128 * 12 }
    }

    /// `None` where it has no room, or is no JSON.
    pub(crate) fn read(&mut self, json: &str) -> Option<Value> {
        self.bytes = self.bytes.checked_sub(json.len())?;
        self.nodes = self.nodes.checked_sub(nodes(json))?;
        serde_json::from_str(json).ok()
    }
}

/// At least as many as there are: each but the first stands behind one of these.
fn nodes(json: &str) -> usize {
    let (mut count, mut quoted, mut escaped) = (1, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'[' | b'{' | b',' | b':' if !quoted => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_small_is_read_whatever_stands_in_its_strings() {
        let text = format!(r#"{{"plan":"{}"}}"#, r#"{\"a\":[1,2]}"#.repeat(1000));
        let mut room = Room { bytes: 100_000, nodes: 8 };
        assert!(room.read(&text).is_some());
        assert!(room.read("[1]").is_some());
        assert!(room.read(r#"{"a":[1,2]}"#).is_none());
    }

    #[test]
    fn many_empty_entries_are_not_read() {
        let list = format!("[{}1]", "{},".repeat(10_000));
        assert!(Room { bytes: usize::MAX, nodes: 4096 }.read(&list).is_none());
        assert!(Room { bytes: 10, nodes: 4096 }.read("[1, 2, 3, 4]").is_none());
    }
}
