//! Django: `Signer`, `TimestampSigner`, `dumps` and `loads` with JSON, signed cookies, password-reset tokens.
//!
//! By `django.core.signing`, Django 1.8 to 5.2: `value:signature`, where the signature is base64 of an HMAC under
//! `H(salt + "signer" + key)`. The timed class appends the time in base 62 before it signs. Before Django 3.1 the
//! digest was SHA-1; since then it is SHA-256, and any of `hashlib` can be set.

mod cookie;
mod reset;

pub use cookie::{CookieSalt, cookie, unquote};
pub use reset::{Account, ResetTokens};

use countersign_core::UnixTime;

use crate::digest::{Digest, Keyed};
use crate::json::Style;
use crate::payload::{self, Charset};
use crate::{CannotSign, Json, Judging, Keys, Opened, Refused, SettingFault, base64, number};

/// Which of Django's classes it is, for its default salt and whether it tells the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Class {
    /// `Signer`
    #[default]
    Signer,
    /// `TimestampSigner`
    TimestampSigner,
    /// What `signing.dumps` and `signing.loads` use: `TimestampSigner`, with a salt of its own.
    Dumps,
}

impl Class {
    /// The salt where none is given.
    #[must_use]
    pub const fn salt(self) -> &'static str {
        match self {
            Self::Signer => "django.core.signing.Signer",
            Self::TimestampSigner => "django.core.signing.TimestampSigner",
            Self::Dumps => "django.core.signing",
        }
    }
}

/// What a signer may be told. The defaults are Django's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The class.
    pub class: Class,
    /// The salt; where it is absent or empty, the class's.
    pub salt: Option<String>,
    /// What stands before the signature.
    pub separator: String,
    /// The digest.
    pub digest: Digest,
    /// Whether `dumps` compresses where that is shorter.
    pub compress: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            class: Class::default(),
            salt: None,
            separator: ":".to_owned(),
            digest: Digest::Sha256,
            compress: false,
        }
    }
}

/// A signer of Django's.
#[derive(Debug, Clone)]
pub struct Signer {
    keys: Vec<Keyed>,
    separator: String,
    timed: bool,
    compress: bool,
}

impl Signer {
    /// Derives the keys.
    pub fn new(keys: &Keys, options: &Options) -> Result<Self, SettingFault> {
        let separator = options.separator.clone();
        // `_SEP_UNSAFE`: `^[A-z0-9-_=]*$`, and `$` matches before a line end too.
        let bare = separator.strip_suffix('\n').unwrap_or(&separator);
        if bare.bytes().all(|byte| matches!(byte, b'A'..=b'z' | b'0'..=b'9' | b'-' | b'=')) {
            return Err(SettingFault::Separator);
        }
        let salt = options.salt.as_deref().filter(|salt| !salt.is_empty()).unwrap_or(options.class.salt());
        let keys = keys.each(|key| salted(options.digest, &[salt.as_bytes(), b"signer"], key));
        Ok(Self { keys, separator, timed: options.class != Class::Signer, compress: options.compress })
    }

    /// `sign`
    pub fn sign(&self, value: &str, now: UnixTime) -> Result<String, CannotSign> {
        let mut out = String::with_capacity(value.len().saturating_add(ROOM));
        out.push_str(value);
        self.finish(out, now)
    }

