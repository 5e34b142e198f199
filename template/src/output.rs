//! Where rendered text goes: bounded, and wiped when it moves or is given up.

use std::io::{self, Write};

use zeroize::Zeroizing;

use crate::template::MAX_OUTPUT_BYTES;

pub(crate) struct Output {
    bytes: Zeroizing<Vec<u8>>,
    full: bool,
}

impl Output {
    pub(crate) fn new(expected: usize) -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(expected)), full: false }
    }

    /// Whether something had no room.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    pub(crate) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.bytes
    }
}

impl Write for Output {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        let needed = self.bytes.len() + more.len();
        if needed > MAX_OUTPUT_BYTES {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if needed > self.bytes.capacity() {
            // A vector that grows by itself leaves copies behind that nobody wipes.
            let room = needed.max(self.bytes.capacity() * 2);
            let mut larger = Zeroizing::new(Vec::with_capacity(room));
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger;
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
