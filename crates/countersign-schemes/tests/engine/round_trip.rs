//! What is signed verifies, or is not signed; and an explanation judges as verification does.

use crate::generate::{cases, message, text};
use crate::support::{CLIENT, Message, NONCE, NOW, Subject, all_subjects, reason, sample};
use countersign_core::SignError;
use countersign_core::key::Key;
use countersign_core::reject::Reason;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use std::cell::Cell;

/// Runs a property on every scheme and on messages signed under it. Enough of them must be possible to sign, or the
/// property would say little.
pub(crate) fn on_signed<S: Strategy>(
    count: u32,
    more: S,
    property: impl Fn(&Subject, &Message, &Message, &S::Value) -> Result<(), TestCaseError>,
) {
    let more = std::sync::Arc::new(more);
    for subject in all_subjects() {
        let (signed, tried) = (Cell::new(0), Cell::new(0));
        let result = TestRunner::new(cases(count)).run(&(message(&subject.name), more.clone()), |(message, more)| {
            tried.set(tried.get() + 1);
            let Ok(whole) = subject.sign(&message) else { return Ok(()) };
            signed.set(signed.get() + 1);
            property(&subject, &message, &whole, &more)
        });
        if let Err(failure) = result {
            panic!("{}: {failure}", subject.name);
        }
        assert!(signed.get() * 10 >= tried.get(), "{}: {} of {}", subject.name, signed.get(), tried.get());
    }
}

#[test]
fn nothing_verifies_unsigned() {
    for subject in all_subjects() {
        let refused = reason(&subject.verify(&sample(&subject)));
        let missing = [Reason::SignatureMissing, Reason::CredentialMalformed];
        assert!(missing.contains(&refused), "{}: {refused:?}", subject.name);
    }
}

#[test]
fn every_scheme_signs_its_sample() {
    for subject in all_subjects() {
        let signed = subject.signed(&sample(&subject));
        let held = subject.verify(&signed).unwrap_or_else(|refusal| panic!("{}: {refusal:?}", subject.name));
        let names_key = subject.plan.scheme().request.fields.iter().any(|field| field.name == "key-id");
        assert!(held.key_id.as_deref() == Some(CLIENT.as_bytes()), "{}: {:?}", subject.name, held.key_id);
        assert_eq!(names_key, held.capture("key-id").is_some(), "{}", subject.name);
        // One leaves a parameter out of whatever it signs, so no part is covered whole.
        assert!(!held.coverage.covered.is_empty() || subject.name == "jeecg-sign", "{}", subject.name);
        assert_eq!(
            subject.sign(&signed).map(|_| false).map_err(|error| matches!(error, SignError::AlreadySigned { .. })),
            // A path may be signed again: it is the rest of another path.
            if subject.name == "sink-path" { Ok(false) } else { Err(true) },
            "{}: signed twice",
            subject.name
        );
    }
}

#[test]
fn what_is_signed_verifies() {
    on_signed(60, Just(()), |subject, message, signed, ()| {
        let held = subject.verify(signed);
        prop_assert!(held.is_ok(), "{:?}\nfrom {:?}\nsigned {:?}", held, message, signed);
        Ok(())
    });
}

/// Values that carriers hold: whatever they are, they are carried and read back, or refused.
#[test]
fn what_is_signed_with_hostile_values_verifies() {
    for subject in all_subjects() {
        let carried = Cell::new(0);
        let plain = sample(&subject);
        let nonce = prop_oneof![Just(NONCE.to_owned()), text(), "[a-z~.-]{16,20}"];
        let values = (text(), nonce, text(), text());
        let result = TestRunner::new(cases(100)).run(&values, |(id, nonce, region, ext)| {
            let subject = subject.with_key(subject.key.clone().with_id(id.clone()));
            let vars = [("region", region.as_str()), ("ext", &ext), ("token", &ext), ("session", &ext)];
            let vars = [&vars[..], &[("realm", ext.as_str()), ("app", &ext), ("service", &ext)]].concat();
            let Ok(signed) = subject.sign_with(&plain, &vars, NOW, &nonce) else { return Ok(()) };
            carried.set(carried.get() + 1);
            let held = subject.verify(&signed);
            prop_assert!(held.is_ok(), "{:?}\nsigned {:?}", held, signed);
            let held = held.expect("held");
            if let Some(captured) = held.capture("key-id") {
                prop_assert_eq!(captured, id.as_bytes());
            }
            if let Some(captured) = held.capture("nonce") {
                prop_assert_eq!(captured, nonce.as_bytes());
            }
            Ok(())
        });
        if let Err(failure) = result {
            panic!("{}: {failure}", subject.name);
        }
        assert!(carried.get() > 0, "{}", subject.name);
    }
}

/// One change of a message, so that verification is left by every door.
fn changed(message: &Message, at: usize, by: u8) -> Message {
    let mut changed = message.clone();
    let mut parts: Vec<&mut Vec<u8>> = vec![&mut changed.target, &mut changed.body];
    parts.extend(changed.fields.iter_mut().map(|(_, value)| value));
    let mut parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let count = parts.len();
    if let Some(part) = parts.get_mut(at % count.max(1)) {
        let index = (at / count.max(1)) % part.len();
        part[index] ^= by;
    }
    changed
}

