//! Express: `cookie-signature`, with which `cookie-parser` and `express-session` sign, and `keygrip`, with which
//! `cookies` and `cookie-session` do.
//!
//! The first appends base64 of an HMAC-SHA-256 to the value; the second keeps the signature in a cookie of its own,
//! over `name=value`.

use crate::digest::{Digest, Keyed};
use crate::{CannotSign, Json, Keys, Opened, Refused, base64};

/// `cookie-signature`
#[derive(Debug, Clone)]
pub struct CookieSigner {
    keys: Vec<Keyed>,
}

impl CookieSigner {
    /// As `cookieParser(secrets)` has them: the first signs.
    #[must_use]
    pub fn new(keys: &Keys) -> Self {
        Self { keys: keys.each(|key| Digest::Sha256.keyed(key)) }
    }

    /// `sign`. In a cookie `s:` stands before it.
    pub fn sign(&self, value: &str) -> Result<String, CannotSign> {
        let key = self.keys.first().ok_or(CannotSign::Unsupported)?;
        let tag = key.tag(&[value.as_bytes()]);
        let mut out = format!("{value}.");
        base64::append(base64::PLAIN, tag.as_bytes(), &mut out);
        Ok(out)
    }

    /// `unsign`
    pub fn unsign<'v>(&self, signed: &'v str) -> Result<Opened<&'v str>, Refused> {
        let (value, signature) = signed.rsplit_once('.').ok_or(Refused::Malformed)?;
        let is = |key: &Keyed| base64::is_tag(base64::PLAIN, signature.as_bytes(), &key.tag(&[value.as_bytes()]));
        let which = self.keys.iter().position(is).ok_or(Refused::SignatureMismatch)?;
        Ok(Opened::new(value, None, which))
    }

    /// A JSON cookie of `cookie-parser`: `j:` stands before the value.
    pub fn dumps(&self, value: &Json) -> Result<String, CannotSign> {
        if !value.is_portable() {
            return Err(CannotSign::Number);
        }
        self.sign(&format!("j:{}", value.compact()))
    }

    /// A JSON cookie of `cookie-parser`.
    pub fn loads(&self, signed: &str) -> Result<Opened<Json>, Refused> {
        self.unsign(signed)?.try_map(|value| {
            let json = value.strip_prefix("j:").ok_or(Refused::Malformed)?;
            crate::payload::json(json.as_bytes(), crate::payload::Charset::Utf8)
        })
    }

    /// What is signed of a signed value.
    pub(crate) fn signed_part(signed: &str) -> &str {
        signed.rsplit_once('.').map_or(signed, |(value, _)| value)
    }
}

/// `keygrip`: the signature lies beside what is signed.
#[derive(Debug, Clone)]
pub struct Keygrip {
    keys: Vec<Keyed>,
}

impl Keygrip {
    /// The newest key first. The digest is SHA-1 unless the application says another.
    #[must_use]
    pub fn new(keys: &Keys, digest: Digest) -> Self {
        Self { keys: keys.each(|key| digest.keyed(key)) }
    }

    /// The signature of a text: for a cookie `name=value`.
    pub fn sign(&self, text: &str) -> Result<String, CannotSign> {
        let key = self.keys.first().ok_or(CannotSign::Unsupported)?;
        let mut out = String::new();
        base64::append(base64::URL, key.tag(&[text.as_bytes()]).as_bytes(), &mut out);
        Ok(out)
    }

    /// The text, if this is its signature.
    pub fn verify<'v>(&self, text: &'v str, signature: &str) -> Result<Opened<&'v str>, Refused> {
        let is = |key: &Keyed| base64::is_tag(base64::URL, signature.as_bytes(), &key.tag(&[text.as_bytes()]));
        let which = self.keys.iter().position(is).ok_or(Refused::SignatureMismatch)?;
        Ok(Opened::new(text, None, which))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(keys: &[&str]) -> CookieSigner {
        CookieSigner::new(&Keys::newest_first(keys).unwrap())
    }

    #[test]
    fn a_signature_has_one_spelling() {
        let signer = signer(&["keyboard cat"]);
        let signed = signer.sign("a.b").unwrap();
        assert_eq!(*signer.unsign(&signed).unwrap().value(), "a.b");
        for wrong in [format!("{signed}="), signed.to_uppercase(), format!("{signed}."), format!(".{signed}")] {
            assert!(signer.unsign(&wrong).is_err(), "{wrong}");
        }
        for none in ["", "a", "."] {
            assert!(signer.unsign(none).is_err(), "{none}");
        }
    }

    #[test]
    fn an_old_key_is_told() {
        let signed = signer(&["old"]).sign("value").unwrap();
        assert!(signer(&["new", "old"]).unsign(&signed).unwrap().needs_resign());
        assert!(!signer(&["old", "older"]).unsign(&signed).unwrap().needs_resign());
    }

    #[test]
    fn json_cookies_say_that_they_are_some() {
        let signer = signer(&["keyboard cat"]);
        let value = Json::parse(br#"{"user":"Zoe","n":12345678901234567890}"#).unwrap();
        let signed = signer.dumps(&value).unwrap();
        assert!(signed.starts_with("j:{"));
        assert_eq!(*signer.loads(&signed).unwrap().value(), value);
        assert_eq!(signer.loads(&signer.sign("{}").unwrap()), Err(Refused::Malformed));
    }

    #[test]
    fn keygrip_binds_the_name() {
        let keys = Keygrip::new(&Keys::newest_first(["new", "old"]).unwrap(), Digest::Sha1);
        let signature = keys.sign("a=value").unwrap();
        assert!(keys.verify("a=value", &signature).is_ok());
        assert_eq!(keys.verify("b=value", &signature), Err(Refused::SignatureMismatch));
        assert_eq!(keys.verify("a=value", ""), Err(Refused::SignatureMismatch));
        assert_eq!(
            keys.verify("a=value", &signature.replace('-', "+").replace('_', "/").to_lowercase()),
            Err(Refused::SignatureMismatch)
        );
    }
}
