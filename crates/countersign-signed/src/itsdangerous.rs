//! itsdangerous: `Signer`, `TimestampSigner`, `Serializer`, `URLSafeSerializer`, the timed ones, and Flask's sessions.
//!
//! By itsdangerous 2.2: `value.signature`, or `value.time.signature` with the time as up to eight bytes of base64. The
//! signature is read as leniently as Python reads base64, so that one signature has several spellings; what is signed
//! has one.

use countersign_core::UnixTime;
use countersign_core::alg::ct_eq;

use crate::digest::{Digest, Keyed};
use crate::json::Style;
use crate::payload::{self, Charset};
use crate::{CannotSign, Json, Judging, Keys, Opened, Refused, SettingFault, base64, number};

/// How a key is made of the secret and the salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Derivation {
    /// `H(salt + key)`
    Concat,
    /// `H(salt + "signer" + key)`: the default.
    #[default]
    DjangoConcat,
    /// `HMAC(key, salt)`: Flask's sessions.
    Hmac,
    /// The secret alone: the salt counts for nothing.
    None,
}

impl Derivation {
    /// The derivation of a name, as itsdangerous spells it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "concat" => Self::Concat,
            "django-concat" => Self::DjangoConcat,
            "hmac" => Self::Hmac,
            "none" => Self::None,
            _ => return None,
        })
    }
}

/// What a signer may be told. The defaults are those of `Signer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The salt: [`SIGNER_SALT`] for signers, [`SERIALIZER_SALT`] for serialisers, unless the application says another.
    pub salt: String,
    /// What stands before the signature.
    pub separator: String,
    /// The digest.
    pub digest: Digest,
    /// The derivation.
    pub derivation: Derivation,
    /// `TimestampSigner`, `TimedSerializer`, `URLSafeTimedSerializer`.
    pub timed: bool,
    /// `URLSafeSerializer`, `URLSafeTimedSerializer`.
    pub url_safe: bool,
    /// Whether JSON is written in ASCII where the serialiser is URL-safe: Flask's is.
    pub ascii: bool,
}

/// The salt of `Signer` and `TimestampSigner`.
pub const SIGNER_SALT: &str = "itsdangerous.Signer";
/// The salt of the serialisers.
pub const SERIALIZER_SALT: &str = "itsdangerous";

impl Default for Options {
    fn default() -> Self {
        Self {
            salt: SIGNER_SALT.to_owned(),
            separator: ".".to_owned(),
            digest: Digest::Sha1,
            derivation: Derivation::default(),
            timed: false,
            url_safe: true,
            ascii: false,
        }
    }
}

impl Options {
    /// Flask's sessions, `SecureCookieSessionInterface`.
    ///
    /// Values that JSON does not have (tuples, bytes, dates …) come as Flask tags them: `{" d": "…"}`.
    #[must_use]
    pub fn flask_session() -> Self {
        Self {
            salt: "cookie-session".to_owned(),
            derivation: Derivation::Hmac,
            timed: true,
            ascii: true,
            ..Self::default()
        }
    }
}

/// A signer of itsdangerous'.
#[derive(Debug, Clone)]
pub struct Signer {
    keys: Vec<Keyed>,
    separator: String,
    timed: bool,
    url_safe: bool,
    ascii: bool,
}

impl Signer {
    /// Derives the keys.
    pub fn new(keys: &Keys, options: &Options) -> Result<Self, SettingFault> {
        let part_of_signature = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=');
        // itsdangerous refuses what is a piece of its alphabet, and so `ab` but not `ba`. Both could be in a signature.
        if options.separator.bytes().all(part_of_signature) {
            return Err(SettingFault::Separator);
        }
        let (digest, salt) = (options.digest, options.salt.as_bytes());
        let keys = keys.each(|key| match options.derivation {
            Derivation::Concat => digest.keyed(&digest.hash(&[salt, key])),
            Derivation::DjangoConcat => digest.keyed(&digest.hash(&[salt, b"signer", key])),
            Derivation::Hmac => {
                let derived = digest.keyed(key).tag(&[salt]);
                let keyed = digest.keyed(derived.as_bytes());
                derived.wipe();
                keyed
            }
            Derivation::None => digest.keyed(key),
        });
        let Options { timed, url_safe, ascii, .. } = *options;
        Ok(Self { keys, separator: options.separator.clone(), timed, url_safe, ascii })
    }

