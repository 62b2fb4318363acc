//! Our own format, for who may choose: `cs1.` and two texts of base64.
//!
//! ```text
//! cs1.BASE64URL(frame).BASE64URL(tag)
//! frame   kind (1 byte) | signed at (8) | holds until (8) | number (16) | value
//! key     HKDF-SHA-256 of the secret, with the purpose as `info`
//! tag     HMAC-SHA-256 of `cs1.` and the frame
//! ```
//!
//! * A purpose is mandatory, and makes the key: a value for one purpose is noise for another.
//! * Everything before the value has a fixed length, so that no two values have one frame.
//! * Base64 is read strictly: one value has one spelling.
//! * A value says itself how long it holds.
//! * A value that is to be redeemed once says so, and is not to be had without a store's answer ([`Sealer::redeem`]).

use countersign_core::UnixTime;
use countersign_core::alg::{Hash, hkdf};
use zeroize::Zeroizing;

use crate::digest::{Digest, Keyed};
use crate::opened::millis;
use crate::payload::{self, Charset};
use crate::redeem::{Life, Once, entry};
use crate::{CannotSign, Json, Judging, Keys, Opened, Refused, SettingFault, base64};

/// Seals values for one purpose, and opens them.
#[derive(Debug, Clone)]
pub struct Sealer {
    keys: Vec<Keyed>,
    purpose: String,
}

/// What a sealed value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealing {
    /// The time.
    pub now: UnixTime,
    /// For how many seconds it holds; `None`: until its purpose's keys are gone.
    pub lifetime: Option<u64>,
    /// To be redeemed once: 16 random bytes tell it from all others.
    pub once: Option<[u8; 16]>,
}

impl Sealer {
    /// Derives the keys. Secrets have at least [`Keys::SHORTEST`] bytes.
    pub fn new(keys: &Keys, purpose: &str) -> Result<Self, SettingFault> {
        keys.long_enough()?;
        if purpose.is_empty() {
            return Err(SettingFault::Purpose);
        }
        let keys = keys.each(|key| {
            let mut derived = Zeroizing::new(Vec::new());
            hkdf(Hash::Sha256, key, SALT, purpose.as_bytes(), 32, &mut derived);
            Digest::Sha256.keyed(&derived)
        });
        Ok(Self { keys, purpose: purpose.to_owned() })
    }

    /// Seals a text.
    pub fn sign(&self, value: &str, sealing: &Sealing) -> Result<String, CannotSign> {
        self.seal(TEXT, value.as_bytes(), sealing)
    }

    /// Opens a text that may be read any number of times.
    pub fn unsign(&self, signed: &str, judging: &Judging) -> Result<Opened<String>, Refused> {
        self.open(signed, judging)?.many()?.text()
    }

    /// Seals an object.
    pub fn dumps(&self, value: &Json, sealing: &Sealing) -> Result<String, CannotSign> {
        self.seal(JSON, value.compact().as_bytes(), sealing)
    }

    /// Opens an object that may be read any number of times.
    pub fn loads(&self, signed: &str, judging: &Judging) -> Result<Opened<Json>, Refused> {
        self.open(signed, judging)?.many()?.json()
    }

    /// Opens a text that may be redeemed once; there is nothing to be had of it before a store has answered.
    pub fn redeem(&self, signed: &str, judging: &Judging) -> Result<Once<String>, Refused> {
        let frame = self.open(signed, judging)?;
        let entry = frame.entry(&self.purpose, judging)?;
        Ok(Once::new(frame.text()?, entry))
    }

    /// Opens an object that may be redeemed once.
    pub fn redeem_object(&self, signed: &str, judging: &Judging) -> Result<Once<Json>, Refused> {
        let frame = self.open(signed, judging)?;
        let entry = frame.entry(&self.purpose, judging)?;
        Ok(Once::new(frame.json()?, entry))
    }

    fn seal(&self, kind: u8, value: &[u8], sealing: &Sealing) -> Result<String, CannotSign> {
        let mut frame = Vec::with_capacity(HEAD.saturating_add(value.len()));
        let until = sealing.lifetime.map_or(i64::MAX, |seconds| sealing.now.millis().saturating_add(millis(seconds)));
        if sealing.once.is_some() && until == i64::MAX {
            // It would have to be remembered for ever.
            return Err(CannotSign::Time);
        }
        frame.push(kind | if sealing.once.is_some() { ONCE } else { 0 });
        frame.extend_from_slice(&sealing.now.millis().to_be_bytes());
        frame.extend_from_slice(&until.to_be_bytes());
        frame.extend_from_slice(&sealing.once.unwrap_or_default());
        frame.extend_from_slice(value);
        let key = self.keys.first().ok_or(CannotSign::Unsupported)?;
        let tag = key.tag(&[PREFIX.as_bytes(), &frame]);
        let mut out = PREFIX.to_owned();
        base64::append(base64::URL, &frame, &mut out);
        out.push('.');
        base64::append(base64::URL, tag.as_bytes(), &mut out);
        Ok(out)
    }

