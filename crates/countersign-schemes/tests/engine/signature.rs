//! The signature itself: short, long, spelt otherwise, forged, or made with a key of another kind.

use crate::keys::{PAIRS, named, private, public};
use crate::md5::{State, padding};
use crate::meaning::is_message_signature;
use crate::support::{CLIENT, Message, NOW, SECRET, Subject, all_subjects, catalogue_subjects, reason, sample};
use countersign_core::SignError;
use countersign_core::alg::{Asymmetric, Hash, KeyKind};
use countersign_core::key::{Key, KeySet, Material};
use countersign_core::reject::{PublicReason, Reason};
use countersign_core::scheme::draft::Place;
use countersign_core::time::UnixTime;
use std::sync::Arc;

/// A signed message whose signature can be exchanged for other text.
struct Open {
    subject: Subject,
    message: Message,
    own: String,
}

impl Open {
    /// Those whose signature lies open in its carrier, be it percent-encoded.
    fn all() -> Vec<Self> {
        let wrapped = |subject: &Subject| {
            let carriers = &subject.plan.scheme().request.carriers;
            carriers.iter().any(|carrier| carrier.wrap.is_some() && carrier.place == Place::Query)
        };
        all_subjects().into_iter().filter(|subject| !wrapped(subject)).map(Self::of).collect()
    }

    fn of(subject: Subject) -> Self {
        let message = subject.signed(&sample(&subject));
        Self::signed(subject, message)
    }

    fn signed(subject: Subject, message: Message) -> Self {
        let own = subject.explain(&message).claimed_signature.expect("a signature");
        Self { subject, message, own: String::from_utf8(own).expect("text") }
    }

    /// The message with another signature.
    fn with(&self, other: &str) -> Message {
        let mut changed = self.message.clone();
        let plain = (self.own.clone(), other.to_owned());
        let encoded = (escaped(&self.own), escaped(other));
        let swap = |text: &mut Vec<u8>| {
            let whole = std::str::from_utf8(text).ok()?;
            let (from, to) = [&plain, &encoded].into_iter().find(|(from, _)| whole.contains(from.as_str()))?;
            *text = whole.replacen(from.as_str(), to, 1).into_bytes();
            Some(())
        };
        let mut found = changed.fields.iter_mut().find_map(|(_, value)| swap(value));
        found = found.or_else(|| swap(&mut changed.target));
        found = found.or_else(|| swap(&mut changed.body));
        assert!(found.is_some(), "{}: {} is nowhere", self.subject.name, self.own);
        changed
    }
}

fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[test]
fn attack_02_every_prefix_and_extension_of_a_signature_is_refused() {
    for open in Open::all() {
        let Open { subject, own, .. } = &open;
        assert!(subject.verify(&open.with(own)).is_ok(), "{}", subject.name);
        for length in 0..own.len() {
            let cut = open.with(&own[..length]);
            let same = is_message_signature(&subject.name) && own[length..].bytes().all(|byte| byte == b'=');
            assert!(subject.verify(&cut).is_err() || same, "{}: {length} of {}", subject.name, own.len());
        }
        for more in ["0", "A", "=", "==", "AAAA", "00", " ", "\t", "\0", "\n", ",", "a=", own] {
            for longer in [format!("{own}{more}"), format!("{more}{own}")] {
                let changed = open.with(&longer);
                // White space around a field is not part of it; and a list may end with a separator.
                let same = longer.trim_matches([' ', '\t', ',']) == *own;
                assert!(subject.verify(&changed).is_err() || same, "{}: {longer:?}", subject.name);
            }
        }
    }
}

/// Characters that signatures are written with, that end them, and that stand between them.
const OTHERS: &str = "0aAbB/+-_=%;\" ~z";

#[test]
fn attack_02_every_other_character_is_another_signature() {
    for open in Open::all() {
        let Open { subject, own, .. } = &open;
        let any_case = subject.name == "spring-sign";
        for at in 0..own.len() {
            // A few at each place, and each at every few places: a signature may have hundreds of characters.
            for other in OTHERS.chars().skip(at % 4).step_by(4) {
                let mut changed = own.clone();
                changed.replace_range(at..=at, &other.to_string());
                let same = changed == *own || (any_case && changed.eq_ignore_ascii_case(own));
                let verdict = subject.verify(&open.with(&changed));
                let lenient = is_message_signature(&subject.name) && lenient(&changed) == lenient(own);
                assert!(
                    verdict.is_err() || same || lenient || changed.trim() == *own,
                    "{}: {changed:?}",
                    subject.name
                );
            }
        }
    }
}

