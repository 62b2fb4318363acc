//! One of the formats, whichever it is; and several, of which the first writes.

use countersign_core::UnixTime;

use crate::redeem::{Life, Once, entry};
use crate::{CannotSign, Json, Judging, Opened, Refused, django, express, itsdangerous, own, rails};

/// A format with its keys: signs texts and objects, and opens them again.
#[derive(Debug, Clone)]
pub struct Codec {
    format: Format,
    /// What else is read. Written by the format above, it is to be signed anew.
    older: Vec<Codec>,
}

#[derive(Debug, Clone)]
enum Format {
    Django(django::Signer),
    Express(express::CookieSigner),
    Itsdangerous(itsdangerous::Signer),
    Own(own::Sealer, Option<u64>),
    Rails(rails::Verifier),
}

impl Codec {
    const fn of(format: Format) -> Self {
        Self { format, older: Vec::new() }
    }

    /// Our own format; what it signs holds for some seconds, if that is said.
    #[must_use]
    pub const fn own(sealer: own::Sealer, lifetime: Option<u64>) -> Self {
        Self::of(Format::Own(sealer, lifetime))
    }

    /// The same, and another format, digest or salt is read too. What is found to be of it needs to be signed anew:
    /// the way off SHA-1 goes over this.
    #[must_use]
    pub fn or_older(mut self, older: Self) -> Self {
        self.older.push(older);
        self
    }

    /// Signs a text.
    pub fn sign(&self, value: &str, now: UnixTime) -> Result<String, CannotSign> {
        match &self.format {
            Format::Django(signer) => signer.sign(value, now),
            Format::Express(signer) => signer.sign(value),
            Format::Itsdangerous(signer) => signer.sign(value, now),
            Format::Own(sealer, lifetime) => sealer.sign(value, &sealing(now, *lifetime)),
            Format::Rails(verifier) => verifier.sign(value, now),
        }
    }

    /// Opens a text.
    pub fn unsign(&self, signed: &str, judging: &Judging) -> Result<Opened<String>, Refused> {
        self.or_else(self.unsign_here(signed, judging), |older| older.unsign(signed, judging).map(Opened::aged))
    }

    fn unsign_here(&self, signed: &str, judging: &Judging) -> Result<Opened<String>, Refused> {
        match &self.format {
            Format::Django(signer) => signer.unsign(signed, judging).map(|opened| opened.map(str::to_owned)),
            Format::Express(signer) => signer.unsign(signed).map(|opened| opened.map(str::to_owned)),
            Format::Itsdangerous(signer) => signer.unsign(signed, judging).map(|opened| opened.map(str::to_owned)),
            Format::Own(sealer, _) => sealer.unsign(signed, judging),
            Format::Rails(verifier) => verifier.unsign(signed, judging),
        }
    }

    /// Signs an object.
    pub fn dumps(&self, value: &Json, now: UnixTime) -> Result<String, CannotSign> {
        match &self.format {
            Format::Django(signer) => signer.dumps(value, now),
            Format::Express(signer) => signer.dumps(value),
            Format::Itsdangerous(signer) => signer.dumps(value, now),
            Format::Own(sealer, lifetime) => sealer.dumps(value, &sealing(now, *lifetime)),
            Format::Rails(verifier) => verifier.dumps(value, now),
        }
    }

    /// Opens an object.
    pub fn loads(&self, signed: &str, judging: &Judging) -> Result<Opened<Json>, Refused> {
        self.or_else(self.loads_here(signed, judging), |older| older.loads(signed, judging).map(Opened::aged))
    }

    fn loads_here(&self, signed: &str, judging: &Judging) -> Result<Opened<Json>, Refused> {
        match &self.format {
            Format::Django(signer) => signer.loads(signed, judging),
            Format::Express(signer) => signer.loads(signed),
            Format::Itsdangerous(signer) => signer.loads(signed, judging),
            Format::Own(sealer, _) => sealer.loads(signed, judging),
            Format::Rails(verifier) => verifier.loads(signed, judging),
        }
    }

    /// Opens a text that is to be redeemed once, whatever its format: a store has to be asked, under a name that all
    /// who redeem such values share.
    ///
    /// The value is remembered for as long as it could be accepted, so its format must tell the time and the age must
    /// have a limit; otherwise it is refused as malformed.
    pub fn redeem(&self, namespace: &str, signed: &str, judging: &Judging) -> Result<Once<String>, Refused> {
        self.once(namespace, signed, judging, Self::unsign_here, own::Sealer::redeem)
    }

    /// Opens an object that is to be redeemed once.
    pub fn redeem_object(&self, namespace: &str, signed: &str, judging: &Judging) -> Result<Once<Json>, Refused> {
        self.once(namespace, signed, judging, Self::loads_here, own::Sealer::redeem_object)
    }

