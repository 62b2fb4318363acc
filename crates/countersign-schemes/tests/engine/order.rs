//! The order in which things are asked: the key, the body, the store; and what a stranger can learn of it.

use crate::keys::named;
use crate::support::{CLIENT, Message, NOW, SECRET, Subject, all_subjects, catalogue_subjects, sample};
use countersign_core::alg::KeyKind;
use countersign_core::key::{Key, KeyQuery, KeyResolver, KeySet, Material};
use countersign_core::reject::PublicReason;
use countersign_core::replay::{Answer, FirstUse, ReplayEntry, ReplayGuard, StoreError};
use countersign_core::time::UnixTime;
use countersign_core::{Authenticator, BodyError, BodyNeed, Chunks, Denial, RequestView};
use std::collections::HashSet;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// What was asked, in order.
type Log = Arc<Mutex<Vec<&'static str>>>;

fn note(log: &Log, what: &'static str) {
    log.lock().expect("one thread").push(what);
}

struct Keys(KeySet, Log);

impl KeyResolver for Keys {
    fn resolve<'a>(&'a self, _: &'a KeyQuery<'a>) -> Answer<'a, Result<KeySet, StoreError>> {
        note(&self.1, "key");
        // A store that is asked over a network answers later.
        Answer::Later(Box::pin(async { Ok(self.0.clone()) }))
    }
}

struct Store(Mutex<HashSet<[u8; 32]>>, Log);

impl ReplayGuard for Store {
    fn admit<'a>(&'a self, entry: &'a ReplayEntry) -> Answer<'a, Result<FirstUse, StoreError>> {
        note(&self.1, "store");
        let first = self.0.lock().expect("one thread").insert(entry.digest);
        Answer::Ready(Ok(if first { FirstUse::First } else { FirstUse::Seen }))
    }
}

struct Pieces<'a>(&'a [u8], Log);

impl<'a> Chunks for Pieces<'a> {
    type Chunk = &'a [u8];

    async fn next(&mut self) -> Result<Option<&'a [u8]>, BodyError> {
        if self.0.is_empty() {
            note(&self.1, "end");
            return Ok(None);
        }
        note(&self.1, "piece");
        let (piece, rest) = self.0.split_at(self.0.len().min(8));
        self.0 = rest;
        Ok(Some(piece))
    }
}

/// Runs a future that only waits for what is ready.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

/// A verifier with its stores, and what they were asked.
struct Service {
    authenticator: Authenticator,
    need: BodyNeed,
    log: Log,
}

impl Service {
    fn new(subject: &Subject, keys: KeySet) -> Self {
        let log = Log::default();
        let verifier = Arc::new(subject.unassuming());
        let keys = Arc::new(Keys(keys, Arc::clone(&log)));
        let store = Arc::new(Store(Mutex::default(), Arc::clone(&log)));
        Self { need: subject.plan.body_need(), authenticator: Authenticator::new(verifier, keys, store), log }
    }

    /// The verdict, and what was asked on the way to it.
    fn judge(&self, message: &Message) -> (Result<(), Denial>, Vec<&'static str>) {
        let whole = self.need == BodyNeed::Buffer;
        let mut body = Pieces(if whole { &[] } else { &message.body }, Arc::clone(&self.log));
        let judged = |view: RequestView<'_>| {
            run(self.authenticator.authenticate(view, UnixTime::from_secs(NOW), &mut body)).map(drop)
        };
        let verdict = message.view(whole, judged);
        (verdict, std::mem::take(&mut *self.log.lock().expect("one thread")))
    }
}

