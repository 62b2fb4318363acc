//! What somebody without a key comes by: neither anything secret, nor more work than a request's size is worth.

use crate::support::{CLIENT, Message, NOW, SECRET, Subject, all_subjects, sample};
use countersign_core::key::{Key, KeySet, Material};
use countersign_core::reject::{PublicReason, Reason};
use countersign_core::time::UnixTime;
use countersign_core::{BodyNeed, Signer, Verifier};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What stands in for the secret of a key that is not known. Whoever reads the source has it.
const STAND_IN: &str = "5374616e642d696e2c20616e64206e6f2073656372657420746f20616e796f6e";

/// A signature under the stand-in is a wrong one, as early as any other: otherwise whoever makes it learns by it
/// which ids are unknown, and of an upload its first chunks would be let through.
#[test]
fn attack_36_who_knows_the_stand_in_key_learns_nothing() {
    assert!(include_str!("../../../countersign-core/src/verify/mod.rs").contains(STAND_IN));
    let mut early = 0;
    for subject in all_subjects().iter().filter(|subject| subject.is_keyed_by_secret()) {
        let insider = subject.with_key(Key::secret(STAND_IN.as_bytes()).with_id(CLIENT));
        // Some take a part of their secret that this one does not have.
        let Ok(signed) = insider.sign(&sample(subject)) else { continue };
        let wrong = subject.with_key(Key::secret(SECRET.as_bytes()).with_id(CLIENT));
        let judged = |keys: &KeySet| {
            signed.view(subject.plan.body_need() == BodyNeed::Buffer, |view| {
                let state = subject.verifier.start(view, UnixTime::from_secs(NOW)).expect("its carriers are read");
                state.key(keys).map(|state| state.signature_holds())
            })
        };
        let (unknown, known) = (judged(&KeySet::default()), judged(&wrong.keys));
        let public = |judged: &Result<bool, countersign_core::Rejection>| match judged {
            Ok(holds) => Ok(*holds),
            Err(rejection) => Err(rejection.public()),
        };
        assert_eq!(public(&unknown), public(&known), "{}", subject.name);
        early += usize::from(public(&known) == Err(PublicReason::Wrong));
    }
    assert!(early > 10, "{early} schemes check their signature before the body");
}

/// Whether the beginning of a secret stands in `text`: as text, as a list of numbers, or in hexadecimal digits.
fn shows(text: &str, secret: &[u8]) -> bool {
    let part = &secret[..secret.len().min(12)];
    let numbers: Vec<String> = part.iter().map(u8::to_string).collect();
    let hex: Vec<String> = part.iter().map(|byte| format!("{byte:02x}")).collect();
    text.contains(&numbers.join(", "))
        || text.contains(&*String::from_utf8_lossy(part))
        || text.contains(&hex.concat())
}

/// No state of a verification prints a secret, nor what was made of one on the way.
#[test]
fn attack_35_nothing_that_prints_itself_prints_a_secret() {
    for subject in all_subjects() {
        let Material::Secret(secret) = &subject.key.material else { continue };
        let signed = subject.signed(&sample(&subject));
        let mut secrets = vec![secret.expose().to_vec()];
        // What the scheme makes of it is shown by those who ask for it, and by nobody else.
        let stages = subject.explain(&signed).stages;
        secrets.extend(stages.into_iter().filter(|stage| stage.name.contains("key")).map(|stage| stage.bytes));
        secrets.retain(|secret| secret.len() >= 8 && *secret != CLIENT.as_bytes());
        let printed = signed.view(true, |view| {
            let mut printed = Vec::new();
            let state = subject.verifier.start(view, UnixTime::from_secs(NOW)).expect("its carriers are read");
            printed.push(format!("{state:?}"));
            let state = state.key(&subject.keys).expect("a key");
            printed.push(format!("{state:?}"));
            let checked = state.finish().expect("it holds");
            printed.push(format!("{checked:?}"));
            drop(checked);
            printed.push(format!("{:?}", subject.verifier));
            printed
        });
        for (at, text) in printed.iter().enumerate() {
            for secret in &secrets {
                assert!(!shows(text, secret), "{}: state {at} prints a secret", subject.name);
            }
        }
    }
}

/// The salt of `akamai-edgeauth` is a second secret, and comes as a variable.
#[test]
fn attack_35_a_variable_is_not_printed() {
    let subject = all_subjects().into_iter().find(|subject| subject.name == "akamai-edgeauth").expect("it is there");
    let salt = "a salt that nobody else knows";
    let verifier = Verifier::new(Arc::clone(&subject.plan)).with_var("salt", salt);
    let signer = Signer::new(Arc::clone(&subject.plan)).with_var("salt", salt);
    for text in [format!("{verifier:?}"), format!("{signer:?}")] {
        assert!(!shows(&text, salt.as_bytes()), "{text}");
    }
    let control = format!("{:?}", salt.as_bytes());
    assert!(shows(&control, salt.as_bytes()));
}