/// Hexadecimal digits in the other case, base64 in the other alphabet, with other padding, with other unused bits.
#[test]
fn attack_02_another_spelling_of_a_signature_is_refused() {
    let mut spellings = 0;
    for open in Open::all() {
        let Open { subject, own, .. } = &open;
        let unpadded = own.trim_end_matches('=');
        let bits = unpadded.char_indices().last().map(|(at, last)| {
            let next = char::from_u32(u32::from(last) + 1).unwrap_or('A');
            format!("{}{next}{}", &own[..at], &own[unpadded.len()..])
        });
        let others = [
            own.to_uppercase(),
            own.to_lowercase(),
            unpadded.to_owned(),
            format!("{unpadded}="),
            format!("{unpadded}=="),
            format!("{unpadded}==="),
            own.replace('+', "-").replace('/', "_"),
            own.replace('-', "+").replace('_', "/"),
            own.replace('=', "%3D"),
            own.replace('/', "\\/"),
            format!("0x{own}"),
            bits.unwrap_or_default(),
        ];
        for other in others.iter().filter(|other| *other != own) {
            let verdict = subject.verify(&open.with(other));
            // The article's server compares without regard to case, and so the scheme says.
            if subject.name == "spring-sign" && other.eq_ignore_ascii_case(own) {
                assert!(verdict.is_ok(), "{other}");
                continue;
            }
            // In JSON `\/` is how some write `/`.
            if subject.name == "feishu-bot" && other.contains("\\/") {
                assert!(verdict.is_ok(), "{other}");
                continue;
            }
            // RFC 9651, section 4.2.7: a parser need not fail where padding or the unused bits are not as they should be.
            if let (true, Ok(held)) = (is_message_signature(&subject.name), &verdict) {
                assert_eq!(lenient(other), lenient(own), "{}: {other} for {own}", subject.name);
                let known = subject.verify(&open.message).expect("it holds");
                assert_eq!(held.digest(), known.digest(), "{}: new to the replay store", subject.name);
                continue;
            }
            spellings += 1;
            assert!(verdict.is_err(), "{}: {other} for {own}", subject.name);
        }
    }
    assert!(spellings > 100, "{spellings}");
}

/// The bytes that a decoder reads that is lenient about the end.
fn lenient(text: &str) -> Option<Vec<u8>> {
    let padding = text.len() - text.trim_end_matches('=').len();
    let mut bytes = Vec::new();
    let digits = text.trim_end_matches('=').bytes().map(|byte| {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".iter().position(|known| *known == byte)
    });
    let digits = digits.collect::<Option<Vec<usize>>>()?;
    for quad in digits.chunks(4) {
        let number = quad.iter().fold(0, |number, digit| number << 6 | digit) << (6 * (4 - quad.len()));
        let three = u32::try_from(number).expect("24 bits").to_be_bytes();
        bytes.extend(&three[1..quad.len()]);
    }
    (padding <= 2).then_some(bytes)
}

#[test]
fn attack_02_no_signature_is_no_signature() {
    for open in Open::all() {
        let subject = &open.subject;
        for nothing in ["", "0", "null", "none", "true", "v1,", "="] {
            let changed = open.with(nothing);
            let refused = subject.verify(&changed).expect_err(&subject.name);
            assert_ne!(refused.public(), PublicReason::Repeated, "{}", subject.name);
        }
    }
}

