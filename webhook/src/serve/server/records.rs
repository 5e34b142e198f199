//! Counts the records of TLS in what a client sends. Each one is opened by itself, however little it
//! holds: what it costs is no matter of bytes. How little that is does not show from outside, as a
//! record may be padded to any length.

/// A record begins with its type, a version and its length.
const HEADER: usize = 5;

#[derive(Debug, Default)]
pub(super) struct Records {
    /// Bytes of the next header that are here.
    header: usize,
    length: usize,
    /// Bytes of the current record that are not here.
    rest: usize,
}

impl Records {
    /// How many records begin in the next bytes.
    pub(super) fn begun_in(&mut self, mut bytes: &[u8]) -> usize {
        let mut begun = 0;
        while let Some((byte, others)) = bytes.split_first() {
            let here = self.rest.min(bytes.len());
            if here > 0 {
                self.rest -= here;
                bytes = bytes.get(here..).unwrap_or_default();
                continue;
            }
            self.header += 1;
            // The first three bytes are shifted out.
            self.length = (self.length << 8 | usize::from(*byte)) & 0xffff;
            if self.header == HEADER {
                begun += 1;
                self.rest = self.length;
                self.header = 0;
            }
            bytes = others;
        }
        begun
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_wherever_their_bytes_are_cut() {
        let mut sent = Vec::new();
        for length in [0_u16, 1, 300, 0, 48, 16_401, 49, 2] {
            sent.extend([0x17, 3, 3]);
            sent.extend(length.to_be_bytes());
            sent.extend(vec![0x17; length.into()]);
        }
        for piece in [1, 2, 4, 5, 7, 300, 4096, sent.len()] {
            let mut records = Records::default();
            let begun: usize = sent.chunks(piece).map(|bytes| records.begun_in(bytes)).sum();
            assert_eq!(begun, 8, "in pieces of {piece}");
        }
    }
}