    /// Each format tells its own signature from what is signed, so each opens for itself.
    fn once<T>(
        &self,
        namespace: &str,
        signed: &str,
        judging: &Judging,
        open: fn(&Self, &str, &Judging) -> Result<Opened<T>, Refused>,
        redeem: fn(&own::Sealer, &str, &Judging) -> Result<Once<T>, Refused>,
    ) -> Result<Once<T>, Refused> {
        // Our own format says of a value that it may be redeemed once, and has a number for it.
        if let Format::Own(sealer, _) = &self.format {
            match redeem(sealer, signed, judging) {
                Err(Refused::Malformed) => {}
                decided => {
                    return self.or_else(decided, |older| {
                        older.once(namespace, signed, judging, open, redeem).map(Once::aged)
                    });
                }
            }
        }
        let here = open(self, signed, judging).and_then(|opened| {
            let (Some(signed_at), Some(most)) = (opened.signed_at(), judging.max_age) else {
                return Err(Refused::Malformed);
            };
            let until = UnixTime::from_millis(signed_at.millis().saturating_add(crate::opened::millis(most)));
            let life = Life { signed_at, until, now: judging.now };
            let pieces = [b"countersign-value-v1", namespace.as_bytes(), self.signed_part(signed).as_bytes()];
            Ok(Once::new(opened, entry(&pieces, &life)?))
        });
        self.or_else(here, |older| older.once(namespace, signed, judging, open, redeem).map(Once::aged))
    }

    fn signed_part<'v>(&self, signed: &'v str) -> &'v str {
        match &self.format {
            Format::Django(signer) => signer.signed_part(signed),
            Format::Express(_) => express::CookieSigner::signed_part(signed),
            Format::Itsdangerous(signer) => signer.signed_part(signed),
            Format::Own(..) => signed,
            Format::Rails(_) => rails::Verifier::signed_part(signed),
        }
    }

    /// What is read otherwise, where a value is none of the first format's. One that is over is over.
    fn or_else<T>(&self, here: Result<T, Refused>, read: impl Fn(&Self) -> Result<T, Refused>) -> Result<T, Refused> {
        let Err(Refused::SignatureMismatch | Refused::Malformed) = here else { return here };
        let mut first = here;
        for older in &self.older {
            match read(older) {
                Err(Refused::SignatureMismatch | Refused::Malformed) => {}
                Err(refused) => first = Err(refused),
                opened @ Ok(_) => return opened,
            }
        }
        first
    }
}

/// Reads a value of one format and writes it in another: `signed` is opened by `from`, and signed by `to`.
///
/// A value that `from` refuses is not written.
pub fn renew(
    from: &Codec,
    to: &Codec,
    signed: &str,
    judging: &Judging,
) -> Result<Result<String, CannotSign>, Refused> {
    let opened = from.unsign(signed, judging)?;
    Ok(to.sign(opened.value(), judging.now))
}

const fn sealing(now: UnixTime, lifetime: Option<u64>) -> own::Sealing {
    own::Sealing { now, lifetime, once: None }
}

impl From<django::Signer> for Codec {
    fn from(signer: django::Signer) -> Self {
        Self::of(Format::Django(signer))
    }
}

impl From<express::CookieSigner> for Codec {
    fn from(signer: express::CookieSigner) -> Self {
        Self::of(Format::Express(signer))
    }
}

impl From<itsdangerous::Signer> for Codec {
    fn from(signer: itsdangerous::Signer) -> Self {
        Self::of(Format::Itsdangerous(signer))
    }
}

impl From<rails::Verifier> for Codec {
    fn from(verifier: rails::Verifier) -> Self {
        Self::of(Format::Rails(verifier))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, Keys};
    use countersign_core::FirstUse;

    const NOW: UnixTime = UnixTime::from_secs(1_714_566_896);

    fn django(digest: Digest, timed: bool) -> Codec {
        let class = if timed { django::Class::TimestampSigner } else { django::Class::Signer };
        let options = django::Options { digest, class, salt: Some("salt".to_owned()), ..django::Options::default() };
        django::Signer::new(&Keys::one("key").unwrap(), &options).unwrap().into()
    }

    fn itsdangerous(timed: bool) -> Codec {
        let options = itsdangerous::Options { timed, ..itsdangerous::Options::default() };
        itsdangerous::Signer::new(&Keys::one("key").unwrap(), &options).unwrap().into()
    }

    #[test]
    fn the_way_off_sha_1() {
        let old = django(Digest::Sha1, false).sign("value", NOW).unwrap();
        let both = django(Digest::Sha256, false).or_older(django(Digest::Sha1, false));
        let judging = Judging::at(NOW);
        assert!(both.unsign(&old, &judging).unwrap().needs_resign());
        let new = renew(&both, &django(Digest::Sha256, false), &old, &judging).unwrap().unwrap();
        assert!(!both.unsign(&new, &judging).unwrap().needs_resign());
        assert_eq!(django(Digest::Sha256, false).unsign(&old, &judging), Err(Refused::SignatureMismatch));
        assert!(renew(&both, &both, &new.replace("value", "other"), &judging).is_err());
    }