#[test]
fn attack_28_a_bad_copy_burns_nothing() {
    for subject in catalogue_subjects() {
        let signed = subject.signed(&sample(&subject));
        let held = subject.verify(&signed).expect("it holds");
        let service = Service::new(&subject, subject.keys.clone());
        let mut bad = Vec::new();
        if held.coverage.covers("body") {
            let longer = [signed.body.as_slice(), b"0"].concat();
            bad.extend([Vec::new(), longer].map(|body| Message { body, ..signed.clone() }));
        }
        for (index, (_, value)) in signed.fields.iter().enumerate() {
            let mut changed = signed.clone();
            changed.fields[index].1 = [value.as_slice(), b"0"].concat();
            bad.extend(subject.verify(&changed).is_err().then_some(changed));
        }
        for target in [[signed.target.as_slice(), b"&z=1"].concat(), [signed.target.as_slice(), b"0"].concat()] {
            let elsewhere = Message { target, ..signed.clone() };
            bad.extend(subject.verify(&elsewhere).is_err().then_some(elsewhere));
        }
        // A bewit's signature lies in base64, and is not found there.
        bad.extend((subject.name != "hawk-bewit").then(|| flipped(&subject, &signed)));
        for copy in &bad {
            let (verdict, asked) = service.judge(copy);
            assert!(verdict.is_err(), "{}", subject.name);
            assert!(!asked.contains(&"store"), "{}: {asked:?}", subject.name);
        }
        let (verdict, asked) = service.judge(&signed);
        assert_eq!(verdict, Ok(()), "{}: the genuine one", subject.name);
        // The store comes last, and only where the scheme remembers.
        let stores = asked.iter().filter(|what| **what == "store").count();
        assert_eq!(stores, usize::from(held.entry.is_some()), "{}", subject.name);
        assert_eq!(asked.first(), Some(&"key"));
        assert_eq!(asked.last(), Some(if stores == 1 { &"store" } else { &"end" }), "{}", subject.name);
        if stores == 1 {
            let Err(Denial::Rejected(again)) = service.judge(&signed).0 else { panic!("{}: repeated", subject.name) };
            assert_eq!(again.public(), PublicReason::Repeated);
        }
    }
}

/// What is malformed or stale is told before anybody is asked.
#[test]
fn attack_28_nobody_is_asked_about_what_is_stale() {
    for subject in catalogue_subjects() {
        if subject.plan.scheme().fresh.timestamp.is_none_or(|window| window.past.is_none()) {
            continue;
        }
        let old = subject.sign_with(&sample(&subject), &[], NOW - 1_000_000, crate::support::NONCE).expect("signed");
        let service = Service::new(&subject, subject.keys.clone());
        let (verdict, asked) = service.judge(&old);
        let Err(Denial::Rejected(refused)) = verdict else { panic!("{}", subject.name) };
        assert_eq!(refused.public(), PublicReason::Stale);
        assert!(asked.is_empty(), "{}: {asked:?}", subject.name);
        assert!(service.judge(&sample(&subject)).1.is_empty(), "{}: unsigned", subject.name);
    }
}

/// Schemes that decode their secret, or take a part of it, here and there. The stand-in of an unknown key does not have
/// the parts.
fn decoding() -> Vec<Subject> {
    let digest = "signature = \"{base | sha256 | hex}\"";
    let mac = "signature = \"{base | hmac-sha256 key | hex}\"\n[let]\nkey =";
    let bodies = ["{body}", "{body | sha256 | hex}", "{path}"];
    let mut subjects = Vec::new();
    for body in bodies {
        for (base, sign) in [
            ("{secret | unb64 | hex}.{timestamp}.", digest.to_owned()),
            ("{secret | after \\\"7365\\\"}.{timestamp}.", digest.to_owned()),
            ("{timestamp}.", format!("{mac} \"{{secret | unb64}}\"")),
            ("{timestamp}.", format!("{mac} '{{secret | after \"7365\" | hex}}'")),
            ("{timestamp}.", format!("{mac} '{{\"{{secret | unb64 | hex}}\" | ratchet sha256 timestamp}}'")),
        ] {
            for base in [format!("{base}{body}"), format!("{body}{base}")] {
                let text = format!(
                    "[header]\nX-Time = \"{{timestamp:unix}}\"\nX-Sign = \"{{signature:hex}}\"\n[sign]\n\
                     base = \"{base}\"\n{sign}\n[fresh]\ntimestamp = \"5m\"\n"
                );
                subjects.push(Subject::from("decoding", &text));
            }
        }
    }
    subjects
}

