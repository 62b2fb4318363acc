//! Several keys at once, and alternatives: what was computed with one key or for one alternative is of no use for the
//! next.

use crate::support::{CLIENT, Message, NOW, Subject, reason, sample};
use countersign_core::key::{Key, KeySet};
use countersign_core::reject::Reason;
use countersign_core::time::UnixTime;
use std::sync::Arc;

const HEAD: &str = "[header]\nX-Time = \"{timestamp:unix}\"\nX-Sign = \"{signature:hex}\"\n";

/// Under each order of four keys, of which one signed, the message verifies; without that one it does not.
#[track_caller]
fn rotates(text: &str, keys: &[Key]) {
    let text = format!("{HEAD}{text}\n[fresh]\ntimestamp = \"5m\"\n");
    let subject = Subject::from("rotating", &text);
    let keys: Vec<Key> = keys.iter().map(|key| key.clone().with_id(CLIENT)).collect();
    for (own, key) in keys.iter().enumerate() {
        let signed = subject.with_key(key.clone()).signed(&sample(&subject));
        for first in 0..keys.len() {
            let mut order: Vec<usize> = (0..keys.len()).map(|at| (first + at) % keys.len()).collect();
            // A state that outlives a message must not outlive its key: the same key objects serve all rounds.
            let set = |order: &[usize]| KeySet::new(order.iter().map(|at| Arc::new(keys[*at].clone())));
            let with = set(&order);
            let now = UnixTime::from_secs(NOW);
            for round in 0..2 {
                let held = subject.verify_at(&signed, &with, now);
                assert!(held.is_ok(), "key {own} in {order:?}, round {round}: {held:?}\n{text}");
            }
            let whole = subject.verify_at(&signed, &with, now);
            let streamed = Subject { keys: with, ..subject.with_key(key.clone()) }.verify_streamed(&signed, &[3, 4]);
            if subject.plan.body_need() != countersign_core::BodyNeed::Buffer {
                assert_eq!(whole, streamed, "key {own} in {order:?}\n{text}");
            }
            order.retain(|at| *at != own);
            let refused = reason(&subject.verify_at(&signed, &set(&order), now));
            assert_eq!(refused, Reason::SignatureMismatch, "without key {own}\n{text}");
        }
    }
}

fn secrets() -> Vec<Key> {
    ["one-secret", "another-secret", "a-third-secret", "the-last-secret"]
        .map(|text| Key::secret(text.as_bytes()))
        .into()
}

#[test]
fn secrets_rotate_wherever_the_secret_stands() {
    for base in
        ["{timestamp}.{body}", "{secret}.{body}.{secret}", "{body | sha256 | hex}.{path}", "{timestamp}.{path}"]
    {
        rotates(&sign(base, "{base | hmac-sha256 secret | hex}"), &secrets());
        rotates(&sign(&format!("{base}{{secret}}"), "{base | md5 | hex}"), &secrets());
    }
}

fn sign(base: &str, signature: &str) -> String {
    format!("[sign]\nbase = \"{base}\"\nsignature = \"{signature}\"")
}

#[test]
fn a_let_that_draws_on_the_secret_is_computed_for_each_key() {
    for base in ["{tag}.{body}", "{body}.{tag}", "{tag}.{body}.{tag}", "{tag}.{path}", "{tag}.{body | sha256 | hex}"]
    {
        let text = format!(
            "[let]\ntag = \"{{secret | sha256 | hex}}\"\n[sign]\nbase = \"{{timestamp}}{base}\"\n\
             signature = \"{{base | hmac-sha256 secret | hex}}\""
        );
        rotates(&text, &secrets());
    }
}

#[test]
fn a_digest_over_secret_and_body_is_computed_for_each_key() {
    for digest in [r#"{"{secret}{body}" | sha256 | hex}"#, r#"{"{body}{secret}" | sha256 | hex}"#] {
        let text =
            format!("[sign]\nbase = '{{timestamp}}{digest}'\nsignature = \"{{base | hmac-sha256 secret | hex}}\"");
        rotates(&text, &secrets());
    }
}

#[test]
fn keys_of_several_algorithms_rotate() {
    let named = |names: [&str; 3]| -> Vec<Key> {
        names.map(|name| crate::keys::named(Key::secret(*b"the same secret"), name)).into()
    };
    for base in ["{body | digest | hex}", "{sum}", "{sum}.{body}", "{body}.{sum}", "{tag}{body}", "{body}{tag}"] {
        let lets = "[let]\nsum = \"{path | digest | hex}\"\ntag = \"{path | hmac secret | hex}\"\n";
        let sign = format!("[sign]\nbase = \"{{timestamp}}{base}\"\n");
        let algorithms = "[key]\nalgorithms = [\"hmac-sha256\", \"hmac-sha1\", \"hmac-sha512\"]\n";
        let text = format!("{algorithms}{lets}{sign}signature = \"{{base | hmac secret | hex}}\"");
        rotates(&text, &named(["hmac-sha256", "hmac-sha1", "hmac-sha512"]));
    }
}

