//! A body in pieces is the body as a whole.

use crate::generate::cuts;
use crate::round_trip::on_signed;
use crate::support::{all_subjects, sample};
use countersign_core::BodyNeed;
use proptest::prelude::*;

#[test]
fn pieces_are_judged_as_the_whole() {
    on_signed(30, (cuts(), any::<prop::sample::Index>(), any::<u8>()), |subject, _, signed, (cuts, at, by)| {
        let mut damaged = signed.clone();
        if !damaged.body.is_empty() {
            let at = at.index(damaged.body.len());
            damaged.body[at] ^= by;
        }
        let mut longer = signed.clone();
        longer.body.push(*by);
        for seen in [signed, &damaged, &longer] {
            let whole = subject.verify(seen);
            let pieces = subject.verify_streamed(seen, cuts);
            if subject.plan.body_need() == BodyNeed::Buffer {
                prop_assert!(pieces.is_err(), "a body that was not there was passed over: {:?}", pieces);
            } else {
                prop_assert_eq!(&whole, &pieces);
            }
        }
        Ok(())
    });
}

/// Every need for a body is met by some scheme above.
#[test]
fn every_need_has_a_scheme() {
    let subjects = all_subjects();
    for need in [BodyNeed::Buffer, BodyNeed::DigestClaimed, BodyNeed::HashFirst, BodyNeed::Inline, BodyNeed::Unsigned]
    {
        assert!(subjects.iter().any(|subject| subject.plan.body_need() == need), "{need:?}");
    }
}

/// Where the plan says that the head alone is signed with a digest, a wrong signature is told before the body.
#[test]
fn a_claimed_digest_waits_for_the_body_and_the_signature_does_not() {
    for subject in all_subjects().iter().filter(|subject| subject.plan.body_need() == BodyNeed::DigestClaimed) {
        let signed = subject.signed(&sample(subject));
        let early = signed.view(false, |view| {
            let state = subject.verifier.start(view, countersign_core::UnixTime::from_secs(crate::support::NOW));
            state.and_then(|state| state.key(&subject.keys)).map(|state| state.signature_holds())
        });
        let claims = signed.field("x-amz-content-sha256").is_some() || !subject.name.starts_with("aws-");
        assert_eq!(early, Ok(claims), "{}", subject.name);
    }
}