/// Long enough for what is linear, and far too short for what is quadratic.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "how long something takes is what is tested")]
fn within_reason<T>(work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    assert!(begun.elapsed() < Duration::from_secs(1), "it took {:?}", begun.elapsed());
    done
}

/// A name for each number, of three letters at most.
fn name(number: usize) -> String {
    let digit = |place: usize| char::from(b"0123456789abcdefghijklmnopqrstuv"[number >> (5 * place) & 31]);
    [digit(2), digit(1), digit(0)].iter().collect()
}

#[test]
fn attack_31_many_parameters_cost_no_more_than_their_number() {
    for filter in ["fold \",\"", "first", "last"] {
        let text = format!(
            "[header]\nX-Sign = \"{{signature:hex}}\"\n[sign]\nbase = '{{query | {filter} | join \"&\"}}'\n\
             signature = \"{{base | hmac-sha256 secret | hex}}\"\n[fresh]\nreplay = \"never\"\n"
        );
        let subject = Subject::from("many", &text);
        let many: Vec<String> = (0..10_000).map(name).collect();
        let message = Message::new("GET", &format!("/?{}", many.join("&"))).with_field("X-Sign", &"0".repeat(64));
        let verdict = within_reason(|| subject.verify(&message));
        assert_eq!(verdict.unwrap_err().reason(), Reason::SignatureMismatch, "{filter}");
        // And what they are for is still so.
        let signed = subject.signed(&Message::new("GET", "/?a=1&b=2&a=3&c&b=4&a=5"));
        let base = String::from_utf8(subject.base(&signed).expect("a base")).expect("text");
        let expected = match filter {
            "first" => "a=1&b=2&c",
            "last" => "a=5&b=4&c",
            _ => "a=1,3,5&b=2,4&c",
        };
        assert_eq!(base, expected, "{filter}");
    }
}

/// A message with so many parts.
type Parts<'p> = &'p dyn Fn(usize) -> Message;

/// Of many parameters, members or children each takes more room than it did on the wire.
#[test]
fn attack_31_a_message_has_no_more_than_ten_thousand_parts() {
    let scheme = |list: &str| {
        let text = format!(
            "[header]\nX-Sign = \"{{signature:hex}}\"\n[sign]\nbase = '{{{list} | join \"&\"}}'\n\
             signature = \"{{base | hmac-sha256 secret | hex}}\"\n[fresh]\nreplay = \"never\"\n"
        );
        Subject::from("many", &text)
    };
    let names = |count: usize| (0..count).map(name).collect::<Vec<_>>();
    let query = |count| Message::new("GET", &format!("/?{}", names(count).join("&")));
    let form = |count| Message::new("POST", "/?x").with_body(&names(count).join("&"));
    let json = |count| {
        let members: Vec<String> = names(count).iter().map(|name| format!("\"{name}\":1")).collect();
        Message::new("POST", "/?x").with_body(&format!("{{{}}}", members.join(",")))
    };
    let xml = |count| {
        let children: Vec<String> = names(count).iter().map(|name| format!("<x{name}/>")).collect();
        Message::new("POST", "/").with_body(&format!("<a>{}</a>", children.concat()))
    };
    let lists: [(&str, usize, Parts<'_>); 6] = [
        ("query", 10_000, &query),
        ("query-raw", 10_000, &query),
        ("form", 10_000, &form),
        ("params", 9_999, &form),
        ("query-json", 9_999, &json),
        ("xml", 10_000, &xml),
    ];
    for (list, most, message) in lists {
        let subject = scheme(list);
        for (count, expected) in [(most, Reason::SignatureMismatch), (most + 1, Reason::TooLarge)] {
            let verdict = subject.verify(&message(count).with_field("X-Sign", &"0".repeat(64)));
            assert_eq!(verdict.unwrap_err().reason(), expected, "{list}: {count}");
        }
    }
}

/// Patterns take time to match, so whose they are is asked before.
#[test]
fn attack_31_patterns_are_matched_for_those_alone_who_may_make_them() {
    let subject = Subject::of("akamai-edgeauth");
    let pattern = format!("*{}b", "a".repeat(4_000));
    let token = format!("exp={}~acl={pattern}~hmac={}", NOW + 60, "0".repeat(64));
    let message = Message::new("GET", &format!("/{}?__token__={token}", "a".repeat(57_000)));
    let verdict = within_reason(|| subject.verify(&message));
    assert_eq!(verdict.unwrap_err().reason(), Reason::SignatureMismatch);
}
