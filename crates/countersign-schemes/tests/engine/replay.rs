//! Freshness and replay: how long a message is good, by what it is known again, and in which order all is asked.

use crate::support::{
    CLIENT, Held, Message, NONCE, NOW, SECRET, Subject, all_subjects, catalogue_subjects, reason, sample,
};
use countersign_core::Verifier;
use countersign_core::key::{Key, KeySet};
use countersign_core::reject::{PublicReason, Reason};
use countersign_core::scheme::Fresh;
use countersign_core::time::UnixTime;
use std::collections::HashMap;
use std::sync::Arc;

/// By how much longer than necessary an entry lives, in seconds.
const MARGIN: i64 = 30;

/// The last second of a message that is signed now; `None` where no time is signed.
fn last(subject: &Subject) -> Option<i64> {
    let Fresh { timestamp, expires, lifetime, .. } = &subject.plan.scheme().fresh;
    let seconds = |seconds: u64| i64::try_from(seconds).expect("a window");
    let past = timestamp.and_then(|window| window.past).map(seconds);
    // The samples of both ask for these many.
    let asked = lifetime.map(|_| match subject.name.as_str() {
        "sink-xml" => 300,
        "baidu-bce-v1" => 1800,
        _ => 3600,
    });
    let expires = expires.map(|_| 300);
    past.into_iter().chain(asked).chain(expires).min()
}

fn at(subject: &Subject, message: &Message, millis: i64) -> Result<Held, Reason> {
    let verdict = subject.verify_at(message, &subject.keys, UnixTime::from_millis(millis));
    verdict.map_err(|refused| refused.reason())
}

/// What a store that lost something goes by: before its `since` a message was refused, or its entry would be over.
#[test]
fn attack_29_before_its_since_no_live_entry_of_a_message_was_made() {
    let (mut told, mut bounded) = (0, 0);
    for subject in all_subjects() {
        let signed = subject.signed(&sample(&subject));
        let Ok(Held { entry: Some(entry), .. }) = at(&subject, &signed, NOW * 1000) else { continue };
        told += 1;
        assert!(entry.since <= entry.now, "{}", subject.name);
        if entry.since == UnixTime::from_millis(i64::MIN) {
            continue;
        }
        bounded += 1;
        for before in [1, 1000, 60_000, 3_600_000] {
            let earlier = entry.since.millis() - before;
            if let Ok(Held { entry: Some(earlier), .. }) = at(&subject, &signed, earlier) {
                assert!(earlier.live_until < entry.now, "{}, {before} ms before", subject.name);
            }
        }
    }
    assert!(told > 20 && bounded * 2 > told, "{bounded} of {told}");
}

#[test]
fn attack_23_an_entry_outlives_its_message() {
    let mut windows = 0;
    for subject in all_subjects() {
        // Its time is not signed, so it ends nothing that is remembered.
        if subject.name == "jeecg-sign" {
            continue;
        }
        let signed = subject.signed(&sample(&subject));
        let Some(last) = last(&subject) else {
            // Without a signed time it is remembered from when it came.
            let remember = i64::try_from(subject.plan.scheme().fresh.remember).expect("a day");
            for now in [NOW, NOW + 1_000_000] {
                let held = at(&subject, &signed, now * 1000).expect("it holds");
                let Some(entry) = held.entry else { continue };
                assert_eq!(entry.live_until, UnixTime::from_secs(now + remember + MARGIN), "{}", subject.name);
            }
            continue;
        };
        windows += 1;
        let end = (NOW + last) * 1000;
        let good = at(&subject, &signed, end);
        assert!(good.is_ok(), "{}: {good:?}", subject.name);
        for late in [1, 999, 1000, 1001, 60_000, 86_400_000] {
            let refused = at(&subject, &signed, end + late).expect_err(&subject.name);
            assert!(matches!(refused, Reason::TimestampStale | Reason::Expired), "{}: {refused:?}", subject.name);
            assert_eq!(refused.public(), PublicReason::Stale);
        }
        // Whenever it came first, what is remembered lives beyond the last instant at which it could come again.
        let first = match subject.plan.scheme().fresh.timestamp.and_then(|window| window.future) {
            Some(future) => (NOW - i64::try_from(future).expect("a window")) * 1000,
            None => NOW * 1000,
        };
        for now in [first, NOW * 1000, end] {
            let held = at(&subject, &signed, now).expect("it holds");
            let Some(entry) = held.entry else { continue };
            assert!(entry.live_until >= UnixTime::from_millis(end), "{}", subject.name);
            assert_eq!(entry.live_until, UnixTime::from_millis(end + MARGIN * 1000), "{}", subject.name);
            assert_eq!(entry.now, UnixTime::from_millis(now));
        }
    }
    assert!(windows > 20, "{windows}");
}

