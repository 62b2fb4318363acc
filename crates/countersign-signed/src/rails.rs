//! Rails' `ActiveSupport::MessageVerifier`: base64 of a serialised value, `--`, and an HMAC over that text in
//! hexadecimal digits.
//!
//! A purpose or an expiry lies in an envelope around the value: `{"_rails":{"message":…}}` with the value in base64
//! once more (Rails 5.2 to 7.0, and later where the application kept that), or `{"_rails":{"data":…}}` with the value
//! as it is (7.1 and later). Both are read, one is written. A value in an envelope is none without it.

use countersign_core::UnixTime;
use countersign_core::alg::ct_eq;
use countersign_core::time::TimeFormat;

use crate::digest::{Digest, Keyed, pbkdf2};
use crate::json::Style;
use crate::opened::millis;
use crate::payload::{self, Charset};
use crate::{CannotSign, Json, Judging, Keys, Opened, Refused, base64};

/// How a purpose or an expiry is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Envelope {
    /// `{"_rails":{"data":…}}`: Rails since 7.1, with its defaults of 7.1.
    Data,
    /// `{"_rails":{"message":…}}`: Rails 5.2 to 7.0.
    #[default]
    Message,
}

/// What a verifier may be told. The defaults are Rails'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The digest.
    pub digest: Digest,
    /// What the value is for.
    pub purpose: Option<String>,
    /// How long what is signed holds, in seconds.
    pub expires_in: Option<u64>,
    /// The envelope that is written.
    pub envelope: Envelope,
    /// Base64 with `-_` and without padding (Rails 7.1 and later, `url_safe: true`).
    pub url_safe: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { digest: Digest::Sha1, purpose: None, expires_in: None, envelope: Envelope::default(), url_safe: false }
    }
}

impl Options {
    /// `cookies.signed`: the purpose names the cookie.
    #[must_use]
    pub fn cookie(name: &str) -> Self {
        Self { purpose: Some(format!("cookie.{name}")), ..Self::default() }
    }
}

/// A message verifier.
#[derive(Debug, Clone)]
pub struct Verifier {
    keys: Vec<Keyed>,
    options: Options,
}

impl Verifier {
    /// The secrets are those that the verifiers are made with; [`derive()`] makes them of `secret_key_base`.
    #[must_use]
    pub fn new(keys: &Keys, options: &Options) -> Self {
        Self { keys: keys.each(|key| options.digest.keyed(key)), options: options.clone() }
    }

    /// `generate`, with a serialiser that leaves texts as they are (`NullSerializer`).
    pub fn sign(&self, value: &str, now: UnixTime) -> Result<String, CannotSign> {
        self.finish(self.wrapped(value, || Json::from(value), now)?.as_bytes())
    }

    /// `verify`, with a serialiser that leaves texts as they are (`NullSerializer`).
    pub fn unsign(&self, signed: &str, judging: &Judging) -> Result<Opened<String>, Refused> {
        self.open(signed, judging)?.try_map(|content| match content {
            Content::Bytes(bytes) => String::from_utf8(bytes).map_err(|_| Refused::Malformed),
            Content::Json(Json::String(text)) => Ok(text),
            Content::Json(_) => Err(Refused::Malformed),
        })
    }

    /// `generate`, with the serialiser `JSON`.
    pub fn dumps(&self, value: &Json, now: UnixTime) -> Result<String, CannotSign> {
        if !value.is_portable() {
            return Err(CannotSign::Number);
        }
        self.finish(self.wrapped(&value.compact(), || value.clone(), now)?.as_bytes())
    }

    /// `verify`, with the serialiser `JSON`.
    pub fn loads(&self, signed: &str, judging: &Judging) -> Result<Opened<Json>, Refused> {
        self.open(signed, judging)?.try_map(|content| match content {
            Content::Bytes(bytes) => payload::json(&bytes, Charset::Utf8),
            Content::Json(value) => Ok(value),
        })
    }

    /// What is signed of a signed value.
    pub(crate) fn signed_part(signed: &str) -> &str {
        signed.rsplit_once("--").map_or(signed, |(data, _)| data)
    }

    /// The text in its envelope, where it needs one.
    fn wrapped(&self, text: &str, value: impl FnOnce() -> Json, now: UnixTime) -> Result<String, CannotSign> {
        let Options { purpose, expires_in, envelope, .. } = &self.options;
        if purpose.is_none() && expires_in.is_none() {
            return Ok(text.to_owned());
        }
        let expiry = expires_in.map(|seconds| instant(now, seconds)).transpose()?.map(Json::String);
        let purpose = purpose.as_deref().map(Json::from);
        let mut out = String::new();
        let inner = match envelope {
            Envelope::Message => {
                let mut message = String::new();
                base64::append(base64::PADDED, text.as_bytes(), &mut message);
                vec![
                    ("message".to_owned(), Json::String(message)),
                    ("exp".to_owned(), expiry.unwrap_or(Json::Null)),
                    ("pur".to_owned(), purpose.unwrap_or(Json::Null)),
                ]
            }
            Envelope::Data => {
                let more = [("exp", expiry), ("pur", purpose)];
                let more = more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
                std::iter::once(("data".to_owned(), value())).chain(more).collect()
            }
        };
        Json::Object(vec![("_rails".to_owned(), Json::Object(inner))]).write(Style::HTML, &mut out);
        Ok(out)
    }

