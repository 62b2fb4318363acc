//! A message of our own, signed and verified under a key of our own: what every scheme can do without vectors.

use std::sync::Arc;

use countersign_core::scheme::Kind;
use countersign_core::scheme::model::FieldType;
use countersign_core::{Scheme, SignError};

use super::again;
use crate::engine::{Engine, Keys, Task, Undecided};
use crate::generate::{self, Generated};
use crate::material::Material;
use crate::message::json::LineError;
use crate::message::{Message, Url};
use crate::world;

/// Signs; is refused with another key, and verified with its own. An answer, too, where the scheme signs answers.
/// Where no message of our own can be signed, what a vendor's library signed is signed anew: `samples`.
pub(super) fn check(name: &str, samples: &[Task], engine: &mut Engine) -> Result<(), String> {
    let told = |error: LineError| error.to_string();
    let file = engine.scheme(name).map_err(|error| error.to_string())?;
    let make = || generate::key_for(file.scheme()).map_err(|error| error.to_string());
    let (key, other) = (make()?, make()?);
    let sample = |response: bool| samples.iter().find(|sample| sample.message.status.is_some() == response);
    let requests = requests(file.scheme()).map_err(told)?;
    let request = with_one_of(requests, sample(false), name, engine, &key, &other)?;
    if file.scheme().response.is_none() {
        return Ok(());
    }
    let answers = BODIES.iter().map(|(kind, body)| {
        let fields = vec![("Content-Type".to_owned(), kind.as_bytes().to_vec())];
        Message::response(200, fields, Some(body.as_bytes().to_vec()), Some(request.clone()))
    });
    let answers = answers.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
    let answered = with_one_of(answers, sample(true), name, engine, &key, &other);
    answered.map(drop).map_err(|fault| format!("response: {fault}"))
}

/// A message of the kind that a scheme signs, signed with a key that was made for it.
pub(in crate::schemes) fn signed(name: &str, engine: &mut Engine) -> Result<Task, Undecided> {
    let file = engine.scheme(name)?;
    let key = generate::key_for(file.scheme())?;
    first_signed(requests(file.scheme())?, name, engine, &key.signs)
}

/// Signs one of some messages, verifies it, and returns it.
fn with_one_of(
    messages: Vec<Message>,
    sample: Option<&Task>,
    name: &str,
    engine: &mut Engine,
    key: &Generated,
    other: &Generated,
) -> Result<Message, String> {
    match (first_signed(messages, name, engine, &key.signs), sample) {
        (Ok(mut task), _) => {
            // A verifier is told less than a signer, where it can do with less.
            let scheme = engine.scheme(name).map_err(|error| error.to_string())?;
            let needed =
                |var: &str| scheme.scheme().vars.iter().any(|known| known.name == var && known.default.is_none());
            task.vars.retain(|(var, _)| needed(var));
            verified(task, engine, key, other)
        }
        (Err(_), Some(sample)) => {
            // By an engine of its own, which does not remember the sample's nonce.
            let (mut task, _) = again::bare(sample, &mut Engine::default())?;
            task.keys = keys(key.signs.clone(), None);
            let signed = engine.sign(&task).map_err(|error| error.to_string())?;
            task.message.apply(&signed);
            task.vars.clone_from(&sample.vars);
            verified(task, engine, key, other)
        }
        (Err(error), None) => Err(error.to_string()),
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
    let mut task =
        Task { scheme: name.to_owned(), keys: keys(key, Some("key".to_owned())), vars, now, nonce, message };
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

/// Verifies with the key, and is refused with another.
fn verified(mut task: Task, engine: &mut Engine, key: &Generated, other: &Generated) -> Result<Message, String> {
    let Keys::One { id, .. } = task.keys.clone() else { return Ok(task.message) };
    let mut verdict = |material| {
        task.keys = keys(material, id.clone());
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

fn keys(material: Material, id: Option<String>) -> Keys {
    Keys::One { material: Arc::new(material), id, algorithm: None }
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
    // Of answers, some sign one member; of uploads, some sign one part, which has the file's digest.
    ("application/json", r#"{"error_response":{"code":"1"}}"#),
    (
        "multipart/form-data; boundary=b",
        "--b\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n{}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"meta\"\r\n\r\n\
         {\"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc\r\n--b--\r\n",
    ),
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
