//! What somebody without a key comes by: neither anything secret, nor more work than a request's size is worth.

use crate::support::{CLIENT, Message, NOW, SECRET, Subject, all_subjects, sample};
use countersign_core::BodyNeed;
use countersign_core::key::{Key, KeySet};
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