#[test]
fn attack_23_the_margin_is_the_deployment_s() {
    let subject = Subject::of("countersign-v1");
    let signed = subject.signed(&sample(&subject));
    for margin in [0, 1, 3600] {
        let verifier = Verifier::new(Arc::clone(&subject.plan)).with_clock_margin(margin);
        let subject = Subject { verifier, ..Subject::of("countersign-v1") };
        let entry = subject.verify(&signed).expect("it holds").entry.expect("remembered");
        let margin = i64::try_from(margin).expect("small");
        assert_eq!(entry.live_until, UnixTime::from_secs(NOW + 300 + margin));
    }
}

/// What a store does, at least.
#[derive(Default)]
struct Store(HashMap<[u8; 32], UnixTime>);

impl Store {
    fn admits(&mut self, held: &Held) -> bool {
        let entry = held.entry.as_ref().expect("remembered");
        let live = self.0.get(&entry.digest).is_some_and(|until| *until >= entry.now);
        if !live {
            self.0.insert(entry.digest, entry.live_until);
        }
        !live
    }
}

/// The article's server knows the last token of each user only: A, B, A passes there.
#[test]
fn attack_24_a_b_a_is_refused() {
    for subject in catalogue_subjects() {
        let post = |path: &str| Message { target: path.into(), method: "POST".into(), ..sample(&subject) };
        let sign = |message: &Message, now: i64, nonce: &str| subject.sign_with(message, &[], now, nonce);
        let Ok(a) = sign(&post("/a?x=1"), NOW, NONCE) else { continue };
        let other = match sample(&subject).body.first() {
            Some(b'{') => "{\"to\":2}",
            Some(b'<') => "<xml><to>2</to></xml>",
            _ => "To=2",
        };
        // The body of an upload stays: its file has a digest.
        let elsewhere = post("/b?x=2");
        let other = if subject.name.ends_with("-upload") { elsewhere } else { elsewhere.with_body(other) };
        let b = sign(&other, NOW - 1, "1760000000067890").expect("signed");
        let (a, b) = (subject.verify(&a).expect("A holds"), subject.verify(&b).expect("B holds"));
        if a.entry.is_none() {
            continue;
        }
        let mut store = Store::default();
        assert!(store.admits(&a), "{}: A", subject.name);
        assert!(store.admits(&b), "{}: B", subject.name);
        assert!(!store.admits(&a), "{}: A again", subject.name);
        assert!(!store.admits(&b), "{}: B again", subject.name);
    }
}

#[test]
fn attack_24_a_nonce_is_used_up_for_its_key_scheme_and_realm() {
    let subject = Subject::of("countersign-v1");
    let message = sample(&subject);
    let digest = |subject: &Subject, message: &Message| subject.verify(message).expect("it holds").digest();
    let first = digest(&subject, &subject.signed(&message));
    // Another message, the same nonce and time: whoever signs so gets one of them through.
    let other = Message { target: b"/other".to_vec(), body: b"other".to_vec(), ..message.clone() };
    assert_eq!(digest(&subject, &subject.signed(&other)), first);
    // Another nonce, time, key, scheme or realm is another entry.
    let mut digests = vec![first];
    let signed = |vars: &[(&str, &str)], now, nonce| subject.sign_with(&message, vars, now, nonce).expect("signed");
    digests.push(digest(&subject, &signed(&[], NOW, "another-nonce-67890")));
    digests.push(digest(&subject, &signed(&[], NOW - 1, NONCE)));
    let eve = subject.with_key(Key::secret(SECRET.as_bytes()).with_id("eve"));
    digests.push(digest(&eve, &eve.signed(&message)));
    let text = countersign_schemes::catalogue::text("countersign-v1").expect("there");
    let renamed = Subject::from("countersign-v1-copy", text);
    digests.push(digest(&renamed, &renamed.signed(&message)));
    for realm in ["a", "b"] {
        let verifier = Verifier::new(Arc::clone(&subject.plan)).with_realm(realm);
        let subject = Subject { verifier, ..Subject::of("countersign-v1") };
        digests.push(digest(&subject, &subject.signed(&message)));
    }
    let count = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), count);
    // `once`, and not `once per key`: whoever uses it, it is used up.
    let shared = Subject::from("sink-form", include_str!("schemes/sink-form.toml"));
    let eve = shared.with_key(Key::secret(SECRET.as_bytes()).with_id("eve"));
    let message = sample(&shared);
    assert_eq!(digest(&shared, &shared.signed(&message)), digest(&eve, &eve.signed(&message)));
}

