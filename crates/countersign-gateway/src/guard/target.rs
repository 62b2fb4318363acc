//! Request targets and authorities: which bytes may stand in them, and which forms are accepted.
//!
//! Nothing is decoded here, and nothing is normalised: the answer is only whether there is one way to read it.

use super::Violation;

/// Checks a request target (RFC 9112, section 3.2). Where it is in absolute form the authority is returned, which
/// has to agree with `Host`.
///
/// Accepted are the origin form, the absolute form with a path, and `*` for `OPTIONS`. An absolute form without a
/// path is not: what its origin form is depends on the method (section 3.2.4).
pub(super) fn check<'a>(method: &[u8], target: &'a [u8]) -> Result<Option<&'a [u8]>, Violation> {
    if method == b"CONNECT" {
        return Err(Violation::Connect);
    }
    if target == b"*" {
        return if method == b"OPTIONS" { Ok(None) } else { Err(Violation::TargetForm) };
    }
    if !target.iter().all(|byte| TARGET_BYTES[usize::from(*byte)]) {
        return Err(Violation::TargetByte);
    }
    if target.first() == Some(&b'/') {
        return Ok(None);
    }
    let rest = strip_scheme(target).ok_or(Violation::TargetForm)?;
    let slash = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).ok_or(Violation::TargetForm)?;
    let (authority, path) = rest.split_at(slash);
    if path.first() != Some(&b'/') || authority.is_empty() {
        return Err(Violation::TargetForm);
    }
    Ok(Some(authority))
}

/// Whether a `Host` value is a host with an optional port: a name of letters, digits, `-`, `.` and `_`, or an
/// address in brackets. Userinfo, percent-encoding, lists and empty parts are all odd, though RFC 3986 has room for
/// some of them: no client needs them, and no two servers read them alike.
pub(super) fn is_plain_authority(authority: &[u8]) -> bool {
    let (host, port) = match authority {
        [b'[', rest @ ..] => {
            let Some(end) = rest.iter().position(|byte| *byte == b']') else { return false };
            let (address, after) = rest.split_at(end);
            if address.len() < 2
                || !address.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
            {
                return false;
            }
            match &after[1..] {
                [] => return true,
                [b':', port @ ..] => return is_port(port),
                _ => return false,
            }
        }
        _ => match authority.iter().position(|byte| *byte == b':') {
            Some(colon) => (&authority[..colon], Some(&authority[colon + 1..])),
            None => (authority, None),
        },
    };
    !host.is_empty()
        && host.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        && port.is_none_or(is_port)
}

/// The bytes of a token (RFC 9110, section 5.6.2).
pub(super) const TOKEN_BYTES: [bool; 256] = table(b"!#$%&'*+-.^_`|~");

/// The bytes of path and query (RFC 3986, sections 3.3 and 3.4), with the brackets of `a[]=1`, which that document
/// reserves and every client leaves bare.
const TARGET_BYTES: [bool; 256] = table(b"-._~!$&'()*+,;=:@/?%[]");

/// Letters, digits, and `others`.
const fn table(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
}

fn strip_scheme(target: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = target.split_at_checked(b"http://".len())?;
    scheme.eq_ignore_ascii_case(b"http://").then_some(rest)
}

fn is_port(port: &[u8]) -> bool {
    std::str::from_utf8(port).is_ok_and(|port| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.len() <= 5 && port.parse::<u16>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities() {
        for plain in ["a", "a.b", "a:80", "a_b-c.d:65535", "127.0.0.1:8080", "[::1]", "[::1]:80", "[::ffff:1.2.3.4]"]
        {
            assert!(is_plain_authority(plain.as_bytes()), "{plain}");
        }
        for odd in [
            "", ":", ":80", "a:", "a:b", "a:65536", "a:080000", "a:+80", "a:80:80", "u@a", "a,b", "a b", "a/b",
            "a%41", "[", "[]", "[::1", "[::1]x", "[::1]:", "[::1]:x", "[g::]", "a[::1]", "é", "a\t", "::1", "a\\b",
            "a#", "a?",
        ] {
            assert!(!is_plain_authority(odd.as_bytes()), "{odd}");
        }
    }

    #[test]
    fn targets() {
        let absolute = |authority: &'static str| Ok(Some(authority.as_bytes()));
        for (method, target, expected) in [
            ("GET", "/", Ok(None)),
            ("GET", "/a?b=c&d[]=%20;x", Ok(None)),
            ("GET", "//a", Ok(None)), // the path policy's business
            ("OPTIONS", "*", Ok(None)),
            ("GET", "http://a/", absolute("a")),
            ("GET", "HTTP://a:80/b?c", absolute("a:80")),
            ("GET", "http://u@a/", absolute("u@a")), // refused as Host is compared
            ("GET", "*", Err(Violation::TargetForm)),
            ("GET", "**", Err(Violation::TargetForm)),
            ("GET", "", Err(Violation::TargetForm)),
            ("GET", "a", Err(Violation::TargetForm)),
            ("GET", "a:80", Err(Violation::TargetForm)),
            ("GET", "?a", Err(Violation::TargetForm)),
            ("GET", "https://a/", Err(Violation::TargetForm)),
            ("GET", "ftp://a/", Err(Violation::TargetForm)),
            ("GET", "http://a", Err(Violation::TargetForm)),
            ("GET", "http://a?b", Err(Violation::TargetForm)),
            ("GET", "http:///a", Err(Violation::TargetForm)),
            ("GET", "http:/a", Err(Violation::TargetForm)),
            ("CONNECT", "a:80", Err(Violation::Connect)),
            ("CONNECT", "/", Err(Violation::Connect)),
            ("GET", "/a#b", Err(Violation::TargetByte)),
            ("GET", "/a\\b", Err(Violation::TargetByte)),
            ("GET", "/\"", Err(Violation::TargetByte)),
            ("GET", "/<>", Err(Violation::TargetByte)),
            ("GET", "/^", Err(Violation::TargetByte)),
            ("GET", "/`", Err(Violation::TargetByte)),
            ("GET", "/{a}", Err(Violation::TargetByte)),
            ("GET", "/a|b", Err(Violation::TargetByte)),
            ("GET", "/é", Err(Violation::TargetByte)),
            ("GET", "/\u{1}", Err(Violation::TargetByte)),
            ("GET", "/\u{7f}", Err(Violation::TargetByte)),
        ] {
            assert_eq!(check(method.as_bytes(), target.as_bytes()), expected, "{method} {target}");
        }
    }

    #[test]
    fn an_accepted_target_is_kept_to_the_byte_by_the_uri_type() {
        for byte in (0..=255_u8).filter(|byte| TARGET_BYTES[usize::from(*byte)]) {
            let target = [b'/', byte, b'?', byte];
            let uri = http::Uri::try_from(&target[..]).expect("the type is more lenient than the guard");
            assert_eq!(uri.path_and_query().map(|whole| whole.as_str().as_bytes()), Some(&target[..]));
        }
    }
}
