//! Messages of SASL mechanisms as lines: base64 (RFC 4648, strict), ended by a line feed, which a carriage return may
//! precede. It is what SMTP, IMAP and POP3 have after their own words.
//!
//! SASL (RFC 4422, section 4) leaves the framing to each protocol; a bare TCP stream has none, so it gets this one.

use super::Refusal;
use crate::canon;

/// Bytes of a line, with its end. SCRAM's longest message has two nonces and a binding: far less.
pub(super) const LONGEST: usize = 2048;

/// The first line's message, and how many bytes the line has. `None`: it is not all there yet.
pub(super) fn read(input: &[u8]) -> Result<Option<(usize, Vec<u8>)>, Refusal> {
    let head = input.get(..LONGEST).unwrap_or(input);
    let Some(end) = head.iter().position(|byte| *byte == b'\n') else {
        return if input.len() < LONGEST { Ok(None) } else { Err(Refusal::FrameLong) };
    };
    let line = head.get(..end).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut message = Vec::new();
    canon::unb64(line, &mut message).map_err(|_| Refusal::FrameMalformed)?;
    Ok(Some((end.saturating_add(1), message)))
}

/// Appends a message as a line.
pub(super) fn write(message: &[u8], out: &mut Vec<u8>) {
    canon::b64(message, out);
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_short_and_strict() {
        assert_eq!(read(b"biws\nrest"), Ok(Some((5, b"n,,".to_vec()))));
        assert_eq!(read(b"biws\r\n"), Ok(Some((6, b"n,,".to_vec()))));
        assert_eq!(read(b"\n"), Ok(Some((1, Vec::new()))));
        for part in [&b""[..], b"biws", b"biws\r", &[b'a'; LONGEST - 1]] {
            assert_eq!(read(part), Ok(None));
        }
        for odd in [&b"bi ws\n"[..], b"biw\n", b"biws=\n", b"biws\r\r\n", b"\0\n", b"n,,\n"] {
            assert_eq!(read(odd), Err(Refusal::FrameMalformed), "{odd:?}");
        }
        assert_eq!(read(&[b'a'; LONGEST]), Err(Refusal::FrameLong));
        let mut long = vec![b'a'; LONGEST];
        long.push(b'\n');
        assert_eq!(read(&long), Err(Refusal::FrameLong));
    }
}