    fn open(&self, signed: &str, judging: &Judging) -> Result<Frame, Refused> {
        let (frame, tag) =
            signed.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.')).ok_or(Refused::Malformed)?;
        let bytes = base64::strict(base64::URL, frame.as_bytes()).ok_or(Refused::Malformed)?;
        let is = |key: &Keyed| base64::is_tag(base64::URL, tag.as_bytes(), &key.tag(&[PREFIX.as_bytes(), &bytes]));
        let which = self.keys.iter().position(is).ok_or(Refused::SignatureMismatch)?;
        let frame = Frame::read(&bytes, which).ok_or(Refused::Malformed)?;
        if judging.now > frame.until || judging.is_over(frame.signed_at) {
            return Err(Refused::Expired);
        }
        Ok(frame)
    }
}

/// What was sealed. Its signature held.
struct Frame {
    kind: u8,
    once: Option<[u8; 16]>,
    signed_at: UnixTime,
    until: UnixTime,
    value: Vec<u8>,
    key: usize,
}

impl Frame {
    fn read(bytes: &[u8], key: usize) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (signed_at, rest) = rest.split_first_chunk()?;
        let (until, rest) = rest.split_first_chunk()?;
        let (number, value) = rest.split_first_chunk()?;
        let instant = |bytes: &[u8; 8]| UnixTime::from_millis(i64::from_be_bytes(*bytes));
        Some(Self {
            kind: kind & !ONCE,
            once: (kind & ONCE != 0).then_some(*number),
            signed_at: instant(signed_at),
            until: instant(until),
            value: value.to_vec(),
            key,
        })
    }

    /// Refuses what may be redeemed once only: who reads it here asks no store.
    fn many(self) -> Result<Self, Refused> {
        if self.once.is_some() { Err(Refused::Malformed) } else { Ok(self) }
    }

    fn entry(&self, purpose: &str, judging: &Judging) -> Result<countersign_core::ReplayEntry, Refused> {
        let number = self.once.ok_or(Refused::Malformed)?;
        let signed_at = self.signed_at.millis().to_be_bytes();
        let life = Life { signed_at: self.signed_at, until: self.until, now: judging.now };
        entry(&[b"countersign-own-v1", purpose.as_bytes(), &signed_at, &number], &life)
    }

    fn text(self) -> Result<Opened<String>, Refused> {
        let text = if self.kind == TEXT { String::from_utf8(self.value).ok() } else { None };
        Ok(Opened::new(text.ok_or(Refused::Malformed)?, Some(self.signed_at), self.key))
    }

    fn json(self) -> Result<Opened<Json>, Refused> {
        if self.kind != JSON {
            return Err(Refused::Malformed);
        }
        let value = payload::json(&self.value, Charset::Utf8)?;
        Ok(Opened::new(value, Some(self.signed_at), self.key))
    }
}

