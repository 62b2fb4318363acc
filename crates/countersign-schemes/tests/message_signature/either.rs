//! Schemes side by side under one name.

use std::sync::Arc;

use countersign_core::{Plan, Reason};
use countersign_schemes::{Catalogue, Library, load};

use crate::support::{Message, reason, sign, verify};

/// A library with two schemes beside the catalogue.
struct Beside;

const NEW: &str = "extends = \"rfc9421\"\nwhen = \"header Signature-Input\"";
const OLD: &str = "[header]\nX-Time = \"{timestamp:unix}\"\nX-Sign = \"{signature:hex}\"\n[sign]\n\
                   base = \"{timestamp}\\n{method}\\n{target}\"\nsignature = \"{base | hmac-sha256 secret | hex}\"\n\
                   [fresh]\ntimestamp = \"5m\"";

impl Library for Beside {
    fn load(&self, name: &str, from: &str) -> Option<(String, String)> {
        match name {
            "new" => Some(("new".to_owned(), NEW.to_owned())),
            "old" => Some(("old".to_owned(), OLD.to_owned())),
            "nested" => Some(("nested".to_owned(), "either = [\"new\", \"old\"]".to_owned())),
            "broken" => Some(("broken".to_owned(), "[sign]\nbase = \"{nothing}\"".to_owned())),
            other => Catalogue.load(other, from),
        }
    }
}

fn both() -> Arc<Plan> {
    let text = "title = \"Old and new\"\neither = [\"new\", \"old\"]";
    Plan::compile(&load("both", text, &Beside).unwrap_or_else(|error| panic!("{error}")))
}

#[test]
fn each_message_is_judged_by_the_scheme_that_it_names() {
    let plan = both();
    let message = Message::request("POST", "/a");
    let new = sign(&plan, &[], &message).expect("the first signs");
    assert!(new.fields.iter().any(|(name, _)| name == "Signature-Input"));
    assert_eq!(verify(&plan, &[], &new).expect("it is verified").scheme(), "new");
    let old = sign(&plan, &[("alternative", "old")], &message).expect("the other signs");
    assert_eq!(verify(&plan, &[], &old).expect("it is verified").scheme(), "old");
    assert!(sign(&plan, &[("alternative", "other")], &message).is_err());
}

/// Security 14: what one scheme refuses is not tried under another.
#[test]
fn no_message_is_judged_twice() {
    let plan = both();
    let message = Message::request("POST", "/a");
    let old = sign(&plan, &[("alternative", "old")], &message).expect("it is signed");
    let both_ways = old
        .with("Signature-Input", "sig1=(\"@method\");created=1714566896;keyid=\"alice\";nonce=\"n\"")
        .with("Signature", "sig1=:AAAA:");
    assert_eq!(reason(verify(&plan, &[], &both_ways)), Reason::CoverageTooThin);
    assert_eq!(reason(verify(&plan, &[], &message)), Reason::SignatureMissing);
}

#[test]
fn faults_are_found_in_the_file_where_they_stand() {
    for (text, expected) in [
        ("either = [\"old\", \"new\"]", "`old` does not say when it applies"),
        ("either = [\"new\"]", "2 to 8 schemes"),
        ("either = \"new\"", "is a list of schemes"),
        ("either = [\"new\", 1]", "named by a string"),
        ("either = [\"new\", \"absent\"]", "there is no scheme `absent`"),
        ("either = [\"new\", \"new\"]", "named twice"),
        ("either = [\"new\", \"nested\"]", "`nested` is `either` itself"),
        ("either = [\"new\", \"broken\"]", "broken:"),
        ("either = [\"new\", \"old\"]\n[fresh]\ntimestamp = \"5m\"", "leaves the rest to the schemes"),
    ] {
        let error = load("both", text, &Beside).expect_err(&format!("{text} has a fault")).to_string();
        assert!(error.contains(expected), "{text}\n{error}");
    }
}
