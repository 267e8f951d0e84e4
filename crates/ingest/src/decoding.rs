//! Text in another encoding than UTF-8 becomes UTF-8 on its way in.
//!
//! Bytes that stand for no character become [`UNDECODABLE`], a byte that UTF-8 never has: the strict reader finds it
//! and rejects the row, as it does with any byte that is no UTF-8.

use encoding_rs::{DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};
use muster_catalog::Encoding;

/// Stands for bytes that are no character.
const UNDECODABLE: u8 = 0xff;
/// Bytes that are decoded at once.
const STEP: usize = 64 << 10;

/// Turns stretches of bytes into UTF-8.
pub(crate) struct Decoder {
    inner: encoding_rs::Decoder,
    /// Text that nobody has asked for yet.
    ready: Vec<u8>,
    /// Whether all bytes were decoded.
    finished: bool,
}

impl Decoder {
    /// A decoder from `encoding`; none from UTF-8, which stays as it is.
    pub fn of(encoding: Encoding) -> Option<Self> {
        let encoding = match encoding {
            Encoding::Utf8 => return None,
            Encoding::Utf16 | Encoding::Utf16Le => UTF_16LE,
            Encoding::Utf16Be => UTF_16BE,
            Encoding::Windows1252 => WINDOWS_1252,
        };
        Some(Self { inner: encoding.new_decoder_without_bom_handling(), ready: Vec::new(), finished: false })
    }

    /// Appends at most `wanted` bytes of text to `buffer`; `more` gives the bytes that follow, none at the end of the
    /// file. Whether the text ended.
    pub fn fill<E>(
        &mut self,
        buffer: &mut Vec<u8>,
        mut wanted: usize,
        mut more: impl FnMut(usize) -> Result<Vec<u8>, E>,
    ) -> Result<bool, E> {
        while wanted > self.ready.len() && !self.finished {
            wanted -= self.ready.len();
            buffer.append(&mut self.ready);
            let bytes = more(STEP)?;
            self.finished = bytes.len() < STEP;
            self.decode(&bytes, self.finished);
        }
        let taken = wanted.min(self.ready.len());
        buffer.extend(self.ready.drain(..taken));
        Ok(taken < wanted)
    }

    fn decode(&mut self, mut bytes: &[u8], last: bool) {
        loop {
            let room = self.inner.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(STEP).max(16);
            let start = self.ready.len();
            self.ready.resize(start + room, 0);
            let (result, read, written) =
                self.inner.decode_to_utf8_without_replacement(bytes, &mut self.ready[start..], last);
            self.ready.truncate(start + written);
            bytes = &bytes[read..];
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => self.ready.push(UNDECODABLE),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn decoded(encoding: Encoding, bytes: &[u8], step: usize) -> Vec<u8> {
        let mut decoder = Decoder::of(encoding).unwrap();
        let (mut text, mut at) = (Vec::new(), 0);
        loop {
            let more = |length: usize| {
                let from = at;
                at = (at + length).min(bytes.len());
                Ok::<_, Infallible>(bytes[from..at].to_vec())
            };
            let Ok(ended) = decoder.fill(&mut text, step, more);
            if ended {
                return text;
            }
        }
    }

    #[test]
    fn the_text_is_the_same_in_whatever_stretches_it_is_asked_for() {
        let text = "é€𝄞,x\r\n".repeat(30_000);
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for step in [7, 4096, 1 << 20] {
            assert!(decoded(Encoding::Utf16Le, &little, step) == text.as_bytes());
            assert!(decoded(Encoding::Utf16Be, &big, step) == text.as_bytes());
        }
        assert_eq!(decoded(Encoding::Windows1252, b"\x80 Ren\xe9", 5), "€ René".as_bytes());
    }

    #[test]
    fn what_is_no_character_becomes_a_byte_that_utf_8_never_has() {
        let lone = [b'a', 0, 0x00, 0xd8, b'b', 0];
        assert_eq!(decoded(Encoding::Utf16Le, &lone, 9), b"a\xffb");
        assert_eq!(decoded(Encoding::Utf16Le, b"a\0b", 9), b"a\xff");
    }
}