    /// `sign`
    pub fn sign(&self, value: &str, now: UnixTime) -> Result<String, CannotSign> {
        self.finish(value.to_owned(), now)
    }

    /// `unsign`
    pub fn unsign<'v>(&self, signed: &'v str, judging: &Judging) -> Result<Opened<&'v str>, Refused> {
        let (message, signature) = signed.rsplit_once(&self.separator).ok_or(Refused::Malformed)?;
        let which = self.verify(message, signature).ok_or(Refused::SignatureMismatch)?;
        if !self.timed {
            return Ok(Opened::new(message, None, which));
        }
        let (value, time) = message.rsplit_once(&self.separator).ok_or(Refused::Malformed)?;
        let seconds = base64::pythonic(time.as_bytes()).as_deref().and_then(number::untrimmed);
        let signed_at = seconds.and_then(|seconds| i64::try_from(seconds).ok()).map(UnixTime::from_secs);
        let signed_at = signed_at.ok_or(Refused::Malformed)?;
        // In whole seconds, and what comes from the future is refused too.
        let now = UnixTime::from_secs(judging.now.secs());
        let early = judging.max_age.is_some() && now < signed_at;
        if early || (Judging { now, ..*judging }).is_over(signed_at) {
            return Err(Refused::Expired);
        }
        Ok(Opened::new(value, Some(signed_at), which))
    }

    /// `dumps` of the serialiser that `timed` and `url_safe` say.
    pub fn dumps(&self, value: &Json, now: UnixTime) -> Result<String, CannotSign> {
        let mut out = String::new();
        if self.url_safe {
            let style = if self.ascii { Style::ASCII } else { Style::COMPACT };
            payload::pack(value, style, true, &mut out)?;
        } else if value.is_portable() {
            value.write(Style::PYTHON, &mut out);
        } else {
            return Err(CannotSign::Number);
        }
        self.finish(out, now)
    }

    /// `loads` of the serialiser that `timed` and `url_safe` say.
    pub fn loads(&self, signed: &str, judging: &Judging) -> Result<Opened<Json>, Refused> {
        let opened = self.unsign(signed, judging)?;
        // The timed serialisers make a date of it, which ends with the year 9999.
        if opened.signed_at().is_some_and(|at| at.secs() > LAST_DATE) {
            return Err(Refused::Malformed);
        }
        opened.try_map(|payload| {
            let read = if self.url_safe { payload::unpack } else { payload::json };
            read(payload.as_bytes(), Charset::Utf8)
        })
    }

    /// What is signed of a signed value.
    pub(crate) fn signed_part<'v>(&self, signed: &'v str) -> &'v str {
        signed.rsplit_once(&self.separator).map_or(signed, |(message, _)| message)
    }

    fn finish(&self, mut out: String, now: UnixTime) -> Result<String, CannotSign> {
        if self.timed {
            let seconds = u64::try_from(now.secs()).map_err(|_| CannotSign::Time)?;
            out.push_str(&self.separator);
            base64::append(base64::URL, number::trimmed(seconds, &mut [0; 8]), &mut out);
        }
        let key = self.keys.first().ok_or(CannotSign::Unsupported)?;
        let tag = key.tag(&[out.as_bytes()]);
        out.push_str(&self.separator);
        base64::append(base64::URL, tag.as_bytes(), &mut out);
        Ok(out)
    }

    fn verify(&self, message: &str, signature: &str) -> Option<usize> {
        let tags = self.keys.iter().map(|key| key.tag(&[message.as_bytes()]));
        // Nearly always it is spelt as it was written, and then nothing has to be decoded.
        for (which, tag) in tags.enumerate() {
            if base64::is_tag(base64::URL, signature.as_bytes(), &tag) {
                return Some(which);
            }
        }
        if signature.len() > LONGEST_SIGNATURE {
            return None;
        }
        let bytes = base64::pythonic(signature.as_bytes())?;
        self.keys.iter().position(|key| ct_eq(key.tag(&[message.as_bytes()]).as_bytes(), &bytes))
    }
}

