//! A message of our own, signed and verified under a key of our own: what every scheme can do without vectors.

use std::sync::Arc;

use countersign_core::alg::KeyError;
use countersign_core::scheme::Kind;
use countersign_core::scheme::model::FieldType;
use countersign_core::{Scheme, SignError};

use crate::engine::{Engine, Keys, Task, Undecided};
use crate::generate::{self, Generated};
use crate::material::Material;
use crate::message::json::LineError;
use crate::message::{Message, Url};
use crate::world;

/// Signs; is refused with another key, and verified with its own. An answer, too, where the scheme signs answers.
/// False: the scheme's algorithm is for verification only.
pub(super) fn check(name: &str, engine: &mut Engine) -> Result<bool, String> {
    let told = |error: LineError| error.to_string();
    let file = engine.scheme(name).map_err(|error| error.to_string())?;
    let make = || generate::key_for(file.scheme()).map_err(|error| error.to_string());
    let (key, other) = (make()?, make()?);
    let Some(request) = with_one_of(requests(file.scheme()).map_err(told)?, name, engine, &key, &other)? else {
        return Ok(false);
    };
    if file.scheme().response.is_none() {
        return Ok(true);
    }
    let answers = BODIES.iter().map(|(kind, body)| {
        let fields = vec![("Content-Type".to_owned(), kind.as_bytes().to_vec())];
        Message::response(200, fields, Some(body.as_bytes().to_vec()), Some(request.clone()))
    });
    let answers = answers.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    let answered = with_one_of(answers, name, engine, &key, &other).map_err(|fault| format!("response: {fault}"))?;
    Ok(answered.is_some())
}

/// A message of the kind that a scheme signs, signed with a key that was made for it.
pub(in crate::schemes) fn signed(name: &str, engine: &mut Engine) -> Result<Task, Undecided> {
    let file = engine.scheme(name)?;
    let key = generate::key_for(file.scheme())?;
    first_signed(requests(file.scheme())?, name, engine, &key.signs)
}

/// Signs one of some messages, verifies it, and returns it; none where the algorithm is for verification only.
fn with_one_of(
    messages: Vec<Message>,
    name: &str,
    engine: &mut Engine,
    key: &Generated,
    other: &Generated,
) -> Result<Option<Message>, String> {
    match first_signed(messages, name, engine, &key.signs) {
        Ok(task) => verified(task, engine, key, other).map(Some),
        Err(Undecided::Sign { error: SignError::Key(KeyError::Unsupported), .. }) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Signs the first of some messages that can be signed at all.
fn first_signed(messages: Vec<Message>, name: &str, engine: &mut Engine, key: &Material) -> Result<Task, Undecided> {
    let mut outcomes = messages.into_iter().map(|message| sign(message, name, engine, key.clone()));
    match outcomes.next() {
        // What is said of the first is what counts: it is the usual one.
        Some(Err(error)) => outcomes.find_map(Result::ok).ok_or(error),
        Some(signed) => signed,
        None => Err(Undecided::NoScheme),
    }
}

fn sign(message: Message, name: &str, engine: &mut Engine, key: Material) -> Result<Task, Undecided> {
    // Values that only a deployment knows mean nothing here.
    let file = engine.scheme(name)?;
    let unknown = file.scheme().vars.iter().filter(|var| var.default.is_none()).map(|var| (var.name.as_str(), "1"));
    let known = VARS.iter().copied();
    let vars = unknown.chain(known).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let now = world::now();
    let numeric = file.scheme().request.fields.iter().any(|field| field.name == "nonce" && is_number(&field.kind));
    let nonce = numeric.then(|| now.millis().to_string());
    let mut task = Task { scheme: name.to_owned(), keys: keys(key), vars, now, nonce, message };
    loop {
        match engine.sign(&task) {
            Err(Undecided::Sign { error: SignError::VarNeeded { name }, .. })
                if !task.vars.iter().any(|(known, _)| *known == name) =>
            {
                task.vars.push((name, "1".to_owned()));
            }
            Ok(signed) => {
                task.message.apply(&signed);
                return Ok(task);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether a nonce of this type is a number, which clients take from their clock.
const fn is_number(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Int | FieldType::Time(_))
}

fn verified(mut task: Task, engine: &mut Engine, key: &Generated, other: &Generated) -> Result<Message, String> {
    // A verifier is told less than a signer, where it can do with less.
    let given = std::mem::take(&mut task.vars);
    let scheme = engine.scheme(&task.scheme).map_err(|error| error.to_string())?;
    let known = scheme.scheme().vars.iter().filter(|var| var.default.is_none());
    task.vars = known.filter_map(|var| given.iter().find(|(name, _)| *name == var.name).cloned()).collect();
    let mut verdict = |material| {
        task.keys = keys(material);
        let decision = engine.verify(&task).map_err(|error| error.to_string())?;
        Ok::<_, String>(decision.verdict.map(drop).map_err(|rejection| rejection.reason().code()))
    };
    if verdict(other.verifies.clone())?.is_ok() {
        return Err("verified with another key".to_owned());
    }
    match verdict(key.verifies.clone())? {
        Ok(()) => Ok(task.message),
        Err(code) => Err(format!("{code} instead of verified")),
    }
}

fn keys(material: Material) -> Keys {
    Keys::One { material: Arc::new(material), id: Some("key".to_owned()), algorithm: None }
}

/// What schemes of the catalogue ask for: a region and a service, for how many seconds a link holds, and a policy that
/// grants everything, `{"Statement":[{"Resource":"*","Condition":{"DateLessThan":{"AWS:EpochTime":99999999999}}}]}`.
const VARS: &[(&str, &str)] = &[
    ("region", "us-east-1"),
    ("region-set", "us-*"),
    ("service", "service"),
    ("expires-in", "300"),
    ("ttl", "300"),
    (
        "policy",
        "eyJTdGF0ZW1lbnQiOlt7IlJlc291cmNlIjoiKiIsIkNvbmRpdGlvbiI6eyJEYXRlTGVzc1RoYW4iOnsiQVdTOkVwb2NoVGltZSI6OTk5OTk5OTk5OTl9fX1dfQ__",
    ),
];

const BODIES: &[(&str, &str)] = &[
    ("application/x-www-form-urlencoded", "a=1&b=2"),
    ("application/json", r#"{"a":"1","b":2}"#),
    ("text/xml", "<xml><a>1</a><b>2</b></xml>"),
];

/// Requests that a scheme may be meant for.
fn requests(scheme: &Scheme) -> Result<Vec<Message>, LineError> {
    let url = Url::parse("https://example.com/a/b?tag=d&view=%20f")?;
    let made = match scheme.kind {
        Kind::Link => vec![Message::request("GET".to_owned(), url, Vec::new(), None)],
        Kind::Request | Kind::Webhook => {
            let with = |(kind, body): &(&str, &str)| {
                let fields = vec![("Content-Type".to_owned(), kind.as_bytes().to_vec())];
                Message::request("POST".to_owned(), url.clone(), fields, Some(body.as_bytes().to_vec()))
            };
            BODIES.iter().map(with).collect()
        }
    };
    let mut messages = made.into_iter().collect::<Result<Vec<_>, _>>()?;
    for message in &mut messages {
        message.peer = Some("192.0.2.7".to_owned());
    }
    Ok(messages)
}