const PREFIX: &str = "cs1.";
const SALT: &[u8] = b"countersign signed values, version 1";
/// Bytes before the value.
const HEAD: usize = 33;
const TEXT: u8 = 0;
const JSON: u8 = 1;
const ONCE: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::FirstUse;

    const NOW: UnixTime = UnixTime::from_secs(1_714_566_896);
    const KEY: &str = "correct horse battery staple";

    fn sealer(purpose: &str) -> Sealer {
        Sealer::new(&Keys::one(KEY).unwrap(), purpose).unwrap()
    }

    fn sealing(lifetime: Option<u64>) -> Sealing {
        Sealing { now: NOW, lifetime, once: None }
    }

    #[test]
    fn attack_06_a_key_that_could_be_guessed_seals_nothing() {
        assert!(Sealer::new(&Keys::one("fifteen bytes..").unwrap(), "p").is_err());
        assert_eq!(Sealer::new(&Keys::one(KEY).unwrap(), "").unwrap_err(), SettingFault::Purpose);
    }

    #[test]
    fn attack_38_each_purpose_has_its_key() {
        let purposes = ["reset", "rese", "resett", "login", "reset\0"];
        for made in purposes {
            let signed = sealer(made).sign("7", &sealing(None)).unwrap();
            for read in purposes {
                let expected = if made == read { Ok(()) } else { Err(Refused::SignatureMismatch) };
                assert_eq!(sealer(read).unsign(&signed, &Judging::at(NOW)).map(|_| ()), expected);
            }
        }
    }

    #[test]
    fn attack_02_a_value_has_one_spelling() {
        let sealer = sealer("reset");
        for value in ["", "a", "ab", "abc", "a value with a name"] {
            let signed = sealer.sign(value, &sealing(None)).unwrap();
            assert_eq!(sealer.unsign(&signed, &Judging::at(NOW)).unwrap().value(), value);
            let alphabet: Vec<u8> = (b' '..=b'~').collect();
            for at in 0..signed.len() {
                for byte in &alphabet {
                    let mut changed = signed.clone().into_bytes();
                    changed[at] = *byte;
                    let changed = String::from_utf8(changed).unwrap();
                    let opened = sealer.unsign(&changed, &Judging::at(NOW));
                    assert_eq!(opened.is_ok(), changed == signed, "{changed}");
                }
                let mut shorter = signed.clone();
                shorter.remove(at);
                assert!(sealer.unsign(&shorter, &Judging::at(NOW)).is_err(), "{shorter}");
            }
            for more in ["=", "A", ".", " ", "\n"] {
                assert!(sealer.unsign(&format!("{signed}{more}"), &Judging::at(NOW)).is_err());
            }
        }
    }

    #[test]
    fn a_text_is_no_object_and_an_object_no_text() {
        let sealer = sealer("reset");
        let judging = Judging::at(NOW);
        let text = sealer.sign("{}", &sealing(None)).unwrap();
        let object = sealer.dumps(&Json::Object(Vec::new()), &sealing(None)).unwrap();
        assert_eq!(sealer.loads(&text, &judging), Err(Refused::Malformed));
        assert_eq!(sealer.unsign(&object, &judging), Err(Refused::Malformed));
        assert!(sealer.unsign(&text, &judging).is_ok() && sealer.loads(&object, &judging).is_ok());
    }

    #[test]
    fn a_value_says_how_long_it_holds() {
        let sealer = sealer("reset");
        let signed = sealer.sign("7", &sealing(Some(60))).unwrap();
        let at = |millis| Judging::at(UnixTime::from_millis(NOW.millis() + millis));
        assert!(sealer.unsign(&signed, &at(60_000)).is_ok());
        assert_eq!(sealer.unsign(&signed, &at(60_001)), Err(Refused::Expired));
        assert_eq!(sealer.unsign(&signed, &at(10_001).max_age(10)), Err(Refused::Expired));
    }

    #[test]
    fn what_is_redeemed_once_is_not_to_be_had_without_a_stores_answer() {
        let sealer = sealer("reset");
        let once = Sealing { once: Some([7; 16]), ..sealing(Some(60)) };
        let signed = sealer.sign("7", &once).unwrap();
        let judging = Judging::at(NOW);
        assert_eq!(sealer.unsign(&signed, &judging), Err(Refused::Malformed));
        let waiting = sealer.redeem(&signed, &judging).unwrap();
        assert_eq!(waiting.entry().live_until, UnixTime::from_millis(NOW.millis() + 60_000));
        assert_eq!(waiting.answered(FirstUse::Seen), Err(Refused::Replayed));
        let opened = sealer.redeem(&signed, &judging).unwrap().answered(FirstUse::First).unwrap();
        assert_eq!(opened.value(), "7");
        // And what may be read often is not redeemed.
        let often = sealer.sign("7", &sealing(Some(60))).unwrap();
        assert!(sealer.redeem(&often, &judging).is_err());
        assert_eq!(sealer.sign("7", &Sealing { lifetime: None, ..once }), Err(CannotSign::Time));
    }

    #[test]
    fn every_once_has_an_entry_of_its_own() {
        let entry = |purpose: &str, number: u8, now: UnixTime| {
            let sealing = Sealing { now, lifetime: Some(60), once: Some([number; 16]) };
            let signed = sealer(purpose).sign("7", &sealing).unwrap();
            sealer(purpose).redeem(&signed, &Judging::at(now)).unwrap().entry().digest
        };
        let later = UnixTime::from_millis(NOW.millis() + 1);
        let all = [entry("a", 1, NOW), entry("a", 2, NOW), entry("b", 1, NOW), entry("a", 1, later)];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one));
        }
        assert_eq!(entry("a", 1, NOW), all[0]);
    }
}