    fn finish(&self, text: &[u8]) -> Result<String, CannotSign> {
        if text.is_empty() {
            return Err(CannotSign::Empty);
        }
        let mut out = String::new();
        base64::append(if self.options.url_safe { base64::URL } else { base64::PADDED }, text, &mut out);
        let key = self.keys.first().ok_or(CannotSign::Unsupported)?;
        let tag = key.tag(&[out.as_bytes()]);
        out.push_str("--");
        push_hex(tag.as_bytes(), &mut out);
        Ok(out)
    }

    fn open(&self, signed: &str, judging: &Judging) -> Result<Opened<Content>, Refused> {
        // Not `split("--")`, which Rails had before 7.1 and which overlooks whatever follows another `--`.
        let (data, digest) = signed.rsplit_once("--").ok_or(Refused::Malformed)?;
        if data.is_empty() {
            return Err(Refused::Malformed);
        }
        let is = |key: &Keyed| {
            let mut expected = String::new();
            push_hex(key.tag(&[data.as_bytes()]).as_bytes(), &mut expected);
            ct_eq(expected.as_bytes(), digest.as_bytes())
        };
        let which = self.keys.iter().position(is).ok_or(Refused::SignatureMismatch)?;
        let engine = if self.options.url_safe { base64::URL } else { base64::PADDED };
        let bytes = base64::strict(engine, data.as_bytes()).ok_or(Refused::Malformed)?;
        let content = match envelope(&bytes)? {
            Some(members) => self.unwrapped(&members, judging)?,
            None if self.options.purpose.is_some() => return Err(Refused::SignatureMismatch),
            None => Content::Bytes(bytes),
        };
        Ok(Opened::new(content, None, which))
    }

    /// What lies in an envelope, if it is for this purpose and not over.
    fn unwrapped(&self, members: &Json, judging: &Judging) -> Result<Content, Refused> {
        // Ruby's `to_s`: no purpose and an empty one are the same.
        let purpose = match members.get("pur") {
            None | Some(Json::Null) => "",
            Some(Json::String(purpose)) => purpose,
            Some(_) => return Err(Refused::Malformed),
        };
        if purpose != self.options.purpose.as_deref().unwrap_or_default() {
            return Err(Refused::SignatureMismatch);
        }
        match members.get("exp") {
            None | Some(Json::Null) => {}
            Some(Json::String(expiry)) if judging.now < read_instant(expiry)? => {}
            Some(Json::String(_)) => return Err(Refused::Expired),
            Some(_) => return Err(Refused::Malformed),
        }
        match (members.get("message"), members.get("data")) {
            (Some(Json::String(message)), None) => {
                base64::strict(base64::PADDED, message.as_bytes()).map(Content::Bytes).ok_or(Refused::Malformed)
            }
            (None, Some(data)) => Ok(Content::Json(data.clone())),
            _ => Err(Refused::Malformed),
        }
    }
}

/// What was signed.
enum Content {
    Bytes(Vec<u8>),
    Json(Json),
}

/// The members of an envelope, if it is one.
fn envelope(bytes: &[u8]) -> Result<Option<Json>, Refused> {
    // An application's own text need not be JSON. What begins like an envelope and is none is nobody's text, though.
    let parsed = Json::parse(bytes);
    match &parsed {
        Ok(value) => Ok(value.get("_rails").cloned()),
        Err(_) if bytes.starts_with(b"{\"_rails\"") => Err(Refused::Malformed),
        Err(_) => Ok(None),
    }
}

/// `Rails.application.key_generator`: PBKDF2 with 1,000 rounds, of SHA-256 since Rails 7.0 and SHA-1 before. Signed
/// cookies have the salt `signed cookie`, `message_verifier(name)` the name; both have 64 bytes.
#[must_use]
pub fn derive(digest: Digest, secret_key_base: &[u8], salt: &[u8]) -> zeroize::Zeroizing<Vec<u8>> {
    pbkdf2(digest, secret_key_base, salt, 1000, 64)
}

/// Keys derived of several `secret_key_base`s.
pub fn derived(keys: &Keys, digest: Digest, salt: &str) -> Result<Keys, crate::KeyFault> {
    let derived = keys.each(|key| derive(digest, key, salt.as_bytes()));
    Keys::newest_first(derived.iter().map(|key| key.as_slice()))
}

/// `iso8601(3)`, in UTC.
fn instant(now: UnixTime, seconds: u64) -> Result<String, CannotSign> {
    let expiry = UnixTime::from_millis(now.millis().saturating_add(millis(seconds)));
    let mut out = Vec::new();
    TimeFormat::IsoMs.write(expiry, &mut out);
    // Outside four digits of a year nothing is written.
    String::from_utf8(out).ok().filter(|text| !text.is_empty()).ok_or(CannotSign::Time)
}