#[test]
fn attack_36_an_unknown_key_is_a_wrong_signature() {
    let mut subjects = all_subjects();
    subjects.extend(decoding());
    for subject in &subjects {
        let signed = subject.signed(&sample(subject));
        let id = |key: Key| KeySet::new([Arc::new(key.with_id(CLIENT))]);
        let own = || crate::keys::verifying(&subject.key, &subject.plan);
        let mut expired = own();
        expired.not_after = Some(UnixTime::from_secs(NOW - 1));
        let mut to_come = own();
        to_come.not_before = Some(UnixTime::from_secs(NOW + 1));
        let other_kind = if subject.is_keyed_by_secret() {
            crate::keys::public(KeyKind::P384)
        } else {
            Key::secret(SECRET.as_bytes())
        };
        let others = [
            ("unknown", KeySet::default()),
            ("expired", KeySet::new([Arc::new(expired)])),
            ("not yet valid", KeySet::new([Arc::new(to_come)])),
            ("for another algorithm", id(named(own(), "hmac-md5"))),
            ("of another kind", id(other_kind)),
        ];
        // What a wrong signature looks like: the genuine message under another secret, or with one bit flipped.
        let wrong = match subject.key.material {
            Material::Secret(_) => {
                let other = Key::secret(SECRET.replace("2d6f66", "2d6f67").into_bytes());
                Service::new(subject, id(other)).judge(&signed)
            }
            _ => Service::new(subject, subject.keys.clone()).judge(&flipped(subject, &signed)),
        };
        let public = |verdict: &Result<(), Denial>| match verdict {
            Err(Denial::Rejected(refused)) => Some(refused.public()),
            _ => None,
        };
        assert_eq!(public(&wrong.0), Some(PublicReason::Wrong), "{}: {:?}", subject.name, wrong.0);
        for (what, keys) in others {
            if what == "for another algorithm" && matches!(subject.name.as_str(), "sink-form" | "taobao-top-hmac") {
                // There it is the one, or one of those that the key may choose.
                continue;
            }
            let other = Service::new(subject, keys).judge(&signed);
            assert_eq!(public(&other.0), public(&wrong.0), "{}: {what}: {:?}", subject.name, other.0);
            assert_eq!(other.1, wrong.1, "{}: {what}", subject.name);
        }
    }
}

/// What else is wrong with a message that nobody's key makes is told, or not told, whether the key is known or not.
#[test]
fn attack_36_whatever_is_wrong_with_a_message_is_told_alike_for_every_key() {
    let mut subjects = all_subjects();
    subjects.extend(decoding());
    // A bewit's signature lies in base64, and is not found there.
    subjects.retain(|subject| subject.name != "hawk-bewit");
    let mut told = 0;
    for subject in &subjects {
        let signed = flipped(subject, &subject.signed(&sample(subject)));
        let mut broken = vec![signed.clone()];
        for index in 0..signed.fields.len() {
            let mut less = signed.clone();
            less.fields.remove(index);
            let mut odd = signed.clone();
            odd.fields[index].1 = b"%zz\xff".to_vec();
            broken.extend([less, odd]);
        }
        for more in ["&%zz", "&a", "%zz"] {
            broken.push(Message { target: [signed.target.as_slice(), more.as_bytes()].concat(), ..signed.clone() });
        }
        for body in ["", "{", "<a>", "%zz", "a=%zz&a=1"] {
            broken.push(Message { body: body.as_bytes().to_vec(), ..signed.clone() });
        }
        broken.push(Message { authority: String::new(), ..signed.clone() });
        broken.push(Message { peer: None, ..signed.clone() });
        let public = |keys: &KeySet, message: &Message| match Service::new(subject, keys.clone()).judge(message) {
            (Err(Denial::Rejected(refused)), asked) => (refused.public(), asked),
            (other, _) => panic!("{}: {other:?}", subject.name),
        };
        for message in &broken {
            let (known, unknown) = (public(&subject.keys, message), public(&KeySet::default(), message));
            assert_eq!(known, unknown, "{}: {message:?}", subject.name);
            told += usize::from(known.0 != PublicReason::Wrong && !known.1.is_empty());
        }
    }
    assert!(told > 100, "{told} messages have faults that are found behind the key");
}

/// The same with another character in the middle of the signature.
fn flipped(subject: &Subject, signed: &Message) -> Message {
    let own = subject.explain(signed).claimed_signature.expect("a signature");
    let own = String::from_utf8(own).expect("text");
    let at = own.len() / 2;
    let other = if own.as_bytes()[at] == b'0' { "1" } else { "0" };
    let mut changed = own.clone();
    changed.replace_range(at..=at, other);
    let mut message = signed.clone();
    let encoded = |text: &str| text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    for (_, value) in &mut message.fields {
        let text = String::from_utf8_lossy(value).replace(&own, &changed);
        *value = text.replace(&encoded(&own), &encoded(&changed)).into_bytes();
    }
    message.target = String::from_utf8_lossy(&message.target)
        .replace(&own, &changed)
        .replace(&encoded(&own), &encoded(&changed))
        .into_bytes();
    message.body = String::from_utf8_lossy(&message.body)
        .replace(&own, &changed)
        .replace(&encoded(&own), &encoded(&changed))
        .into_bytes();
    assert_ne!(message, *signed, "{}", subject.name);
    message
}
