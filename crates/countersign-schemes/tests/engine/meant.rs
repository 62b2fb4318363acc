//! What a scheme is meant for, and methods that could be taken for two.

use crate::support::{Message, Subject, reason};
use countersign_core::SignError;
use countersign_core::reject::Reason;

const REST: &str = r#"
[header]
X-Key  = "{key-id:word}"
X-Time = "{timestamp:unix}"
X-Sign = "{signature:hex}"
[sign]
base      = 'METHOD {target} {key-id} {timestamp}'
signature = "{base | hmac-sha256 secret | hex}"
[fresh]
timestamp = "5m"
"#;

fn scheme(head: &str, method: &str) -> Subject {
    Subject::from("meant", &format!("{head}\n{}", REST.replace("METHOD", method)))
}

#[test]
fn a_request_that_the_scheme_is_not_meant_for_is_refused() {
    for (when, with) in [
        (r#"when = "header X-Partner""#, Message::new("POST", "/a").with_field("x-partner", "")),
        (r#"when = "query partner""#, Message::new("POST", "/a?b=c&partner=1")),
        (r#"when = "query part ner""#, Message::new("POST", "/a?part+ner")),
    ] {
        let (subject, without) = (scheme(when, "{method}"), Message::new("POST", "/a?partner-2=1"));
        let signed = subject.signed(&with);
        assert!(subject.verify(&signed).is_ok(), "{when}");
        assert!(matches!(subject.sign(&without), Err(SignError::Message(_))), "{when}");
        // The same without the condition signs it, and the one with it does not take that.
        let signed = scheme("", "{method}").signed(&without);
        assert_eq!(reason(&subject.verify(&signed)), Reason::FieldMissing, "{when}");
    }
}

#[test]
fn a_condition_that_the_credentials_imply_is_no_condition() {
    let missing = |head: &str| {
        let subject = scheme(head, "{method}");
        assert!(subject.plan.scheme().when.is_some(), "schemes side by side go by it");
        reason(&subject.verify(&Message::new("POST", "/a").with_field("X-Time", "1")))
    };
    // The signature is what is missed.
    assert_eq!(missing(r#"when = "header x-sign""#), Reason::SignatureMissing);
    assert_eq!(missing(r#"when = "query X-Sign""#), Reason::SignatureMissing);
}

#[test]
fn a_condition_is_met_by_more_than_one() {
    let subject = scheme(r#"when = "header Cookie""#, "{method}");
    let message = Message::new("POST", "/a").with_field("Cookie", "a=1").with_field("Cookie", "b=2");
    assert!(subject.verify(&subject.signed(&message)).is_ok());
}

/// Attack 23: whether a message is remembered hangs on its method, which is signed in one case.
#[test]
fn attack_23_a_safe_method_cannot_become_one_that_nobody_knows() {
    for method in [
        "{method | lower}",
        "{method | upper}",
        r#"{"{method}" | lower}"#,
        r#"{query | with "@m" "{method | lower}" | join "&"}"#,
    ] {
        let subject = scheme("", method);
        let signed = subject.signed(&Message::new("HEAD", "/a"));
        let held = subject.verify(&signed).expect("it holds");
        assert!(held.entry.is_none(), "a safe method is not remembered");
        for other in ["head", "Head", "hEAD"] {
            let mut changed = signed.clone();
            other.clone_into(&mut changed.method);
            assert_eq!(reason(&subject.verify(&changed)), Reason::CoverageTooThin, "{method}: {other}");
            assert!(subject.sign(&Message::new(other, "/a")).is_err(), "{method}: {other}");
        }
    }
    // Signed as it is, another case is another method; and where everything is remembered, the case decides nothing.
    let exact = scheme("", "{method}");
    assert!(exact.verify(&exact.signed(&Message::new("patch", "/a"))).expect("it holds").entry.is_some());
    let always =
        Subject::from("meant", &format!("{}replay = \"always\"\n", REST.replace("METHOD", "{method | lower}")));
    let signed = always.signed(&Message::new("HEAD", "/a"));
    let mut changed = signed.clone();
    "head".clone_into(&mut changed.method);
    let entry = |message| always.verify(message).expect("it holds").entry.map(|entry| entry.digest);
    assert_eq!((entry(&signed).is_some(), entry(&changed)), (true, entry(&signed)));
}
