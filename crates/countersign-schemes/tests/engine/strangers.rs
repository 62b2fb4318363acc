//! What somebody without a key comes by: neither anything secret, nor more work than a request's size is worth.

use crate::support::{CLIENT, Message, NOW, SECRET, Subject, all_subjects, sample};
use countersign_core::BodyNeed;
use countersign_core::key::{Key, KeySet, Material};
use countersign_core::reject::PublicReason;
use countersign_core::time::UnixTime;

/// What stands in for the secret of a key that is not known. Whoever reads the source has it.
const STAND_IN: &str = "no key is known for this id, and nobody must notice";

/// A signature under the stand-in is a wrong one, as early as any other: otherwise whoever makes it learns by it
/// which ids are unknown, and of an upload its first chunks would be let through.
#[test]
fn attack_36_who_knows_the_stand_in_key_learns_nothing() {
    assert!(include_str!("../../../countersign-core/src/verify/mod.rs").contains(STAND_IN));
    let mut early = 0;
    for subject in all_subjects().iter().filter(|subject| subject.is_keyed_by_secret()) {
        let insider = subject.with_key(Key::secret(STAND_IN.as_bytes()).with_id(CLIENT));
        // Some decode their secret, and this is neither base64 nor hexadecimal.
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
    text.contains(&numbers.join(", ")) || text.contains(&*String::from_utf8_lossy(part)) || text.contains(&hex.concat())
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