#[test]
fn attack_24_editing_a_scheme_forgets_nothing() {
    let before = Subject::of("countersign-v1");
    let text = countersign_schemes::catalogue::text("countersign-v1").expect("there");
    let edited = text.replace("\"5m\"", "\"10m\"").replace("countersign-v1\n{method}", "v2\n{method}");
    let after = Subject::from("countersign-v1", &edited);
    assert_ne!(before.plan.fingerprint(), after.plan.fingerprint());
    let digest = |subject: &Subject| subject.verify(&subject.signed(&sample(subject))).expect("it holds").digest();
    assert_eq!(digest(&before), digest(&after));
}

/// Schemes without a nonce know a message by what was signed, never by how the signature is written.
#[test]
fn attack_24_the_signature_s_spelling_is_no_part_of_the_entry() {
    let spring = Subject::of("spring-sign");
    let signed = spring.signed(&sample(&spring));
    let mut upper = signed.clone();
    upper.set_field("sign", signed.field("sign").expect("there").to_ascii_uppercase());
    assert_ne!(upper, signed);
    let digest = |subject: &Subject, message: &Message| subject.verify(message).expect("it holds").digest();
    assert_eq!(digest(&spring, &upper), digest(&spring, &signed));
    // ECDSA has as many signatures of a message as one likes, and two of each.
    let text = "[header]\nX-Time = \"{timestamp:unix}\"\nX-Sign = \"{signature:HEX}\"\n[sign]\n\
                base = \"{timestamp} {method} {target}\"\nsignature = \"{base | ecdsa-p256-raw private_key | HEX}\"\n\
                [fresh]\ntimestamp = \"5m\"\n";
    for subject in [Subject::from("ecdsa", text), Subject::of("sendgrid-ecdsa")] {
        let message = sample(&subject);
        let (one, two) = (subject.signed(&message), subject.signed(&message));
        assert_ne!(one, two, "two signatures of one message");
        assert_eq!(digest(&subject, &one), digest(&subject, &two));
        if subject.name == "ecdsa" {
            let mut other = one.clone();
            other.set_field("X-Sign", malleated(one.field("x-sign").expect("there")));
            assert_ne!(other, one);
            assert_eq!(digest(&subject, &other), digest(&subject, &one), "r and n - s");
        }
    }
}

/// `r` and `n - s` for `r` and `s`: SEC 1, section 4.1.4, accepts both.
fn malleated(signature: &[u8]) -> Vec<u8> {
    const ORDER: &[u8] = b"FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
    let (r, s) = signature.split_at(64);
    let value = |digit: u8| i32::try_from(char::from(digit).to_digit(16).expect("a digit")).expect("small");
    let (mut digits, mut borrow) = (Vec::new(), 0);
    for (n, s) in ORDER.iter().zip(s).rev() {
        let rest = value(*n) - value(*s) - borrow;
        borrow = i32::from(rest < 0);
        digits.push(b"0123456789ABCDEF"[usize::try_from(rest + 16 * borrow).expect("a digit")]);
    }
    digits.reverse();
    [r, &digits].concat()
}

/// A key that serves any claimed id, under a scheme that does not sign the id: whoever repeats the message under
/// another id repeats it all the same.
#[test]
fn attack_24_an_unsigned_key_id_makes_no_new_message() {
    let mut unsigned = 0;
    for subject in catalogue_subjects() {
        let signed = subject.signed(&sample(&subject));
        let anybody = KeySet::new([Arc::new({
            let mut key = crate::keys::verifying(&subject.key, &subject.plan);
            key.id = None;
            key
        })]);
        let now = UnixTime::from_secs(NOW);
        let held = subject.verify_at(&signed, &anybody, now).expect(&subject.name);
        let mut renamed = signed.clone();
        renamed.target = swapped(&renamed.target);
        for (_, value) in &mut renamed.fields {
            *value = swapped(value);
        }
        if let (Ok(other), Some(_)) = (subject.verify_at(&renamed, &anybody, now), held.entry)
            && renamed != signed
        {
            unsigned += 1;
            assert_eq!(other.digest(), held.digest(), "{}", subject.name);
        }
    }
    assert!(unsigned > 3, "{unsigned}");
}

fn swapped(text: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(text).replace(CLIENT, "client-2").into_bytes()
}

