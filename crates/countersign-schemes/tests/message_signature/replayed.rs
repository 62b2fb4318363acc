//! What the replay store remembers a message by.

use std::sync::Arc;

use countersign_core::{Checked, Key, KeySet, UnixTime};

use crate::changed::keys;
use crate::support::{Message, NOW, sign_by, strict, verifier};

/// The digest that the store is asked about; `require` is what the verifier insists on, nonce or not.
fn entry(message: &Message, require: &str, key: &Key) -> [u8; 32] {
    let keys = KeySet::new([Arc::new(key.clone())]);
    let verifier = verifier(&strict(), &[("require", require)]);
    message.seen(|view| match verifier.start(view, UnixTime::from_secs(NOW)).expect("fresh").key(&keys) {
        Ok(state) => match state.finish().expect("it holds") {
            Checked::NeedsReplay(waiting) => waiting.entry().digest,
            Checked::Verified(_) => panic!("it is not remembered"),
        },
        Err(rejection) => panic!("{:?}", rejection.reason()),
    })
}

/// Whoever signs the same bytes once more, as ECDSA and RSA-PSS do with another signature, has said nothing new.
#[test]
fn attack_24_without_a_nonce_a_message_is_what_was_signed_and_not_how() {
    let vars = [("components", "@method @path")];
    let mut others = 0;
    for (algorithm, private, public) in keys() {
        let signed =
            |path: &str| sign_by(&strict(), &vars, &Message::request("POST", path), &private).expect(algorithm);
        let (one, two) = (signed("/a"), signed("/a"));
        others += usize::from(one.value("signature") != two.value("signature"));
        assert_eq!(entry(&one, "@method", &public), entry(&two, "@method", &public), "{algorithm}");
        assert_ne!(entry(&one, "@method", &public), entry(&signed("/b"), "@method", &public), "{algorithm}");
    }
    assert_eq!(others, 3, "two signatures of one message: ECDSA with both curves, and RSA-PSS");
}

/// With a nonce it is that, whatever else is signed: a nonce is spent once.
#[test]
fn attack_24_with_a_nonce_a_message_is_its_nonce() {
    let vars = [("components", "@method @path"), ("nonce", "n-1")];
    for (algorithm, private, public) in keys() {
        let signed =
            |path: &str| sign_by(&strict(), &vars, &Message::request("POST", path), &private).expect(algorithm);
        let spent = entry(&signed("/a"), "@method", &public);
        assert_eq!(spent, entry(&signed("/b"), "@method", &public), "{algorithm}");
        let other = [("components", "@method @path"), ("nonce", "n-2")];
        let other = sign_by(&strict(), &other, &Message::request("POST", "/a"), &private).expect(algorithm);
        assert_ne!(spent, entry(&other, "@method", &public), "{algorithm}");
    }
}
