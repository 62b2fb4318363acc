//! The strict path policy: a path that two servers may read as two paths is refused.
//!
//! Bytes are verified, routed and forwarded as they came; nothing is normalised on the way. So a path that some
//! upstream would normalise must not get there, or the request that was verified for one resource reaches another.
//! A route that serves such paths on purpose says `paths = "as-sent"`.

/// What is ambiguous about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PathFault {
    /// `\`, plain or encoded: a separator on some servers.
    #[error("the path contains a backslash")]
    Backslash,
    /// `%` without two hexadecimal digits.
    #[error("the path contains a percent sign that encodes nothing")]
    BadEscape,
    /// An encoded control byte, NUL above all, which ends a string in C.
    #[error("the path contains an encoded control byte")]
    Control,
    /// `.` or `..`, plain or encoded, also with a parameter behind (`..;x`), which some servers cut off first.
    #[error("the path contains a dot segment")]
    DotSegment,
    /// `//`: some servers take it for `/`.
    #[error("the path contains an empty segment")]
    EmptySegment,
    /// `%2f`: some servers decode it before they split.
    #[error("the path contains an encoded slash")]
    EncodedSlash,
    /// What it decodes to is not UTF-8; overlong forms hide other characters.
    #[error("the path does not decode to UTF-8")]
    NotUtf8,
}

impl PathFault {
    /// Every fault, in the order of their codes.
    pub const ALL: &'static [Self] = &[
        Self::Backslash,
        Self::BadEscape,
        Self::Control,
        Self::DotSegment,
        Self::EmptySegment,
        Self::EncodedSlash,
        Self::NotUtf8,
    ];

    /// The stable code, as in `path-dot-segment`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Backslash => "path-backslash",
            Self::BadEscape => "path-bad-escape",
            Self::Control => "path-control",
            Self::DotSegment => "path-dot-segment",
            Self::EmptySegment => "path-empty-segment",
            Self::EncodedSlash => "path-encoded-slash",
            Self::NotUtf8 => "path-not-utf8",
        }
    }
}

/// Checks a path as it was sent, without its query.
pub(crate) fn check(path: &[u8]) -> Result<(), PathFault> {
    let inner = path.strip_prefix(b"/").unwrap_or(path);
    let mut segments = inner.split(|byte| *byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        if segment.is_empty() && segments.peek().is_some() {
            return Err(PathFault::EmptySegment);
        }
        if segment.contains(&b'\\') {
            return Err(PathFault::Backslash);
        }
        let decoded;
        let plain = if segment.contains(&b'%') {
            decoded = decode(segment)?;
            decoded.as_slice()
        } else {
            segment
        };
        if std::str::from_utf8(plain).is_err() {
            return Err(PathFault::NotUtf8);
        }
        let name = plain.split(|byte| *byte == b';').next().unwrap_or_default();
        if name == b"." || name == b".." {
            return Err(PathFault::DotSegment);
        }
    }
    Ok(())
}

/// Decodes a segment, and refuses what must not be in one in encoded form.
fn decode(segment: &[u8]) -> Result<Vec<u8>, PathFault> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment;
    while let Some((byte, after)) = rest.split_first() {
        if *byte != b'%' {
            decoded.push(*byte);
            rest = after;
            continue;
        }
        let Some(([high, low], after)) = after.split_first_chunk::<2>().map(|(pair, after)| (*pair, after)) else {
            return Err(PathFault::BadEscape);
        };
        let (Some(high), Some(low)) = (digit(high), digit(low)) else { return Err(PathFault::BadEscape) };
        match (high << 4) | low {
            b'/' => return Err(PathFault::EncodedSlash),
            b'\\' => return Err(PathFault::Backslash),
            0..=0x1f | 0x7f => return Err(PathFault::Control),
            byte => decoded.push(byte),
        }
        rest = after;
    }
    Ok(decoded)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths() {
        use PathFault::*;
        for (path, expected) in [
            ("/", Ok(())),
            ("/a", Ok(())),
            ("/a/", Ok(())),
            ("/a/b.c/..d/e../...", Ok(())),
            ("/a%20b%C3%A9", Ok(())),
            ("/a%25%32%65", Ok(())), // decoded once, `%2e`
            ("/;a=b/c;d", Ok(())),
            ("*", Ok(())),
            ("//", Err(EmptySegment)),
            ("//a", Err(EmptySegment)),
            ("/a//b", Err(EmptySegment)),
            ("/a//", Err(EmptySegment)),
            ("/.", Err(DotSegment)),
            ("/..", Err(DotSegment)),
            ("/a/../b", Err(DotSegment)),
            ("/a/./b", Err(DotSegment)),
            ("/a/%2e%2E/b", Err(DotSegment)),
            ("/a/.%2e", Err(DotSegment)),
            ("/a/..;/b", Err(DotSegment)),
            ("/a/..;x=y/b", Err(DotSegment)),
            ("/a/.;/b", Err(DotSegment)),
            ("/a/..%3b/b", Err(DotSegment)),
            ("/a%2fb", Err(EncodedSlash)),
            ("/a%2Fb", Err(EncodedSlash)),
            ("/a%5cb", Err(Backslash)),
            ("/a\\b", Err(Backslash)),
            ("/a%00", Err(Control)),
            ("/a%0d%0aX:y", Err(Control)),
            ("/a%7f", Err(Control)),
            ("/%", Err(BadEscape)),
            ("/%2", Err(BadEscape)),
            ("/%zz", Err(BadEscape)),
            ("/%u002e", Err(BadEscape)),
            ("/%+1", Err(BadEscape)),
            ("/%ff", Err(NotUtf8)),
            ("/%c0%ae%c0%ae", Err(NotUtf8)),
            ("/%ed%a0%80", Err(NotUtf8)),
        ] {
            assert_eq!(check(path.as_bytes()), expected, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(path in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = check(&path);
        }

        #[test]
        fn what_passes_is_its_own_normal_form(path in "/([a.%/;25eEfF]|%2e){0,12}") {
            if check(path.as_bytes()).is_ok() {
                let decoded = decode(path.as_bytes()).unwrap();
                let decoded = String::from_utf8(decoded).unwrap();
                prop_assert!(!decoded.contains("//"));
                prop_assert!(!decoded.split('/').any(|segment| segment == "." || segment == ".."));
                prop_assert_eq!(decoded.matches('/').count(), path.matches('/').count());
            }
        }
    }
}