/// A time that nobody signs can be exchanged, too: the message is known by what is signed, and for as long as if it
/// had no time.
#[test]
fn attack_24_an_unsigned_time_makes_no_new_message() {
    for (nonce, rule) in [("", ""), ("X-Nonce = \"{nonce}\"\n", "nonce = \"once per key\"\n")] {
        let signs = |time: &str| {
            let nonce_text = if nonce.is_empty() { "" } else { "{nonce}." };
            let text = format!(
                "[header]\nX-Time = \"{{timestamp:unix}}\"\n{nonce}X-Sign = \"{{signature:hex}}\"\n[sign]\n\
                 base = \"{nonce_text}{time}{{body}}\"\nsignature = \"{{base | hmac-sha256 secret | hex}}\"\n[fresh]\n\
                 timestamp = \"5m\"\nremember = \"1h\"\n{rule}"
            );
            Subject::from("unsigned-time", &text)
        };
        let subject = signs("");
        let signed = subject.signed(&sample(&subject));
        let mut later = signed.clone();
        later.set_field("X-Time", (NOW + 60).to_string());
        let entry = |message: &Message| subject.verify(message).expect("it holds").entry.expect("remembered");
        assert_eq!(entry(&later).digest, entry(&signed).digest);
        let hour = UnixTime::from_secs(NOW + 3600);
        assert!(entry(&later).live_until >= hour && entry(&signed).live_until >= hour);
        // Signed, it says which message it is, and for how long.
        let subject = signs("{timestamp}.");
        let signed = subject.signed(&sample(&subject));
        let held = subject.verify(&signed).expect("it holds").entry.expect("remembered");
        assert!(held.live_until < hour);
    }
}

/// A nonce that nobody signs can be exchanged: the message is known by what is signed.
#[test]
fn attack_24_an_unsigned_nonce_makes_no_new_message() {
    let text = "[header]\nX-Time = \"{timestamp:unix}\"\nX-Nonce = \"{nonce}\"\nX-Sign = \"{signature:hex}\"\n[sign]\n\
                base = \"{timestamp}.{body}\"\nsignature = \"{base | hmac-sha256 secret | hex}\"\n[fresh]\n\
                timestamp = \"5m\"\nnonce = \"once per key\"\n";
    let subject = Subject::from("unsigned-nonce", text);
    let signed = subject.signed(&sample(&subject));
    let mut other = signed.clone();
    other.set_field("X-Nonce", "another-nonce");
    let digest = |message: &Message| subject.verify(message).expect("it holds").digest();
    assert_eq!(digest(&other), digest(&signed));
    // Signed, it makes one.
    let subject = Subject::from("signed-nonce", &text.replace(".{body}", ".{body}.{nonce}"));
    let sign = |nonce| subject.sign_with(&sample(&subject), &[], NOW, nonce).expect("signed");
    let digest = |message: &Message| subject.verify(message).expect("it holds").digest();
    assert_ne!(digest(&sign("one")), digest(&sign("two")));
}

#[test]
fn attack_30_a_time_outside_the_window_is_refused() {
    let mut windows = 0;
    for subject in all_subjects() {
        let Some(window) = subject.plan.scheme().fresh.timestamp else { continue };
        windows += 1;
        let signed = subject.signed(&sample(&subject));
        let future = window.future.map(|seconds| i64::try_from(seconds).expect("a window"));
        match future {
            Some(future) => {
                let edge = (NOW - future) * 1000;
                assert!(at(&subject, &signed, edge).is_ok(), "{}", subject.name);
                for early in [1, 999, 1000, 60_000, 86_400_000, NOW * 999] {
                    let refused = at(&subject, &signed, edge - early).expect_err(&subject.name);
                    assert_eq!(refused, Reason::TimestampFuture, "{}: {early}", subject.name);
                }
            }
            None => assert_eq!(subject.name, "stripe-webhook"),
        }
        // Neither end of all time changes that.
        for now in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX] {
            let refused = at(&subject, &signed, now);
            let open = future.is_none() && now <= 0;
            assert!(refused.is_err() || open, "{} at {now}", subject.name);
        }
    }
    assert!(windows > 15, "{windows}");
}

/// Kong takes `X-Date` or `Date`, whichever is fresh, although only one of them is signed.
#[test]
fn attack_30_a_second_date_decides_nothing() {
    for (name, dates) in [
        ("kong-hmac-auth", &["X-Date"][..]),
        ("aws-sigv4", &["Date", "X-Date"]),
        ("countersign-v1", &["Date", "X-Timestamp"]),
        ("standard-webhooks", &["Date", "webhook-time"]),
    ] {
        let subject = Subject::of(name);
        let old = subject.sign_with(&sample(&subject), &[], NOW - 100_000, NONCE).expect("signed");
        assert_eq!(reason(&subject.verify(&old)), Reason::TimestampStale, "{name}");
        let fresh = subject.signed(&sample(&subject));
        for date in dates {
            for value in ["Thu, 09 Oct 2025 08:53:20 GMT", "20251009T085320Z", "1760000000"] {
                let refused = subject.verify(&old.clone().with_field(date, value));
                assert_eq!(reason(&refused), Reason::TimestampStale, "{name}: {date}");
                let held = subject.verify(&fresh.clone().with_field(date, "Sun, 06 Nov 1994 08:49:37 GMT"));
                assert!(held.is_ok(), "{name}: {date}");
            }
        }
    }
}
