//! The language, expression by expression: what `language.toml` says comes out does, and no word is missing there.

use crate::support::{CLIENT, Message, NONCE, NOW, Subject};
use countersign_core::alg::Asymmetric;
use countersign_core::key::Key;
use countersign_core::scheme::vocabulary_names;
use toml::{Table, Value};

fn table() -> Vec<Table> {
    let file: Table = include_str!("language.toml").parse().expect("TOML");
    let cases = file.get("case").and_then(Value::as_array).expect("cases");
    cases.iter().map(|case| case.as_table().expect("a table").clone()).collect()
}

const KEYS: [&str; 10] =
    ["authority", "base", "body", "fields", "gives", "let", "refused", "signed", "target", "vars"];

/// A case, read; an unknown key is a mistake.
struct Case<'t>(&'t Table);

impl Case<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        assert!(KEYS.contains(&key) && self.0.keys().all(|known| KEYS.contains(&known.as_str())), "{:?}", self.0);
        self.0.get(key).map(|value| value.as_str().expect("text"))
    }

    fn base(&self) -> &str {
        self.text("base").expect("a base")
    }

    fn scheme(&self) -> Subject {
        let section = |name: &str, key: &str| match self.text(key) {
            Some(lines) => format!("[{name}]\n{lines}\n"),
            None => String::new(),
        };
        let text = format!(
            "[key]\nalgorithms = [\"hmac-sha256\"]\n{}[header]\nX-Time = \"{{timestamp:unix}}\"\n\
             X-Names = \"{{signed:names?}}\"\nX-Sign = \"{{signature:hex}}\"\n{}[sign]\nbase = '''\n{}'''\n\
             signature = \"{{base | hmac-sha256 secret | hex}}\"\n",
            section("vars", "vars"),
            section("let", "let"),
            self.base(),
        );
        Subject::from("case", &text).with_key(Key::secret(*b"Jefe").with_id(CLIENT))
    }

    fn message(&self) -> Message {
        let mut message = Message::new("POST", self.text("target").unwrap_or("/a%20b/../c?b=2&a=%2B+1&a=&d"));
        self.text("authority").unwrap_or("api.example.com:8443").clone_into(&mut message.authority);
        message.body = self.text("body").unwrap_or("abc").into();
        let usual = [("X-A", "one  Two"), ("X-B", "1"), ("X-B", "2"), ("Cookie", "theme=dark; a=1")];
        match self.0.get("fields").and_then(Value::as_array) {
            Some(fields) => {
                for field in fields {
                    let text = |at: usize| field[at].as_str().expect("text");
                    message.fields.push((text(0).to_owned(), text(1).into()));
                }
            }
            None => message.fields.extend(usual.map(|(name, value)| (name.to_owned(), value.into()))),
        }
        message
    }
}

#[test]
fn expressions_stand_for_the_bytes_of_the_table() {
    let mut wrong = Vec::new();
    for table in table() {
        let case = Case(&table);
        let subject = case.scheme();
        let mut signed = case.message();
        signed.fields.push(("X-Time".to_owned(), NOW.to_string().into()));
        signed.fields.extend(case.text("signed").map(|names| ("X-Names".to_owned(), names.into())));
        // A base that lists all fields lists the signature, which cannot be signed: that is for the verifier to show.
        let signature = "00".repeat(32);
        signed.fields.push(("X-Sign".to_owned(), signature.clone().into()));
        let base = subject.base(&signed).map(|base| String::from_utf8(base).expect("text"));
        let refused = subject.verify(&signed).expect_err("no such signature").reason().code();
        match (case.text("gives"), case.text("refused")) {
            (Some(gives), None) => {
                let gives = gives.replace("SIGNATURE", &signature);
                if base.as_deref() != Some(&gives) || refused != "signature-mismatch" {
                    wrong.push(format!("{}\n  gives {base:?}\n  not   {gives:?} ({refused})", case.base()));
                }
            }
            (None, Some(reason)) => {
                if base.is_some() || refused != reason {
                    wrong.push(format!("{}\n  gives {base:?}, {refused}\n  not   {reason}", case.base()));
                }
            }
            _ => panic!("{} gives something or is refused", case.base()),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the table says of a base holds for signing, too.
#[test]
fn what_has_a_base_can_be_signed_and_nothing_else() {
    for table in table() {
        let case = Case(&table);
        let lists_all = case.base().contains("{headers") && !case.base().contains("pick");
        if lists_all {
            continue;
        }
        let subject = case.scheme();
        let vars: Vec<_> = case.text("signed").map(|names| ("signed", names)).into_iter().collect();
        let signed = subject.sign_with(&case.message(), &vars, NOW, NONCE);
        assert_eq!(signed.is_ok(), case.text("gives").is_some(), "{}: {signed:?}", case.base());
        if let Ok(signed) = signed {
            assert!(subject.verify(&signed).is_ok(), "{}", case.base());
        }
    }
}

#[test]
fn every_word_is_in_the_table() {
    let mut text = String::new();
    for table in table() {
        let case = Case(&table);
        text.extend([case.base(), " ", case.text("let").unwrap_or_default(), "\n"]);
    }
    let words: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '-')).collect();
    let known = vocabulary_names();
    let filters = known.filters.iter().map(String::as_str).filter(|name| Asymmetric::from_name(name).is_none());
    for word in filters.chain(known.lists).chain(known.members).chain(known.sources) {
        assert!(words.contains(&word), "{word} is in no case");
    }
}

/// What two places of a message say must agree, even where neither is carried: and both have to be there.
#[test]
fn a_let_that_is_bound_must_hold_its_value() {
    let subject = Subject::from(
        "bound",
        r#"
[header]
X-Sign = "{signature:hex}"
[let]
stated = '{query.a | slice 0 3}'
[sign]
base      = "{query-string}"
signature = "{base | hmac-sha256 secret | hex}"
[bind]
stated = { value = "{body}", or = ["any"] }
"#,
    );
    let signed = |target: &str, body: &str| subject.signed(&Message::new("POST", target).with_body(body));
    let held = subject.verify(&signed("/?a=abc", "abc")).expect("it holds");
    assert!(held.coverage.covers("query") && held.coverage.not_covered.contains(&"body".to_owned()));
    assert!(subject.verify(&signed("/?a=any", "what you will")).is_ok());
    let judged = |message: Message| subject.verify(&message).expect_err("refused").reason().code();
    assert_eq!(judged(Message { body: b"abd".to_vec(), ..signed("/?a=abc", "abc") }), "digest-mismatch");
    let unsigned = Message::new("POST", "/?b=abc").with_body("abc");
    assert!(subject.sign(&unsigned).is_err());
}