    #[test]
    fn from_one_framework_to_another() {
        let old = itsdangerous(false).sign("value", NOW).unwrap();
        let new =
            renew(&itsdangerous(false), &django(Digest::Sha256, true), &old, &Judging::at(NOW)).unwrap().unwrap();
        assert_eq!(django(Digest::Sha256, true).unsign(&new, &Judging::at(NOW)).unwrap().value(), "value");
    }

    #[test]
    fn what_is_over_is_not_tried_otherwise() {
        let late = Judging::at(UnixTime::from_secs(NOW.secs() + 100)).max_age(10);
        let signed = django(Digest::Sha256, true).sign("value", NOW).unwrap();
        // Read without its time, the same value would never be over.
        let both = django(Digest::Sha256, true).or_older(django(Digest::Sha256, false));
        assert_eq!(both.unsign(&signed, &late), Err(Refused::Expired));
        // That an older one is over is told too.
        let both = itsdangerous(false).or_older(django(Digest::Sha256, true));
        assert_eq!(both.unsign(&signed, &late), Err(Refused::Expired));
    }

    #[test]
    fn attack_24_a_signature_that_is_spelt_otherwise_is_the_same_value() {
        let codec = itsdangerous(true);
        let signed = codec.sign("value", NOW).unwrap();
        let judging = Judging::at(NOW).max_age(60);
        let one = codec.redeem("reset", &signed, &judging).unwrap();
        let (head, last) = signed.split_at(signed.len() - 1);
        let others = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let spellings = others.chars().filter(|letter| !last.starts_with(*letter));
        let accepted =
            spellings.filter_map(|letter| codec.redeem("reset", &format!("{head}{letter}"), &judging).ok());
        let accepted: Vec<_> = accepted.collect();
        assert_eq!(accepted.len(), 3, "two bits are unused");
        assert!(accepted.iter().all(|other| other.entry() == one.entry()));
        assert_ne!(codec.redeem("other", &signed, &judging).unwrap().entry(), one.entry());
        assert_eq!(one.entry().live_until, UnixTime::from_secs(NOW.secs() + 60));
        assert_eq!(one.answered(FirstUse::Seen), Err(Refused::Replayed));
    }

    #[test]
    fn attack_24_an_older_format_tells_its_own_signature_from_what_is_signed() {
        let both = django(Digest::Sha256, true).or_older(itsdangerous(true));
        let signed = itsdangerous(true).sign("value", NOW).unwrap();
        let judging = Judging::at(NOW).max_age(60);
        let one = both.redeem("reset", &signed, &judging).unwrap();
        let other = both.redeem("reset", &format!("{signed}="), &judging).unwrap();
        assert_eq!(one.entry(), other.entry());
        assert!(one.answered(FirstUse::First).unwrap().needs_resign());
    }

    #[test]
    fn a_value_of_ours_that_says_once_is_redeemed_by_its_number_and_one_that_does_not_by_what_it_is() {
        let sealer = own::Sealer::new(&Keys::one("a key of sixteen bytes").unwrap(), "reset").unwrap();
        let codec = Codec::own(sealer.clone(), None);
        let judging = Judging::at(NOW).max_age(60);
        let sealing = |once| own::Sealing { now: NOW, lifetime: Some(600), once };
        let once = sealer.sign("7", &sealing(Some([1; 16]))).unwrap();
        let redeemed = codec.redeem("", &once, &Judging::at(NOW)).unwrap();
        assert_eq!(redeemed.entry(), sealer.redeem(&once, &Judging::at(NOW)).unwrap().entry());
        let often = sealer.sign("7", &sealing(None)).unwrap();
        assert_eq!(codec.redeem("", &often, &judging).unwrap().answered(FirstUse::First).unwrap().value(), "7");
        assert!(codec.redeem("", &often, &Judging::at(NOW)).is_err(), "without an age it has no end here");
        assert_eq!(codec.redeem("", &once.replace("cs1.", "cs2."), &judging).unwrap_err(), Refused::Malformed);
    }

    #[test]
    fn what_would_have_to_be_remembered_for_ever_is_not_redeemed() {
        let signed = itsdangerous(true).sign("value", NOW).unwrap();
        assert!(itsdangerous(true).redeem("reset", &signed, &Judging::at(NOW)).is_err());
        let signed = itsdangerous(false).sign("value", NOW).unwrap();
        assert!(itsdangerous(false).redeem("reset", &signed, &Judging::at(NOW).max_age(60)).is_err());
    }
}