#[test]
fn alternatives_have_their_own_keys() {
    let text = format!(
        "{HEAD}[let]\nkey = '{{secret | hmac-sha256 \"one\"}}'\n[sign]\nbase = \"{{timestamp}}{{path}}\"\n\
         signature = \"{{base | hmac-sha256 key | hex}}\"\n[[try]]\n[[try]]\n\
         let = {{ key = '{{secret | hmac-sha256 \"two\"}}' }}\n[fresh]\ntimestamp = \"5m\"\n"
    );
    let both = Subject::from("alternatives", &text);
    let two = Subject::from("two", &text.replacen("\"one\"", "\"two\"", 1));
    for signer in [&both, &two, &both, &two] {
        let signed = signer.signed(&sample(&both));
        let held = both.verify(&signed);
        assert!(held.is_ok(), "signed by {}: {held:?}", signer.name);
    }
    let three = Subject::from("three", &text.replacen("\"one\"", "\"three\"", 1));
    assert_eq!(reason(&both.verify(&three.signed(&sample(&both)))), Reason::SignatureMismatch);
}

/// What is captured must agree with the alternative that holds, not with the first one.
#[test]
fn captures_agree_with_the_alternative_that_holds() {
    let text = format!(
        "{HEAD}X-Sum = \"{{sum:hex}}\"\n[let]\nsum = \"{{body | md5 | hex}}\"\n[sign]\n\
         base = \"{{timestamp}}{{path}}{{sum}}\"\nsignature = \"{{base | hmac-sha256 secret | hex}}\"\n\
         [[try]]\nbase = \"one{{timestamp}}{{sum}}\"\n[[try]]\nbase = \"two{{timestamp}}{{sum}}\"\n\
         let = {{ sum = \"{{body | sha1 | hex}}\" }}\n[fresh]\ntimestamp = \"5m\"\n"
    );
    let both = Subject::from("alternatives", &text);
    let two = text.replacen("md5", "sha1", 1).replacen("\"one", "\"two", 1);
    let two = Subject::from("two", &two);
    for signer in [&both, &two] {
        let signed = signer.signed(&sample(&both));
        let held = both.verify(&signed);
        assert!(held.is_ok(), "signed by {}: {held:?}", signer.name);
        let swapped = Message { body: b"another body".to_vec(), ..signed };
        assert_eq!(reason(&both.verify(&swapped)), Reason::DigestMismatch, "signed by {}", signer.name);
    }
}

/// An alternative that cannot be computed for a message says nothing about the others.
#[test]
fn a_wrong_signature_is_a_wrong_signature_whatever_the_alternatives_lack() {
    for name in ["twilio-form", "sink-try"] {
        let subject = crate::support::all_subjects().into_iter().find(|subject| subject.name == name).expect("there");
        let signed = subject.with_key(Key::secret(*b"another secret===").with_id(CLIENT));
        let Ok(signed) = signed.sign(&sample(&subject)) else { continue };
        assert_eq!(reason(&subject.verify(&signed)), Reason::SignatureMismatch, "{name}");
    }
}

/// Of several signatures one has to hold, whichever it is; more than eight are none.
#[test]
fn attack_16_one_of_a_few_signatures_has_to_hold() {
    for (name, foreign) in [
        ("standard-webhooks", "v1,MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="),
        (
            "standard-webhooks-v1a",
            "v1a,MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE0MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMQ==",
        ),
    ] {
        let subject = Subject::of(name);
        let signed = subject.signed(&sample(&subject));
        let own = String::from_utf8(signed.field("webhook-signature").expect("there").to_vec()).expect("text");
        let judged = |signatures: &[&str]| {
            let mut changed = signed.clone();
            changed.set_field("webhook-signature", signatures.join(" "));
            subject.verify(&changed)
        };
        for others in 0..8 {
            let mut signatures = vec![foreign; others];
            let verdict = judged(&[&signatures[..], &["v9,unknown"]].concat());
            let expected = if others == 0 { Reason::CredentialMalformed } else { Reason::SignatureMismatch };
            assert_eq!(reason(&verdict), expected, "{name}: {others}");
            for at in 0..=others {
                signatures.insert(at, &own);
                assert!(judged(&signatures).is_ok(), "{name}: {at} of {others}");
                // A signature of a kind that the scheme does not know is passed over, and not taken for one that it does.
                assert!(judged(&[&["v9,unknown"], &signatures[..]].concat()).is_ok(), "{name}: {at} of {others}");
                signatures.remove(at);
            }
        }
        for at in 0..=8 {
            let mut signatures = vec![foreign; 8];
            signatures.insert(at, &own);
            assert_eq!(reason(&judged(&signatures)), Reason::CredentialMalformed, "{name}: {at}");
        }
    }
}