#[test]
fn an_explanation_judges_as_verification_does() {
    on_signed(30, (any::<usize>(), any::<u8>()), |subject, message, signed, (at, by)| {
        for seen in [message, signed, &changed(signed, *at, *by)] {
            let judged = subject.verify(seen);
            let explained = subject.explain(seen);
            match (&judged, &explained.verdict) {
                (Ok(held), Ok(other)) => {
                    prop_assert_eq!(&held.key_id, &other.key_id);
                    prop_assert_eq!(held.signed_at, other.signed_at);
                    prop_assert_eq!(&held.coverage, &other.coverage);
                    for (name, value) in &held.captures {
                        prop_assert!(explained.fields.contains(&(name.clone(), value.clone())), "{}", name);
                    }
                }
                (Err(rejection), Err(other)) => prop_assert_eq!(rejection, other),
                _ => prop_assert!(false, "{:?} and {:?}", judged, explained.verdict),
            }
        }
        Ok(())
    });
}

/// Whoever is given what was read writes what was sent, to the byte, whatever the time is by then.
#[test]
fn what_was_read_from_carriers_is_written_again() {
    for subject in all_subjects() {
        let signed = subject.signed(&sample(&subject));
        let held = subject.verify(&signed).expect("it holds");
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).expect("text");
        let captures: Vec<_> = held.captures.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
        let given: Vec<_> = captures.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut again =
            subject.sign_with(&sample(&subject), &given, NOW + 123, "another-nonce-9876").expect(&subject.name);
        // A signature of its own each time; all else is as it was.
        let own = match subject.name.as_str() {
            "draft-cavage-12-ecdsa-p256"
            | "draft-cavage-12-rsa-pss-sha512"
            | "huawei-sdk-ecdsa-p256"
            | "huawei-sdk-sm2" => Some("Authorization"),
            "sendgrid-ecdsa" => Some("X-Twilio-Email-Event-Webhook-Signature"),
            _ => None,
        };
        if let Some(name) = own {
            again.set_field(name, signed.field(name).expect("there"));
        }
        // Field lines of different names have no order: RFC 9110, section 5.3.
        let mut signed = signed;
        again.fields.sort();
        signed.fields.sort();
        if subject.name.starts_with("aws-sigv4a") {
            // The same, where the signature is a part of a field or of the target.
            assert_eq!(subject.verify(&again).expect("it holds").captures, held.captures, "{}", subject.name);
            continue;
        }
        assert_eq!(again, signed, "{}", subject.name);
    }
}

/// The engine itself says so of every carrier of a message.
#[test]
fn every_carrier_is_written_as_it_was_read() {
    for subject in all_subjects() {
        let signed = subject.signed(&sample(&subject));
        let carried = signed.view(true, |view| subject.verifier.carried(view)).expect("carriers");
        assert!(carried.iter().any(|carried| !carried.sent.is_empty()), "{}", subject.name);
        for carried in carried {
            assert!(carried.same, "{}: {carried:?}", subject.name);
            assert_eq!(carried.sent, carried.written, "{}: {}", subject.name, carried.name);
        }
    }
}

/// What an explanation shows as the message's own signature is the one that holds.
#[test]
fn an_explanation_computes_the_signature_that_holds() {
    for subject in all_subjects().iter().filter(|subject| !subject.is_asymmetric()) {
        let signed = subject.signed(&sample(subject));
        let explained = subject.explain(&signed);
        assert!(explained.claimed_signature.is_some(), "{}", subject.name);
        assert_eq!(explained.claimed_signature, explained.computed_signature, "{}", subject.name);
    }
}

#[test]
fn a_message_that_no_verifier_would_read_is_not_signed() {
    for subject in all_subjects() {
        let usual = sample(&subject);
        let mut signed = 0;
        for (target, method, authority) in [
            ("/a\nb", "POST", "h"),
            ("", "POST", "h"),
            ("http://h/a", "POST", "h"),
            ("/a", "P ST", "h"),
            ("/a", "", "h"),
            ("/a", "POST", "h h"),
            ("*", "OPTIONS", "h"),
        ] {
            let message = Message {
                target: target.into(),
                method: method.into(),
                authority: authority.into(),
                ..usual.clone()
            };
            if let Ok(whole) = subject.sign(&message) {
                signed += 1;
                assert!(subject.verify(&whole).is_ok(), "{}: {message:?}", subject.name);
            }
        }
        assert!(signed <= 1 || subject.name == "sink-path", "{}: {signed}", subject.name);
    }
}

#[test]
fn a_nonce_that_a_scheme_has_is_not_left_out() {
    for subject in all_subjects().iter().filter(|subject| subject.plan.captures_nonce()) {
        let refused = subject.sign_with(&sample(subject), &[], NOW, "").expect_err(&subject.name);
        assert!(matches!(refused, SignError::ValueUnfit { .. }), "{}: {refused}", subject.name);
        assert!(subject.sign_with(&sample(subject), &[], NOW, NONCE).is_ok(), "{}", subject.name);
    }
}

/// The field that carries the list of what is signed is listed where it is asked for by its name, and there only: a
/// vendor's verifier wants it, or does not expect it.
#[test]
fn the_list_of_what_is_signed_lists_itself_only_if_asked_to() {
    for (cover, listed) in [("*", "host,x-a"), ("* x-signed", "host,x-a,x-signed")] {
        let text = format!(
            "[header]\nX-Signed = \"{{signed:names-comma}}\"\nX-Sign = \"{{signature:hex}}\"\n[sign]\ncover = \"{cover}\"\n\
             base = '{{headers | pick signed | each \"{{k}}:{{v}}\" | join \";\"}}'\n\
             signature = \"{{base | hmac-sha256 secret | hex}}\"\n[fresh]\nreplay = \"never\"\n"
        );
        let subject = Subject::from("case", &text).with_key(Key::secret(*b"Jefe"));
        let signed = subject.sign(&Message::new("GET", "/").with_field("X-A", "1")).expect("signed");
        assert_eq!(signed.field("x-signed"), Some(listed.as_bytes()));
        assert!(subject.verify(&signed).is_ok(), "{cover}");
    }
}
