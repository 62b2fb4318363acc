//! Responses: signed with what they answer, and judged by their own captures.

use crate::support::{Message, NONCE, NOW, Subject, all_subjects, catalogue_subjects, reason, sample};
use countersign_core::SignError;
use countersign_core::reject::Reason;
use countersign_core::time::UnixTime;
use countersign_schemes::{Catalogue, load};

/// Time and nonce have other places among the captures than in the request.
const ANSWERED: &str = r#"
[header]
X-Nonce = "{nonce}"
X-Time  = "{timestamp:unix}"
X-Sign  = "{signature:hex}"

[sign]
base      = "{nonce}\n{timestamp}\n{body}"
signature = "{base | hmac-sha256 secret | hex}"

[fresh]
timestamp = "5m"
nonce     = "once per key"

[response.header]
X-Sign  = "{signature:b64}"
X-Time  = "{timestamp:unix}"
X-Nonce = "{nonce}"

[response.sign]
base      = "{status}\n{request.method} {request.target} {request.header.x-id | or request.host} {request.json.id}\n{timestamp}\n{nonce}\n{body}"
signature = "{base | hmac-sha256 secret | b64}"
"#;

fn subject() -> Subject {
    Subject::from("answered", ANSWERED)
}

fn answer() -> Message {
    let request = Message::new("POST", "/pay?x=1").with_field("X-Id", "7").with_body("{\"id\":\"r-1\"}");
    Message {
        status: Some(200),
        answers: Some(Box::new(request)),
        ..Message::new("POST", "").with_body("{\"id\":\"a-1\"}")
    }
}

#[test]
fn a_response_is_signed_and_verifies() {
    let subject = subject();
    let signed = subject.signed(&answer());
    let held = subject.verify(&signed).expect("it holds");
    assert_eq!(held.signed_at, Some(UnixTime::from_secs(NOW)));
    assert!(held.coverage.covers("status") && held.coverage.covers("body"), "{:?}", held.coverage);
    let base = String::from_utf8(subject.base(&signed).expect("a base")).expect("text");
    assert_eq!(base, format!("200\nPOST /pay?x=1 7 r-1\n{NOW}\n{NONCE}\n{{\"id\":\"a-1\"}}"));
    assert_eq!(subject.verify_streamed(&signed, &[3, 4]), subject.verify(&signed));
}

#[test]
fn responses_of_the_catalogue_and_the_sinks_verify() {
    let mut signing = 0;
    for subject in all_subjects().iter().filter(|subject| subject.plan.scheme().response.is_some()) {
        let request = subject.signed(&sample(subject));
        let response = Message { status: Some(200), answers: Some(Box::new(request)), ..sample(subject) };
        let signed = subject.signed(&response);
        let held = subject.verify(&signed);
        assert!(held.is_ok(), "{}: {held:?}", subject.name);
        if held.is_ok_and(|held| held.coverage.covers("body")) {
            let longer = [signed.body.as_slice(), b" "].concat();
            assert!(subject.verify(&Message { body: longer, ..signed }).is_err(), "{}", subject.name);
        }
        signing += 1;
    }
    assert!(signing > 0);
}

#[test]
fn a_response_to_something_else_is_refused() {
    let subject = subject();
    let signed = subject.signed(&answer());
    let change = |change: &dyn Fn(&mut Message)| {
        let mut changed = signed.clone();
        change(&mut changed);
        assert_ne!(changed, signed);
        reason(&subject.verify(&changed))
    };
    let request =
        |change: fn(&mut Message)| move |message: &mut Message| change(message.answers.as_mut().expect("a request"));
    for refused in [
        change(&|message| message.status = Some(201)),
        change(&|message| message.body.push(b' ')),
        change(&|message| message.set_field("x-nonce", "another")),
        change(&|message| message.set_field("x-time", (NOW + 1).to_string())),
        change(&request(|request| request.method = "PUT".to_owned())),
        change(&request(|request| request.target.push(b'0'))),
        change(&request(|request| request.set_field("x-id", "8"))),
        change(&request(|request| request.body = b"{\"id\":\"a-1\"}".to_vec())),
    ] {
        assert_eq!(refused, Reason::SignatureMismatch);
    }
    assert_eq!(change(&|message| message.answers = None), Reason::FieldMissing);
    // A response is no request, and a request no response.
    assert!(subject.verify(&Message { status: None, target: b"/".to_vec(), ..signed.clone() }).is_err());
    let request = subject.signed(&sample(&subject));
    assert!(subject.verify(&Message { status: Some(200), ..request }).is_err());
}

/// The rules of `[fresh]` name captures; in the response they have other numbers.
#[test]
fn a_response_is_fresh_by_its_own_time_and_known_by_its_own_nonce() {
    let subject = subject();
    let signed = subject.signed(&answer());
    let at = |now: i64| subject.verify_at(&signed, &subject.keys, UnixTime::from_secs(now));
    assert!(at(NOW + 300).is_ok() && at(NOW - 300).is_ok());
    assert_eq!(reason(&at(NOW + 301)), Reason::TimestampStale);
    assert_eq!(reason(&at(NOW - 301)), Reason::TimestampFuture);
    let digest = |nonce, body: &str| {
        let signed = subject.sign_with(&answer().with_body(body), &[], NOW, nonce).expect("signed");
        subject.verify(&signed).expect("it holds").digest()
    };
    assert_eq!(digest("one", "a"), digest("one", "b"));
    assert_ne!(digest("one", "a"), digest("two", "a"));
}

/// What is asked twice is answered twice.
#[test]
fn an_answer_without_nonce_and_time_may_come_again() {
    let (carriers, sign) = (
        "[response.header]\nX-Sign = \"{signature:b64}\"",
        "[response.sign]\nbase = \"{status}\\n{body}\"\nsignature = \"{base | hmac-sha256 secret | b64}\"\n",
    );
    let (request, _) = ANSWERED.split_once("[response.header]").expect("an answer");
    let subject = Subject::from("bare", &format!("{request}{carriers}\n{sign}"));
    let signed = subject.signed(&answer());
    assert_eq!(subject.verify(&signed).expect("it holds").entry, None);
    assert!(subject.verify(&subject.signed(&sample(&subject))).expect("it holds").entry.is_some());
}

#[test]
fn a_scheme_that_signs_no_responses_has_none() {
    for subject in catalogue_subjects().iter().filter(|subject| subject.plan.scheme().response.is_none()) {
        let response = Message { status: Some(200), ..sample(subject) };
        assert_eq!(subject.sign(&response), Err(SignError::NoResponse), "{}", subject.name);
        let signed = Message { status: Some(200), ..subject.signed(&sample(subject)) };
        assert_eq!(reason(&subject.verify(&signed)), Reason::SignatureMissing, "{}", subject.name);
    }
}

/// A response has no captures of its request, no lists, and not its key.
#[test]
fn what_a_response_takes_of_its_request_is_there() {
    for wrong in [
        "nonce",
        "timestamp",
        "signature",
        "query",
        "headers",
        "json",
        "secret",
        "key-id",
        "status",
        "request.method",
        "x",
    ] {
        let text = ANSWERED.replace("{request.json.id}", &format!("{{request.{wrong}}}"));
        let fault = load("answered", &text, &Catalogue).expect_err(wrong).to_string();
        assert!(fault.contains(wrong), "{fault}");
    }
}
