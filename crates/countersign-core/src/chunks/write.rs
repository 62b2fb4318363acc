//! The framing of a body in chunks, written.

use super::parse::SIGNATURE;

/// A body in chunks that is being written, or only measured.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    out: Vec<u8>,
    /// Bytes of content that were counted and not written.
    counted: usize,
    /// Whether content is only counted.
    measures: bool,
    trailers: bool,
}

impl Writer {
    /// `trailers`: whether a trailer follows the last chunk.
    pub(crate) fn new(trailers: bool) -> Self {
        Self { trailers, ..Self::default() }
    }

    /// One that only measures.
    pub(crate) fn measuring(trailers: bool) -> Self {
        Self { trailers, measures: true, ..Self::default() }
    }

    /// A chunk; an empty one is the last. `signature`: as carried, where chunks are signed.
    pub(crate) fn chunk(&mut self, content: &[u8], signature: Option<&[u8]>) {
        self.out.extend_from_slice(format!("{:x}", content.len()).as_bytes());
        if let Some(signature) = signature {
            self.out.push(b';');
            self.out.extend_from_slice(SIGNATURE.as_bytes());
            self.out.push(b'=');
            self.out.extend_from_slice(signature);
        }
        self.out.extend_from_slice(b"\r\n");
        if self.measures {
            self.counted = self.counted.saturating_add(content.len());
        } else {
            self.out.extend_from_slice(content);
        }
        if !(content.is_empty() && self.trailers) {
            self.out.extend_from_slice(b"\r\n");
        }
    }

    /// A line of the trailer.
    pub(crate) fn trailer(&mut self, name: &str, value: &[u8]) {
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b':');
        self.out.extend_from_slice(value);
        self.out.extend_from_slice(b"\r\n");
    }

    /// The end.
    pub(crate) fn end(mut self) -> Self {
        if self.trailers {
            self.out.extend_from_slice(b"\r\n");
        }
        self
    }

    /// The length of the body, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.out.len().saturating_add(self.counted)
    }

    pub(crate) fn into_body(self) -> Vec<u8> {
        self.out
    }
}