/// A keyed digest with the secret in front, as in Flickr's scheme of 2009. Who sees one signature makes others.
#[test]
fn attack_04_length_extension_forges_a_secret_prefix_and_nothing_else() {
    let scheme = |base: &str, signature: &str| {
        let text = format!(
            "[header]\nX-Sign = \"{{signature:hex}}\"\n[sign]\nbase = \"{base}\"\nsignature = \"{signature}\"\n"
        );
        Subject::from("prefixed", &text)
    };
    let forged = |subject: &Subject| {
        let signed = subject.signed(&Message::new("POST", "/pay").with_body("to=bob&amount=1"));
        let digest: Vec<u8> = signed
            .field("x-sign")
            .expect("a signature")
            .chunks_exact(2)
            .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        // The attacker knows the message, the signature, and how long the secret is; not the secret.
        let known = SECRET.len() + signed.body.len();
        let glue = padding(known);
        let tail = b"&to=eve&amount=1000000";
        let made = State::of(&digest).extend(known + glue.len(), tail);
        let mut forged = signed.clone();
        forged.body = [signed.body.as_slice(), &glue, tail].concat();
        forged.set_field("X-Sign", crate::md5::hex(&made));
        forged
    };
    let prefixed = scheme("{secret}{body}", "{base | md5 | hex}");
    let message = forged(&prefixed);
    assert!(prefixed.verify(&message).is_ok(), "the attack works where it is known to");
    assert!(message.body.ends_with(b"amount=1000000"));
    for sound in [
        scheme("{body}", "{base | hmac-md5 secret | hex}"),
        scheme("{body}{secret}", "{base | md5 | hex}"),
        scheme("{secret}{body}{secret}", "{base | md5 | hex}"),
    ] {
        assert_eq!(reason(&sound.verify(&forged(&sound))), Reason::SignatureMismatch);
    }
}

/// The same forgery against whatever the catalogue signs with a plain digest, and against our own scheme.
#[test]
fn attack_04_no_scheme_of_the_catalogue_has_its_secret_in_front() {
    for subject in catalogue_subjects().iter().filter(|subject| subject.is_keyed_by_secret()) {
        let signed = subject.signed(&sample(subject));
        let base = subject.base(&signed).expect("a base");
        // Where it stands at the end as well, nothing can be appended.
        let front = base.starts_with(SECRET.as_bytes()) && !base.ends_with(SECRET.as_bytes());
        assert!(!front, "{}", subject.name);
    }
}

/// A scheme of each primitive: over the head alone.
fn of_primitive(primitive: &str) -> Subject {
    let head = "[key]\nalgorithms = [\"hmac-sha256\", \"hmac-sha1\"]\n[header]\nX-Sign = \"{signature:b64}\"\n";
    let base = if primitive.contains("hmac") || primitive.contains("private_key") { "" } else { "{secret}\\n" };
    Subject::from(
        "primitive",
        &format!(
            "{head}[sign]\nbase = \"{base}{{method}} {{target}}\"\nsignature = \"{{base | {primitive} | b64}}\"\n"
        ),
    )
}

#[test]
fn attack_05_a_key_serves_the_algorithm_of_its_record_only() {
    let digests = Hash::ALL.iter().map(|hash| hash.name().to_owned());
    let macs = Hash::ALL.iter().map(|hash| format!("hmac-{} secret", hash.name()));
    let signatures = Asymmetric::ALL.iter().map(|algorithm| format!("{} private_key", algorithm.name()));
    let primitives: Vec<String> = digests.chain(macs).chain(signatures).chain(["hmac secret".to_owned()]).collect();
    let names: Vec<&str> = primitives.iter().map(|primitive| primitive.split(' ').next().expect("a name")).collect();
    let odd =
        ["none", "", "HS256", "RS256", "HMAC-SHA256", "rsa", "hmac-rsa-sha256", "hmac-hmac-sha256", "hmac-", "ed448"];
    let message = Message::new("POST", "/pay?to=bob");
    let now = UnixTime::from_secs(NOW);
    let (mut held, mut refused) = (0, 0);
    for primitive in &primitives {
        let subject = of_primitive(primitive);
        let own = primitive.split(' ').next().expect("a name");
        let signed = subject.sign(&message).expect(own);
        let kinds = PAIRS.iter().flat_map(|(kind, ..)| [private(*kind), public(*kind)]);
        let materials: Vec<Key> = kinds.chain([Key::secret(SECRET.as_bytes())]).collect();
        for key in &materials {
            let fits = match (&subject.key.material, &key.material) {
                (Material::Secret(_), Material::Secret(_)) => true,
                (Material::Private(own), Material::Private(other)) => own.kind() == other.kind(),
                (Material::Private(own), Material::Public(other)) => own.kind() == other.kind(),
                _ => false,
            };
            for name in [None].into_iter().chain(names.iter().chain(&odd).map(|name| Some(*name))) {
                let key = name.map_or_else(|| key.clone(), |name| named(key.clone(), name));
                let keys = KeySet::new([Arc::new(key.with_id(CLIENT))]);
                let verdict = subject.verify_at(&signed, &keys, now);
                // `hmac` stands for what the key says, if the scheme lists it: the first of the list made this one.
                let by_default = own == "hmac" && matches!(name, Some("hmac-sha256" | "sha256"));
                if fits && (name.is_none_or(|name| name == own && own != "hmac") || by_default) {
                    held += 1;
                    assert!(verdict.is_ok(), "{primitive} with {name:?}: {verdict:?}");
                } else {
                    refused += 1;
                    let reason = reason(&verdict);
                    let other = own == "hmac" && matches!(name, Some("hmac-sha1" | "sha1"));
                    let expected = if fits && other { Reason::SignatureMismatch } else { Reason::KeyUnsuitable };
                    assert_eq!(reason, expected, "{primitive} with {name:?}");
                }
            }
        }
    }
    assert!(held >= 22 * 2 && refused > 5000, "{held} and {refused}");
}