/// 9999-12-31T23:59:59Z.
const LAST_DATE: i64 = 253_402_300_799;
/// Far more than the 88 characters that a tag has, with what Python skips.
const LONGEST_SIGNATURE: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(options: &Options) -> Signer {
        Signer::new(&Keys::one("secret-key").unwrap(), options).unwrap()
    }

    #[test]
    fn separators_that_a_signature_could_contain_are_refused() {
        for separator in ["", "a", "ab", "ba", "-", "_", "=", "z9="] {
            let options = Options { separator: separator.to_owned(), ..Options::default() };
            assert_eq!(Signer::new(&Keys::one("k").unwrap(), &options).unwrap_err(), SettingFault::Separator);
        }
    }

    #[test]
    fn what_comes_from_the_future_is_refused_where_an_age_is_asked_for() {
        let timed = signer(&Options { timed: true, ..Options::default() });
        let signed = timed.sign("value", UnixTime::from_secs(100)).unwrap();
        let at = |secs| Judging::at(UnixTime::from_millis(secs));
        assert_eq!(timed.unsign(&signed, &at(99_999).max_age(10)), Err(Refused::Expired));
        assert!(timed.unsign(&signed, &at(99_999)).is_ok());
        // Whole seconds: 110.999 is 110.
        assert!(timed.unsign(&signed, &at(110_999).max_age(10)).is_ok());
        assert_eq!(timed.unsign(&signed, &at(111_000).max_age(10)), Err(Refused::Expired));
    }

    #[test]
    fn a_signature_has_the_spellings_that_python_reads_and_no_other_meaning() {
        let signer = signer(&Options::default());
        let signed = signer.sign("value", UnixTime::from_secs(0)).unwrap();
        let judging = Judging::at(UnixTime::from_secs(0));
        // 20 bytes leave two bits of the last character unused.
        let (head, last) = signed.split_at(signed.len() - 1);
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let at = alphabet.find(last).unwrap();
        for (index, letter) in alphabet.char_indices() {
            let same = index >> 2 == at >> 2;
            assert_eq!(signer.unsign(&format!("{head}{letter}"), &judging).is_ok(), same, "{letter}");
        }
        let long = format!("{signed}{}", "!".repeat(LONGEST_SIGNATURE));
        assert_eq!(signer.unsign(&long, &judging), Err(Refused::SignatureMismatch));
    }

    #[test]
    fn a_date_past_the_year_9999_is_none() {
        let timed = signer(&Options { timed: true, ..Options::default() });
        let judging = Judging::at(UnixTime::from_secs(0));
        let signed = timed.dumps(&Json::Null, UnixTime::from_secs(LAST_DATE + 1)).unwrap();
        assert!(timed.unsign(&signed, &judging).is_ok());
        assert_eq!(timed.loads(&signed, &judging), Err(Refused::Malformed));
        assert_eq!(timed.sign("", UnixTime::from_secs(-1)), Err(CannotSign::Time));
    }

    #[test]
    fn each_derivation_makes_another_signature() {
        let signed = ["concat", "django-concat", "hmac", "none"].map(|name| {
            let derivation = Derivation::from_name(name).unwrap();
            signer(&Options { derivation, ..Options::default() }).sign("value", UnixTime::from_secs(0)).unwrap()
        });
        for (index, one) in signed.iter().enumerate() {
            assert!(signed.iter().skip(index + 1).all(|other| other != one));
        }
        assert_eq!(Derivation::from_name("HMAC"), None);
    }
}
