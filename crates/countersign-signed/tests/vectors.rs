//! Values that the frameworks themselves signed: `COUNTERSIGN_VECTORS`, or `../shared/vectors`.
//!
//! Each case that tells a signed value is made to the byte and opened again, and refused once any one of its characters
//! is another, is gone or is there twice. What zlib compressed depends on its build, so there the object is compared.

use std::path::PathBuf;

use countersign_signed::rails::Envelope;
use countersign_signed::{
    CannotSign, Codec, Digest, Json, Judging, Keys, Opened, Refused, UnixTime, django, express, itsdangerous, rails,
};

/// A case, and its fields.
struct Case(Json);

impl Case {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Json::as_str)
    }

    fn expected(&self) -> &str {
        self.text("expected").expect("a text")
    }

    fn number(&self, name: &str) -> Option<i64> {
        match self.0.get(name) {
            Some(Json::Number(number)) => number.as_i64(),
            _ => None,
        }
    }

    fn object(&self, name: &str) -> &Json {
        self.0.get(name).expect("an object")
    }

    fn texts(&self, name: &str) -> Vec<String> {
        match self.0.get(name) {
            Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    fn flag(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Json::Bool(true))
    }

    fn digest(&self, name: &str, default: Digest) -> Digest {
        let named = self.text(name).map(|name| Digest::from_name(&name.to_lowercase()).expect("a digest"));
        named.unwrap_or(default)
    }

    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.number("time").or(self.number("now")).unwrap_or(0))
    }

    /// The key or keys, the newest first.
    fn keys(&self) -> Keys {
        match self.text("key_hex") {
            Some("e7") => Keys::one([0xe7]).unwrap(),
            Some(other) => panic!("{other}"),
            None => {
                let first = self.text("key").or(self.text("secret")).map(str::to_owned);
                Keys::newest_first(first.into_iter().chain(self.texts("fallback_keys"))).unwrap()
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the library does no I/O; its test vectors lie in files")]
fn cases(file: &str, count: usize) -> Vec<Case> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let root = std::env::var_os("COUNTERSIGN_VECTORS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let path = root.join("signed-values").join(file);
    if !path.is_file() {
        eprintln!("skipped: no vectors; COUNTERSIGN_VECTORS names their folder");
        return Vec::new();
    }
    let whole = Json::parse(&std::fs::read(path).unwrap()).unwrap();
    let Some(Json::Array(cases)) = whole.get("cases") else { panic!("no cases") };
    assert_eq!(cases.len(), count, "{file}");
    cases.iter().cloned().map(Case).collect()
}

/// What is opened of a value.
type Open<'a> = &'a dyn Fn(&str) -> Result<Opened<String>, Refused>;

/// Refuses the value with any one of its characters another, gone or doubled. `malleable`: a signature may have other
/// spellings, as long as the value is the same.
fn one_change_is_refused(signed: &str, malleable: bool, open: Open<'_>) {
    let value = open(signed).expect("it holds").into_value();
    let mut accepted = 0_usize;
    let mut refuse = |changed: String| match open(&changed) {
        Err(_) => {}
        Ok(opened) => {
            assert!(changed == signed || (malleable && *opened.value() == value), "{changed} is accepted");
            accepted += usize::from(changed != signed);
        }
    };
    // Of a very long value every part is changed somewhere, and the signature everywhere.
    let step = |at: usize| if signed.len() - at < 200 { 1 } else { 1 + signed.len() / 300 };
    let mut at = 0;
    while at < signed.len() {
        if signed.is_char_boundary(at) {
            let next = signed[at..].chars().next().unwrap();
            let (head, tail) = (&signed[..at], &signed[at + next.len_utf8()..]);
            refuse(format!("{head}{tail}"));
            refuse(format!("{head}{next}{next}{tail}"));
            for other in ['A', 'a', '0', '-', '.', ':', '=', ' ', '\u{e9}', flipped(next)] {
                refuse(format!("{head}{other}{tail}"));
            }
        }
        at += step(at);
    }
    refuse(format!("{signed} "));
    assert!(accepted == 0 || malleable);
}

fn flipped(character: char) -> char {
    char::from_u32(u32::from(character) ^ 1).filter(|other| !other.is_control()).unwrap_or('?')
}

/// Both ways, for a text.
fn text_both_ways(codec: &Codec, value: &str, signed: &str, judging: &Judging, malleable: bool) {
    assert_eq!(codec.sign(value, judging.now).as_deref(), Ok(signed));
    let open = |signed: &str| codec.unsign(signed, judging);
    assert_eq!(open(signed).unwrap().value(), value);
    one_change_is_refused(signed, malleable, &open);
}

/// Both ways, for an object.
fn object_both_ways(codec: &Codec, value: &Json, signed: &str, judging: &Judging, malleable: bool) {
    let ours = codec.dumps(value, judging.now).unwrap();
    if signed.starts_with('.') {
        // zlib's output depends on its build.
        assert!(ours.starts_with('.'), "{ours}");
        assert_eq!(codec.loads(&ours, judging).unwrap().value(), value);
    } else {
        assert_eq!(ours, signed);
    }
    let open = |signed: &str| codec.loads(signed, judging);
    assert_eq!(open(signed).unwrap().value(), value);
    one_change_is_refused(signed, malleable, &|signed| {
        codec.loads(signed, judging).and_then(|opened| {
            // Compared as text.
            let text = Json::from(opened.value().compact().as_str());
            let again = codec.dumps(&text, judging.now).map_err(|_| Refused::Malformed)?;
            codec.loads(&again, judging).map(|_| ())?;
            codec.unsign(signed, judging)
        })
    });
}

fn django_signer(case: &Case, class: django::Class) -> Codec {
    let options = django::Options {
        class,
        salt: case.text("salt").map(str::to_owned),
        separator: case.text("sep").unwrap_or(":").to_owned(),
        digest: case.digest("algorithm", Digest::Sha256),
        compress: case.flag("compress"),
    };
    django::Signer::new(&case.keys(), &options).unwrap().into()
}

#[test]
fn django_signs_the_same() {
    use django::Class;
    for case in cases("django.json", 151) {
        let now = case.now();
        let judging = Judging::at(now);
        match case.text("kind").unwrap() {
            "Signer.signature" => {
                let signed = django_signer(&case, Class::Signer).sign(case.text("value").unwrap(), now).unwrap();
                assert_eq!(signed.rsplit_once(':').unwrap().1, case.expected());
            }
            "Signer.sign" => {
                let codec = django_signer(&case, Class::Signer);
                text_both_ways(&codec, case.text("value").unwrap(), case.expected(), &judging, false);
            }
            "TimestampSigner.sign" => {
                let codec = django_signer(&case, Class::TimestampSigner);
                text_both_ways(&codec, case.text("value").unwrap(), case.expected(), &judging.max_age(0), false);
            }
            "signing.dumps" => {
                let codec = django_signer(&case, Class::Dumps);
                object_both_ways(&codec, case.object("obj"), case.expected(), &judging.max_age(0), false);
            }
            "TimestampSigner.unsign" => {
                let codec = django_signer(&case, Class::TimestampSigner);
                let judging = judging.max_age(u64::try_from(case.number("max_age").unwrap()).unwrap());
                let opened = codec.unsign(case.text("token").unwrap(), &judging);
                match case.expected() {
                    "ok" => assert_eq!(opened.unwrap().value(), "hello"),
                    "SignatureExpired" => assert_eq!(opened, Err(Refused::Expired)),
                    other => panic!("{other}"),
                }
            }
            "b62_encode" => {
                let number = case.number("value").unwrap();
                assert_eq!(django::b62_encode(number), case.expected());
                assert_eq!(django::b62_decode(case.expected()), Some(number));
            }
            "Signer.unsign" => {
                let opened = django_signer(&case, Class::Signer).unsign(case.text("token").unwrap(), &judging);
                match case.expected() {
                    "BadSignature" => assert!(matches!(opened, Err(Refused::SignatureMismatch | Refused::Malformed))),
                    value => {
                        let opened = opened.unwrap();
                        assert_eq!((opened.value().as_str(), opened.needs_resign()), (value, true));
                    }
                }
            }
            "set_signed_cookie" => {
                let options =
                    django::Options { salt: case.text("salt").map(str::to_owned), ..django::Options::default() };
                let (keys, name) = (case.keys(), case.text("name").unwrap());
                let made = |salt| django::cookie(&keys, name, salt, true, &options).unwrap();
                let prefixed = made(django::CookieSalt::Prefixed);
                text_both_ways(&prefixed, case.text("value").unwrap(), case.expected(), &judging, false);
                let joined = made(django::CookieSalt::Joined).sign(case.text("value").unwrap(), now).unwrap();
                assert!(prefixed.unsign(&joined, &judging).unwrap().needs_resign());
            }
            other => panic!("{other}"),
        }
    }
}

fn its_signer(case: &Case, salt: &str, timed: bool, url_safe: bool) -> Codec {
    let derivation = case.text("key_derivation").map(|name| itsdangerous::Derivation::from_name(name).unwrap());
    let options = itsdangerous::Options {
        salt: case.text("salt").unwrap_or(salt).to_owned(),
        digest: case.digest("digest", Digest::Sha1),
        derivation: derivation.unwrap_or_default(),
        timed,
        url_safe,
        ..itsdangerous::Options::default()
    };
    let keys = match case.texts("keys").as_slice() {
        [] => case.keys(),
        keys => Keys::oldest_first(keys).unwrap(),
    };
    itsdangerous::Signer::new(&keys, &options).unwrap().into()
}

#[test]
fn itsdangerous_signs_the_same() {
    const SIGNER: &str = itsdangerous::SIGNER_SALT;
    const SERIALIZER: &str = itsdangerous::SERIALIZER_SALT;
    for case in cases("itsdangerous.json", 91) {
        let judging = Judging::at(case.now());
        match case.text("kind").unwrap() {
            "Serializer.dumps" => {
                let codec = its_signer(&case, SERIALIZER, false, false);
                object_both_ways(&codec, case.object("obj"), case.expected(), &judging, true);
            }
            "URLSafeSerializer.dumps" => {
                let codec = its_signer(&case, SERIALIZER, false, true);
                object_both_ways(&codec, case.object("obj"), case.expected(), &judging, true);
            }
            "URLSafeTimedSerializer.dumps" => {
                let codec = its_signer(&case, SERIALIZER, true, true);
                object_both_ways(&codec, case.object("obj"), case.expected(), &judging.max_age(0), true);
            }
            "Signer.sign" => {
                let codec = its_signer(&case, SIGNER, false, true);
                text_both_ways(&codec, case.text("value").unwrap(), case.expected(), &judging, true);
            }
            "TimestampSigner.sign" => {
                let codec = its_signer(&case, SIGNER, true, true);
                text_both_ways(&codec, case.text("value").unwrap(), case.expected(), &judging.max_age(0), true);
            }
            "TimestampSigner.unsign" => {
                let opened = its_signer(&case, SIGNER, true, true).unsign(case.text("token").unwrap(), &judging);
                assert!(case.expected().starts_with("BadTimeSignature") && opened.is_err());
            }
            "Signer.unsign" => {
                let opened = its_signer(&case, SIGNER, false, true).unsign(case.text("token").unwrap(), &judging);
                assert_eq!(opened.unwrap().value(), case.expected());
            }
            "flask session" => {
                let session = itsdangerous::Options::flask_session();
                assert_eq!(case.text("salt"), Some(session.salt.as_str()));
                assert_eq!(case.digest("digest", Digest::Md5), session.digest);
                let codec = itsdangerous::Signer::new(&case.keys(), &session).unwrap().into();
                object_both_ways(&codec, case.object("obj"), case.expected(), &judging.max_age(0), true);
            }
            other => panic!("{other}"),
        }
    }
}

/// 2035-01-01T00:00:00Z.
const EXPIRY: i64 = 2_051_222_400;

#[test]
fn rails_signs_the_same() {
    for case in cases("rails.json", 45) {
        if case.text("kind").unwrap().starts_with("KeyGenerator") {
            assert_eq!(case.number("length"), Some(64));
            let (secret, salt) = (case.text("secret_key_base").unwrap(), case.text("salt").unwrap());
            let derived = rails::derive(Digest::Sha1, secret.as_bytes(), salt.as_bytes());
            let digit = |nibble| char::from_digit(u32::from(nibble), 16).unwrap();
            let hex: String = derived.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
            assert_eq!(Some(hex.as_str()), case.text("expected_hex"));
            continue;
        }
        let expires = case.text("expires_at").is_some();
        let now = UnixTime::from_secs(EXPIRY - 60);
        let options = rails::Options {
            digest: case.digest("digest", Digest::Sha1),
            purpose: case.text("purpose").map(str::to_owned),
            expires_in: expires.then_some(60),
            envelope: Envelope::Message,
            url_safe: false,
        };
        let codec = Codec::from(rails::Verifier::new(&case.keys(), &options));
        let judging = Judging::at(now);
        match case.text("kind").unwrap() {
            "generate" => {
                assert!(case.text("expires_at").is_none_or(|at| at == "2035-01-01T00:00:00.000Z"));
                object_both_ways(&codec, case.object("obj"), case.expected(), &judging, false);
                let late = Judging::at(UnixTime::from_secs(EXPIRY));
                assert_eq!(codec.loads(case.expected(), &late).is_err(), expires);
                let other = rails::Options { purpose: Some("other".to_owned()), ..options };
                let other = Codec::from(rails::Verifier::new(&case.keys(), &other));
                assert_eq!(other.loads(case.expected(), &judging), Err(Refused::SignatureMismatch));
            }
            // What Ruby marshalled is no JSON: its signature holds, and nothing else is to be had of it.
            "verify signature only (Marshal payload)" => {
                let token = case.text("token").unwrap();
                assert_eq!(codec.loads(token, &judging), Err(Refused::Malformed));
                let changed = token.replacen('B', "C", 1);
                assert_eq!(codec.loads(&changed, &judging), Err(Refused::SignatureMismatch));
            }
            "verify" => {
                assert_eq!(case.expected(), "invalid");
                assert!(codec.loads(case.text("token").unwrap(), &judging).is_err());
            }
            other => panic!("{other}"),
        }
    }
    let empty = rails::Verifier::new(&Keys::one("key").unwrap(), &rails::Options::default());
    assert_eq!(empty.sign("", UnixTime::from_secs(0)), Err(CannotSign::Empty));
}

#[test]
fn express_signs_the_same() {
    for case in cases("node-cookies.json", 17) {
        match case.text("kind").unwrap() {
            "cookie-signature" => {
                let codec = express::CookieSigner::new(&case.keys()).into();
                let judging = Judging::at(case.now());
                text_both_ways(&codec, case.text("value").unwrap(), case.expected(), &judging, false);
            }
            "keygrip" => {
                let keys = Keys::newest_first(case.texts("keys")).unwrap();
                let grip = express::Keygrip::new(&keys, case.digest("algorithm", Digest::Sha1));
                let value = case.text("value").unwrap();
                assert_eq!(grip.sign(value).as_deref(), Ok(case.expected()));
                one_change_is_refused(case.expected(), false, &|signature| {
                    let opened = grip.verify(value, signature)?;
                    Codec::from(express::CookieSigner::new(&keys)).unsign(
                        &express::CookieSigner::new(&keys).sign(opened.value()).unwrap(),
                        &Judging::at(case.now()),
                    )
                });
            }
            "keygrip.index (old key)" => {
                let keys = Keys::newest_first(case.texts("keys")).unwrap();
                let grip = express::Keygrip::new(&keys, case.digest("algorithm", Digest::Sha1));
                let opened = grip.verify(case.text("value").unwrap(), case.text("signature").unwrap()).unwrap();
                assert_eq!(opened.needs_resign(), case.number("expected") != Some(0));
            }
            other => panic!("{other}"),
        }
    }
}
