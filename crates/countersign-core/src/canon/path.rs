//! Paths as AWS Signature Version 4 normalises them for every service but S3.

/// Appends a path without empty and dot segments.
///
/// Segments are taken apart at `/`; empty ones and `.` vanish, `..` takes the segment before it along (RFC 3986,
/// section 5.2.4, and "Create a canonical request" in AWS's manual of Signature Version 4, 2026-11-22). What comes
/// out begins with `/`, and ends with one exactly if the input does. That last rule is not RFC 3986's, which would
/// leave `/a/` of `/a/b/..`: it is what AWS's own SDKs do. Nothing is decoded: `%2e` is an ordinary segment.
pub fn dots(input: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    for segment in input.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => {
                let kept = out.iter().skip(start).rposition(|byte| *byte == b'/').unwrap_or(0);
                out.truncate(start.saturating_add(kept));
            }
            _ => {
                out.push(b'/');
                out.extend_from_slice(segment);
            }
        }
    }
    if out.len() == start || input.ends_with(b"/") {
        out.push(b'/');
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{encoded, text};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn empty_and_dot_segments_vanish() {
        for (input, expected) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/.", "/"),
            ("/..", "/"),
            ("/../", "/"),
            ("/../../a", "/a"),
            ("a", "/a"),
            ("/a/..", "/"),
            ("/a/../", "/"),
            ("/a/b/..", "/a"),
            ("/a/b/../", "/a/"),
            ("/a/b/../../c", "/c"),
            ("/a/.", "/a"),
            ("/a/./", "/a/"),
            ("//a//b//", "/a/b/"),
            ("/a/.../..b/%2e%2e/.c", "/a/.../..b/%2e%2e/.c"),
        ] {
            assert_eq!(text(dots, input), expected, "{input:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_normal_stays(input in "[/.ab]{0,24}") {
            let once = text(dots, &input);
            prop_assert!(once.starts_with('/'));
            prop_assert!(once.split('/').all(|segment| segment != "." && segment != ".."));
            prop_assert!(!once.contains("//"));
            prop_assert_eq!(text(dots, &once), once);
        }

        #[test]
        fn any_bytes_will_do(input: Vec<u8>) {
            let _ = encoded(dots, input);
        }
    }
}