fn read_instant(text: &str) -> Result<UnixTime, Refused> {
    let read = |format: TimeFormat| format.parse(text.as_bytes());
    read(TimeFormat::IsoMs).or_else(|| read(TimeFormat::Iso)).ok_or(Refused::Malformed)
}

fn push_hex(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            out.extend(char::from_digit(u32::from(digit), 16));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_714_566_896);

    fn verifier(options: &Options) -> Verifier {
        Verifier::new(&Keys::one("Hey, I'm a secret!").unwrap(), options)
    }

    fn with_purpose(purpose: Option<&str>, envelope: Envelope) -> Verifier {
        verifier(&Options { purpose: purpose.map(str::to_owned), envelope, ..Options::default() })
    }

    #[test]
    fn attack_38_a_value_for_one_purpose_serves_no_other() {
        let purposes = [None, Some("login"), Some("logins"), Some("<login>")];
        for envelope in [Envelope::Message, Envelope::Data] {
            for made in purposes {
                let signed = with_purpose(made, envelope).dumps(&Json::from("value"), NOW).unwrap();
                for read in purposes {
                    for reader in [Envelope::Message, Envelope::Data] {
                        let opened = with_purpose(read, reader).loads(&signed, &Judging::at(NOW));
                        let expected =
                            if made == read { Ok(Json::from("value")) } else { Err(Refused::SignatureMismatch) };
                        assert_eq!(opened.map(Opened::into_value), expected, "{made:?} {read:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_expiry_is_over_when_it_is_reached() {
        for envelope in [Envelope::Message, Envelope::Data] {
            let verifier = verifier(&Options { expires_in: Some(60), envelope, ..Options::default() });
            let signed = verifier.sign("value", NOW).unwrap();
            let at = |millis| Judging::at(UnixTime::from_millis(NOW.millis() + millis));
            assert!(verifier.unsign(&signed, &at(59_999)).is_ok());
            assert_eq!(verifier.unsign(&signed, &at(60_000)), Err(Refused::Expired));
            // Whoever reads it need not know that it expires.
            let plain = with_purpose(None, envelope);
            assert_eq!(plain.unsign(&signed, &at(60_000)), Err(Refused::Expired));
        }
        let far = verifier(&Options { expires_in: Some(u64::MAX), ..Options::default() });
        assert_eq!(far.sign("value", NOW), Err(CannotSign::Time));
    }

    /// Signs a text as it is: what an application could have signed.
    fn signed(text: &str) -> String {
        with_purpose(None, Envelope::Message).sign(text, NOW).unwrap()
    }

    #[test]
    fn an_envelope_that_is_none_is_malformed() {
        let plain = with_purpose(None, Envelope::Message);
        for text in [
            r#"{"_rails":1}"#,
            r#"{"_rails":{}}"#,
            r#"{"_rails":{"message":1}}"#,
            r#"{"_rails":{"message":"!"}}"#,
            r#"{"_rails":{"message":"dg==","data":1}}"#,
            r#"{"_rails":{"message":"dg==","exp":1}}"#,
            r#"{"_rails":{"message":"dg==","exp":"tomorrow"}}"#,
            r#"{"_rails":{"message":"dg==","exp":"2035-01-01T00:00:00.000+01:00"}}"#,
            r#"{"_rails":{"message":"dg==","pur":1}}"#,
            r#"{"_rails":{"message":"dg==","message":"dg=="}}"#,
        ] {
            assert_eq!(plain.unsign(&signed(text), &Judging::at(NOW)), Err(Refused::Malformed), "{text}");
        }
        let opened = plain.unsign(&signed(r#"{"_rails":{"message":"dg==","exp":null,"pur":""}}"#), &Judging::at(NOW));
        assert_eq!(opened.unwrap().value(), "v");
    }

    #[test]
    fn nothing_follows_a_digest() {
        let plain = with_purpose(None, Envelope::Message);
        let good = signed("value");
        let (data, digest) = good.split_once("--").unwrap();
        for wrong in [
            format!("{good}--"),
            format!("{good}--more"),
            format!("{data}--{}", digest.to_uppercase()),
            format!("{data}---{digest}"),
            format!("--{digest}"),
            format!("{data}--"),
            data.to_owned(),
            String::new(),
        ] {
            assert!(plain.unsign(&wrong, &Judging::at(NOW)).is_err(), "{wrong}");
        }
        assert_eq!(plain.sign("", NOW), Err(CannotSign::Empty));
    }

    #[test]
    fn url_safe_is_another_alphabet() {
        let safe = verifier(&Options { url_safe: true, ..Options::default() });
        let signed = safe.sign("??>>~~", NOW).unwrap();
        assert!(!signed.contains(['+', '/', '=']), "{signed}");
        assert_eq!(safe.unsign(&signed, &Judging::at(NOW)).unwrap().value(), "??>>~~");
        assert_eq!(with_purpose(None, Envelope::Message).unsign(&signed, &Judging::at(NOW)), Err(Refused::Malformed));
    }
}