#[test]
fn attack_05_a_public_key_is_no_secret() {
    let message = Message::new("POST", "/pay?to=bob");
    for (kind, private_pem, public_pem) in PAIRS {
        let mac = of_primitive("hmac-sha256 secret");
        for text in [public_pem.trim(), public_pem, private_pem] {
            // The classic: the attacker signs with an HMAC whose secret is the public key that everybody has.
            let attacker = mac.with_key(Key::secret(text.as_bytes()).with_id(CLIENT));
            let signed = attacker.sign(&message).expect("an attacker can sign");
            let keys = KeySet::new([Arc::new(public(*kind).with_id(CLIENT))]);
            let refused = reason(&mac.verify_at(&signed, &keys, UnixTime::from_secs(NOW)));
            assert_eq!(refused, Reason::KeyUnsuitable, "{kind:?}");
        }
    }
}

#[test]
fn attack_05_38_a_key_does_not_sign_for_another_purpose() {
    let message = Message::new("POST", "/pay?to=bob");
    for (primitive, key) in [
        ("hmac-sha256 secret", private(KeyKind::Ed25519)),
        ("ed25519 private_key", Key::secret(SECRET.as_bytes())),
        ("ed25519 private_key", private(KeyKind::P256)),
        ("ecdsa-p256 private_key", private(KeyKind::P384)),
        ("rsa-sha256 private_key", named(private(KeyKind::Rsa), "rsa-pss-sha256")),
        ("hmac-sha256 secret", named(Key::secret(SECRET.as_bytes()), "hmac-sha512")),
        ("hmac-sha256 secret", named(Key::secret(SECRET.as_bytes()), "sha256")),
        ("sha256", named(Key::secret(SECRET.as_bytes()), "hmac-sha256")),
        ("ed25519 private_key", public(KeyKind::Ed25519)),
    ] {
        let subject = of_primitive(primitive);
        let subject = Subject { key: key.with_id(CLIENT), ..subject };
        assert_eq!(subject.sign(&message), Err(SignError::KeyUnsuitable), "{primitive}");
    }
}

/// What the request says of the algorithm decides nothing.
#[test]
fn attack_05_the_request_does_not_choose_the_algorithm() {
    let kong = Subject::of("kong-hmac-auth");
    let signed = kong.signed(&sample(&kong));
    let header = String::from_utf8(signed.field("authorization").expect("there").to_vec()).expect("text");
    for algorithm in ["none", "hmac-sha1", "hmac-md5", "hmac-sha512", "", "HMAC-SHA256", "rsa-sha256"] {
        let mut changed = signed.clone();
        changed.set_field("authorization", header.replace("hmac-sha256", algorithm));
        assert_eq!(reason(&kong.verify(&changed)), Reason::CredentialMalformed, "{algorithm}");
    }
    let aws = Subject::of("aws-sigv4");
    let signed = aws.signed(&sample(&aws));
    let header = String::from_utf8(signed.field("authorization").expect("there").to_vec()).expect("text");
    for algorithm in ["AWS4-HMAC-SHA1", "AWS4-ECDSA-P256-SHA256", "AWS3-HMAC-SHA256", ""] {
        let mut changed = signed.clone();
        changed.set_field("authorization", header.replace("AWS4-HMAC-SHA256", algorithm));
        assert_eq!(reason(&aws.verify(&changed)), Reason::CredentialMalformed, "{algorithm}");
    }
}
