//! Django's signed cookies, `HttpResponse.set_signed_cookie`: the key has a prefix, and the salt has the cookie's name
//! in it.
//!
//! Until 2026 the salt was the name and the salt one after the other, so that the cookie `ab` with the salt `c` could
//! stand for `a` with `bc` (CVE-2026-6873). Now the salt says its length first. Django reads both unless
//! `SIGNED_COOKIE_LEGACY_SALT_FALLBACK` is off.

use super::{Class, Options, Signer};
use crate::{Codec, Keys, SettingFault};

/// How the salt of a signed cookie is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CookieSalt {
    /// With the length of the salt: Django since CVE-2026-6873.
    #[default]
    Prefixed,
    /// Name and salt one after the other: Django before.
    Joined,
}

/// The signer of a cookie. `also_joined`: reads cookies of the old salt too, which are then to be signed anew.
pub fn cookie(
    keys: &Keys,
    name: &str,
    salt: CookieSalt,
    also_joined: bool,
    options: &Options,
) -> Result<Codec, SettingFault> {
    let keys = Keys::newest_first(keys.each(|key| [b"django.http.cookies", key].concat()))?;
    let extra = options.salt.as_deref().unwrap_or_default();
    let signer = |made: CookieSalt| {
        let salt = match made {
            // Python counts characters.
            CookieSalt::Prefixed => format!("django.http.cookies.v2:{}:{extra}{name}", extra.chars().count()),
            CookieSalt::Joined => format!("{name}{extra}"),
        };
        Signer::new(&keys, &Options { class: Class::TimestampSigner, salt: Some(salt), ..options.clone() })
    };
    let codec = Codec::from(signer(salt)?);
    if also_joined && salt == CookieSalt::Prefixed {
        return Ok(codec.or_older(signer(CookieSalt::Joined)?.into()));
    }
    Ok(codec)
}

/// A cookie's value without the quotes of `http.cookies`, which Django and Werkzeug take off: `\054` is a comma.
///
/// `None` where what is quoted is not well formed, or no UTF-8.
#[must_use]
pub fn unquote(value: &str) -> Option<String> {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Some(value.to_owned());
    };
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner.as_bytes();
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                let digit = |byte: &u8| byte & 7;
                out.push(digit(a) << 6 | digit(b) << 3 | digit(c));
                after
            }
            (b'\\', [escaped, after @ ..]) => {
                out.push(*escaped);
                after
            }
            (b'\\', []) => return None,
            (plain, after) => {
                out.push(*plain);
                after
            }
        };
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Judging, Refused, UnixTime};

    const NOW: UnixTime = UnixTime::from_secs(1_714_566_896);

    fn made(name: &str, salt: &str, how: CookieSalt, also: bool) -> Codec {
        let options = Options { salt: Some(salt.to_owned()), ..Options::default() };
        cookie(&Keys::one("a key").unwrap(), name, how, also, &options).unwrap()
    }

    #[test]
    fn attack_38_two_cookies_have_one_salt_only_by_the_old_rule() {
        let judging = Judging::at(NOW);
        for (how, expected) in [(CookieSalt::Joined, true), (CookieSalt::Prefixed, false)] {
            let signed = made("ab", "c", how, false).sign("value", NOW).unwrap();
            assert_eq!(made("a", "bc", how, false).unsign(&signed, &judging).is_ok(), expected);
        }
    }

    #[test]
    fn a_cookie_of_the_old_salt_is_read_where_asked_for_and_is_to_be_signed_anew() {
        let signed = made("name", "salt", CookieSalt::Joined, false).sign("value", NOW).unwrap();
        let opened = made("name", "salt", CookieSalt::Prefixed, true).unsign(&signed, &Judging::at(NOW)).unwrap();
        assert!(opened.value() == "value" && opened.needs_resign());
        let strict = made("name", "salt", CookieSalt::Prefixed, false);
        assert_eq!(strict.unsign(&signed, &Judging::at(NOW)), Err(Refused::SignatureMismatch));
    }

    #[test]
    fn quotes_come_off_as_http_cookies_takes_them_off() {
        for (quoted, plain) in [
            ("plain", Some("plain")),
            ("\"a b\"", Some("a b")),
            ("\"a\\054b\\\"\\\\\"", Some("a,b\"\\")),
            ("\"\\303\\251\"", Some("é")),
            ("\"", Some("\"")),
            ("\"\"", Some("")),
            ("\"\\303\"", None),
            ("\"a\\\"", None),
        ] {
            assert_eq!(unquote(quoted).as_deref(), plain, "{quoted}");
        }
    }
}
