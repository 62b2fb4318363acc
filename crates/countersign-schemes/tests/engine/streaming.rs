//! A body in pieces is the body as a whole.

use crate::generate::cuts;
use crate::round_trip::on_signed;
use crate::support::{Message, Subject, all_subjects, sample};
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
                // A scheme may need the whole body of some messages only: the others are judged as ever.
                let judged = pieces.is_err() || pieces == whole;
                prop_assert!(judged, "a body that was not there was passed over: {:?}", pieces);
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

/// Those that take the digest that the head claims, and compute it where there is none.
fn claims_optionally(scheme: &str) -> bool {
    scheme.starts_with("aws-") || scheme == "tencent-tc3"
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
        let claims = signed.field("x-amz-content-sha256").is_some() || !claims_optionally(&subject.name);
        assert_eq!(early, Ok(claims), "{}", subject.name);
    }
}

/// Wherever the body stands in the base, in the clear or as a digest, once or twice, before or behind itself.
#[test]
fn the_body_streams_wherever_it_stands() {
    let mut streamed = 0;
    for (base, need) in [
        ("{timestamp}.{body}.{path}", BodyNeed::Inline),
        ("{body}", BodyNeed::Inline),
        ("{body}.{body | sha256 | hex}", BodyNeed::Inline),
        ("{body | sha256 | hex}.{body | md5 | b64}.{body | sha256 | HEX}", BodyNeed::HashFirst),
        ("{\"{method} {body} {path}\" | sha1 | hex}", BodyNeed::HashFirst),
        ("{sum}.{path}", BodyNeed::HashFirst),
        ("{body}{sum}", BodyNeed::Inline),
        ("{header.digest | or sum}", BodyNeed::DigestClaimed),
        ("{path}", BodyNeed::Unsigned),
        // In these the body is needed before it has come, or more than once.
        ("{body | sha256 | hex}.{body}", BodyNeed::Buffer),
        ("{sum}.{body}", BodyNeed::Buffer),
        ("{body}{body}", BodyNeed::Buffer),
        ("{path}[{body}]", BodyNeed::Buffer),
        ("{body | lower}", BodyNeed::Buffer),
        ("{body | slice 0 12}", BodyNeed::Buffer),
        ("{\"{body | md5 | hex}{body}\" | sha1 | hex}", BodyNeed::Buffer),
        ("{\"{body}{body | md5 | hex}\" | sha1 | hex}", BodyNeed::Buffer),
        ("{\"{body}{secret}\" | sha1 | hex}", BodyNeed::Buffer),
        ("{body | hmac-sha1 secret | hex}", BodyNeed::Buffer),
        ("{json.amount}", BodyNeed::Buffer),
    ] {
        for primitive in ["hmac-sha256 secret", "sha256"] {
            let base = if primitive == "sha256" { format!("{base}{{secret}}") } else { base.to_owned() };
            let sum = if base.contains("sum}") { "[let]\nsum = \"{body | sha512 | b64}\"\n" } else { "" };
            let text = format!(
                "[header]\nX-Time = \"{{timestamp:unix}}\"\nX-Sign = \"{{signature:hex}}\"\n{sum}[sign]\nbase = '{base}'\n\
                 signature = \"{{base | {primitive} | hex}}\"\n[fresh]\ntimestamp = \"5m\"\n"
            );
            let subject = Subject::from("placed", &text);
            assert_eq!(subject.plan.body_need(), need, "{base}");
            for body in ["{\"amount\":10}", "{\"amount\":11}"] {
                let signed = subject.signed(&Message::new("POST", "/a").with_body(body));
                let seen = signed.clone().with_body("{\"amount\":10}");
                let whole = subject.verify(&seen);
                assert_eq!(whole.is_ok(), seen == signed || need == BodyNeed::Unsigned, "{base}");
                for cuts in [&[][..], &[0], &[1], &[5, 0, 5]] {
                    let pieces = subject.verify_streamed(&seen, cuts);
                    if need == BodyNeed::Buffer {
                        assert!(pieces.is_err(), "{base}");
                    } else {
                        streamed += 1;
                        assert_eq!(whole, pieces, "{base}");
                    }
                }
            }
        }
    }
    assert!(streamed > 100, "{streamed}");
}