    /// `unsign`
    pub fn unsign<'v>(&self, signed: &'v str, judging: &Judging) -> Result<Opened<&'v str>, Refused> {
        let (message, signature) = signed.rsplit_once(&self.separator).ok_or(Refused::Malformed)?;
        let which = self.verify(message, signature.as_bytes()).ok_or(Refused::SignatureMismatch)?;
        if !self.timed {
            return Ok(Opened::new(message, None, which));
        }
        let (value, time) = message.rsplit_once(&self.separator).ok_or(Refused::Malformed)?;
        let signed_at = UnixTime::from_secs(number::unb62(time.as_bytes()).ok_or(Refused::Malformed)?);
        if judging.is_over(signed_at) {
            return Err(Refused::Expired);
        }
        Ok(Opened::new(value, Some(signed_at), which))
    }

    /// `sign_object`; `signing.dumps` where the class is [`Class::Dumps`].
    pub fn dumps(&self, value: &Json, now: UnixTime) -> Result<String, CannotSign> {
        let mut out = String::new();
        payload::pack(value, Style::ASCII, self.compress, &mut out)?;
        self.finish(out, now)
    }

    /// `unsign_object`; `signing.loads` where the class is [`Class::Dumps`].
    pub fn loads(&self, signed: &str, judging: &Judging) -> Result<Opened<Json>, Refused> {
        self.unsign(signed, judging)?.try_map(|payload| payload::unpack(payload.as_bytes(), Charset::Latin1))
    }

    /// What is signed of a signed value: without the signature, whose spelling is nobody's business.
    pub(crate) fn signed_part<'v>(&self, signed: &'v str) -> &'v str {
        signed.rsplit_once(&self.separator).map_or(signed, |(message, _)| message)
    }

    fn finish(&self, mut out: String, now: UnixTime) -> Result<String, CannotSign> {
        if self.timed {
            out.push_str(&self.separator);
            number::b62(now.secs(), &mut out);
        }
        let key = self.keys.first().ok_or(CannotSign::Unsupported)?;
        let tag = key.tag(&[out.as_bytes()]);
        out.push_str(&self.separator);
        base64::append(base64::URL, tag.as_bytes(), &mut out);
        Ok(out)
    }

    /// Which key made a signature.
    fn verify(&self, message: &str, signature: &[u8]) -> Option<usize> {
        self.keys.iter().position(|key| base64::is_tag(base64::URL, signature, &key.tag(&[message.as_bytes()])))
    }
}

/// `b62_encode`: how Django writes a time.
#[must_use]
pub fn b62_encode(number: i64) -> String {
    let mut out = String::new();
    number::b62(number, &mut out);
    out
}

/// `b62_decode`
#[must_use]
pub fn b62_decode(text: &str) -> Option<i64> {
    number::unb62(text.as_bytes())
}

/// A key as `salted_hmac` makes it.
fn salted(digest: Digest, salt: &[&[u8]], key: &[u8]) -> Keyed {
    digest.keyed(&digest.hash(&[salt, &[key]].concat()))
}

/// A time, two separators and a signature mostly need no more.
const ROOM: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(options: &Options) -> Signer {
        Signer::new(&Keys::one("predictable-secret").unwrap(), options).unwrap()
    }

    #[test]
    fn separators_that_a_signature_could_contain_are_refused() {
        for separator in ["", "a", "Az09", "-", "_", "=", "^", "`", "[\\]", "\n", "a\n"] {
            let options = Options { separator: separator.to_owned(), ..Options::default() };
            let refused = Signer::new(&Keys::one("k").unwrap(), &options).unwrap_err();
            assert_eq!(refused, SettingFault::Separator, "{separator:?}");
        }
        for separator in [":", "/", "*sep*", "é", "a.", "\n:", "{"] {
            let signer = signer(&Options { separator: separator.to_owned(), ..Options::default() });
            let signed = signer.sign(&format!("v{separator}w"), UnixTime::from_secs(0)).unwrap();
            let opened = signer.unsign(&signed, &Judging::at(UnixTime::from_secs(0))).unwrap();
            assert_eq!(*opened.value(), format!("v{separator}w"));
        }
    }

    #[test]
    fn a_value_of_another_class_or_salt_is_refused() {
        let now = UnixTime::from_secs(1_714_566_896);
        let signers: Vec<Signer> = [Class::Signer, Class::TimestampSigner, Class::Dumps]
            .map(|class| signer(&Options { class, ..Options::default() }))
            .into_iter()
            .chain([signer(&Options { salt: Some("s".to_owned()), ..Options::default() })])
            .collect();
        for (one, maker) in signers.iter().enumerate() {
            let signed = maker.sign("value", now).unwrap();
            for (other, reader) in signers.iter().enumerate() {
                let expected = if one == other { Ok(()) } else { Err(Refused::SignatureMismatch) };
                assert_eq!(reader.unsign(&signed, &Judging::at(now)).map(|_| ()), expected);
            }
        }
    }

    #[test]
    fn a_signed_value_without_a_time_is_none_to_the_timed_class() {
        let salt = Some("one salt".to_owned());
        let plain = signer(&Options { salt: salt.clone(), ..Options::default() });
        let timed = signer(&Options { class: Class::TimestampSigner, salt, ..Options::default() });
        let at = Judging::at(UnixTime::from_secs(0));
        for value in ["value", "value:", "value:é", "value:1 "] {
            let signed = plain.sign(value, UnixTime::from_secs(0)).unwrap();
            assert_eq!(timed.unsign(&signed, &at), Err(Refused::Malformed), "{value}");
        }
    }
}
