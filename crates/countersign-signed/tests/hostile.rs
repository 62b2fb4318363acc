//! Any text at all, to every format: refused or opened, and never a panic; and what is signed is opened again.

use countersign_signed::link::{Links, Request, Terms};
use countersign_signed::{Codec, Digest, Json, Judging, Keys, UnixTime, django, express, itsdangerous, own, rails};
use proptest::prelude::*;

const NOW: UnixTime = UnixTime::from_secs(1_714_566_896);
const KEY: &str = "a key of sixteen bytes and more";

fn codecs() -> Vec<Codec> {
    let keys = Keys::one(KEY).unwrap();
    let mut all: Vec<Codec> = vec![express::CookieSigner::new(&keys).into()];
    all.push(Codec::own(own::Sealer::new(&keys, "purpose").unwrap(), Some(60)));
    for class in [django::Class::Signer, django::Class::TimestampSigner, django::Class::Dumps] {
        for compress in [false, true] {
            let options = django::Options { class, compress, ..django::Options::default() };
            all.push(django::Signer::new(&keys, &options).unwrap().into());
        }
    }
    for (timed, url_safe) in [(false, false), (false, true), (true, false), (true, true)] {
        let options =
            itsdangerous::Options { timed, url_safe, digest: Digest::Sha512, ..itsdangerous::Options::default() };
        all.push(itsdangerous::Signer::new(&keys, &options).unwrap().into());
    }
    for envelope in [rails::Envelope::Data, rails::Envelope::Message] {
        for (purpose, expires_in) in [(None, None), (Some("login".to_owned()), Some(60))] {
            let options = rails::Options { purpose, expires_in, envelope, ..rails::Options::default() };
            all.push(rails::Verifier::new(&keys, &options).into());
        }
    }
    all
}

proptest! {
    #[test]
    fn any_text_is_refused(text in "(?s).{0,80}", age in any::<u64>()) {
        let judging = Judging { now: NOW, max_age: Some(age) };
        for codec in codecs() {
            prop_assert!(codec.unsign(&text, &judging).is_err());
            prop_assert!(codec.loads(&text, &judging).is_err());
            prop_assert!(codec.redeem("once", &text, &judging).is_err());
        }
        let links = Links::new(&Keys::one(KEY).unwrap()).unwrap();
        for target in [text.clone(), format!("/a?{text}"), format!("/a?cs-link={text}")] {
            let request = Request { method: "GET", authority: "h", target: target.as_bytes(), address: None, key_id: None };
            prop_assert!(links.check(&request, NOW).is_err());
        }
        let _ = links.make(&text, &Terms::lasting(age), [0; 16], NOW);
        let _ = django::unquote(&text);
        let _ = django::b62_decode(&text);
    }

    /// A holder of the key may sign anything: what is then no object is refused, and nothing panics.
    #[test]
    fn any_text_that_was_signed_is_opened_and_is_an_object_or_none(text in "(?s).{0,80}", secs in any::<i32>()) {
        let judging = Judging::at(UnixTime::from_secs(i64::from(secs).abs()));
        for codec in codecs() {
            let Ok(signed) = codec.sign(&text, judging.now) else { continue };
            // A text of Rails' that is an envelope is taken for one.
            if !text.contains("_rails") {
                prop_assert_eq!(codec.unsign(&signed, &judging).map(countersign_signed::Opened::into_value), Ok(text.clone()));
            }
            let _ = codec.loads(&signed, &judging);
        }
    }

    #[test]
    fn every_signature_is_needed(text in "[a-z:.{}]{0,20}", cut in 0_usize..200) {
        for codec in codecs() {
            let Ok(signed) = codec.sign(&text, NOW) else { continue };
            if cut < signed.len() {
                prop_assert!(codec.unsign(&signed[..cut], &Judging::at(NOW)).is_err());
            }
        }
    }

    #[test]
    fn any_bytes_are_json_or_none(bytes: Vec<u8>) {
        if let Ok(value) = Json::parse(&bytes) {
            prop_assert_eq!(Json::parse(value.compact().as_bytes()), Ok(value.clone()));
            prop_assert_eq!(Json::parse(value.ascii().as_bytes()), Ok(value));
        }
    }
}
