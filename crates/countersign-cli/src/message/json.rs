//! A line of JSON: a message, and what a request command is to do with it.
//!
//! The fast path is one typed read. Where it fails, the line is read once more as plain JSON to find out which field
//! is wrong: what a JSON library says of a wrong value shows the value, and here it could be a secret.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{Message, MessageError, Url, UrlError};

/// What a line says. Everything but the message is optional: options of the command line stand in for it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    #[serde(default)]
    pub(crate) id: Value,
    #[serde(default)]
    pub(crate) scheme: Option<String>,
    #[serde(default)]
    pub(crate) key_id: Option<String>,
    #[serde(default)]
    pub(crate) secret: Option<String>,
    #[serde(default)]
    pub(crate) public_key: Option<String>,
    #[serde(default)]
    pub(crate) private_key: Option<String>,
    #[serde(default)]
    pub(crate) alg: Option<String>,
    #[serde(default)]
    pub(crate) vars: Option<serde_json::Map<String, Value>>,
    #[serde(default)]
    pub(crate) now: Option<i64>,
    #[serde(default)]
    pub(crate) nonce: Option<String>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    headers: Option<Vec<(String, String)>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    body_base64: Option<String>,
    #[serde(default)]
    trailers: Option<Vec<(String, String)>>,
    #[serde(default)]
    peer: Option<String>,
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    request: Option<Object<Answered>>,
}

/// The request that a response answers.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    headers: Option<Vec<(String, String)>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    body_base64: Option<String>,
    #[serde(default)]
    trailers: Option<Vec<(String, String)>>,
    #[serde(default)]
    peer: Option<String>,
}

/// Why a line says nothing that could be decided. Shows names and places, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineError {
    #[error("the line is not JSON: {0}")]
    Syntax(String),
    #[error("the line is not a JSON object")]
    NotAnObject,
    #[error("a field is there twice")]
    Doubled,
    #[error("`{name}` is not a field of {of}; the fields are {}", Names(known))]
    Unknown { name: String, of: &'static str, known: &'static [Field] },
    #[error("`{name}` must be {wanted}")]
    Kind { name: &'static str, wanted: Kind },
    #[error("`{name}` is missing")]
    Missing { name: &'static str },
    #[error("`{first}` and `{second}` exclude each other")]
    Both { first: &'static str, second: &'static str },
    #[error("`body_base64` is not base64")]
    Base64,
    #[error("{0}")]
    Url(#[from] UrlError),
    #[error("{0}")]
    Message(#[from] MessageError),
}

/// A line that could not be read, and the id to answer it with.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) id: Value,
    pub(crate) error: LineError,
}

impl Line {
    pub(crate) fn read(text: &[u8]) -> Result<Self, Box<Unreadable>> {
        match serde_json::from_slice(text) {
            Ok(Object(line)) => Ok(line),
            Err(error) => Err(Box::new(diagnose(text, &error))),
        }
    }

    /// The message, taken out of the line; and whether its body came as base64.
    pub(crate) fn take_message(&mut self) -> Result<(Message, bool), LineError> {
        let binary = self.body_base64.is_some();
        let body = body(self.body.take(), self.body_base64.take())?;
        let fields = bytes(self.headers.take());
        let mut message = match self.status {
            None => {
                if self.request.is_some() {
                    return Err(LineError::Missing { name: "status" });
                }
                let method = self.method.take().ok_or(LineError::Missing { name: "method" })?;
                let url = self.url.take().ok_or(LineError::Missing { name: "url" })?;
                Message::request(method, Url::parse(&url)?, fields, body)?
            }
            Some(status) => {
                for (name, value) in [("method", &self.method), ("url", &self.url)] {
                    if value.is_some() {
                        return Err(LineError::Both { first: "status", second: name });
                    }
                }
                let answered = self.request.take().map(|Object(request)| request.message()).transpose()?;
                Message::response(status, fields, body, answered)?
            }
        };
        message.peer = self.peer.take();
        message.trail(bytes(self.trailers.take()))?;
        Ok((message, binary))
    }
}

impl Answered {
    fn message(self) -> Result<Message, LineError> {
        let body = body(self.body, self.body_base64)?;
        let method = self.method.ok_or(LineError::Missing { name: "method" })?;
        let url = self.url.ok_or(LineError::Missing { name: "url" })?;
        let mut message = Message::request(method, Url::parse(&url)?, bytes(self.headers), body)?;
        message.peer = self.peer;
        message.trail(bytes(self.trailers))?;
        Ok(message)
    }
}

/// Read from an object and from nothing else: an array of values in the right order would be taken for one.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(std::marker::PhantomData))
    }
}

struct ObjectVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

fn body(text: Option<String>, base64: Option<String>) -> Result<Option<Vec<u8>>, LineError> {
    match (text, base64) {
        (Some(_), Some(_)) => Err(LineError::Both { first: "body", second: "body_base64" }),
        (Some(text), None) => Ok(Some(text.into_bytes())),
        (None, Some(base64)) => STANDARD.decode(base64).map(Some).map_err(|_| LineError::Base64),
        (None, None) => Ok(None),
    }
}

fn bytes(fields: Option<Vec<(String, String)>>) -> Vec<(String, Vec<u8>)> {
    fields.unwrap_or_default().into_iter().map(|(name, value)| (name, value.into_bytes())).collect()
}

/// A variable's value as text; none where it is null. Numbers and booleans are as JSON writes them.
pub(crate) fn var_text(value: &Value) -> Result<Option<String>, NoText> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Bool(_) | Value::Number(_) => Ok(Some(value.to_string())),
        Value::Array(_) | Value::Object(_) => Err(NoText),
    }
}

/// A value that cannot be a variable's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoText;

/// What a field must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Any,
    Pairs,
    Request,
    Seconds,
    Status,
    Text,
    Vars,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "anything",
            Self::Pairs => "an array of [\"Name\", \"value\"] pairs",
            Self::Request => "an object with `method` and `url`",
            Self::Seconds => "a whole number of seconds since 1970",
            Self::Status => "a status code",
            Self::Text => "a string",
            Self::Vars => "an object of strings",
        })
    }
}

/// A field's name and kind.
pub(crate) type Field = (&'static str, Kind);

/// The fields of a line.
pub(crate) const FIELDS: &[Field] = &[
    ("id", Kind::Any),
    ("method", Kind::Text),
    ("url", Kind::Text),
    ("headers", Kind::Pairs),
    ("body", Kind::Text),
    ("body_base64", Kind::Text),
    ("scheme", Kind::Text),
    ("key_id", Kind::Text),
    ("secret", Kind::Text),
    ("public_key", Kind::Text),
    ("private_key", Kind::Text),
    ("alg", Kind::Text),
    ("vars", Kind::Vars),
    ("now", Kind::Seconds),
    ("nonce", Kind::Text),
    ("trailers", Kind::Pairs),
    ("peer", Kind::Text),
    ("status", Kind::Status),
    ("request", Kind::Request),
];

/// The fields of `request`.
const ANSWERED: &[Field] = &[
    ("method", Kind::Text),
    ("url", Kind::Text),
    ("headers", Kind::Pairs),
    ("body", Kind::Text),
    ("body_base64", Kind::Text),
    ("trailers", Kind::Pairs),
    ("peer", Kind::Text),
];

struct Names<'a>(&'a [Field]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(|(name, _)| format!("`{name}`")).collect();
        f.write_str(&names.join(", "))
    }
}

/// What is wrong with a line that could not be read.
fn diagnose(text: &[u8], error: &serde_json::Error) -> Unreadable {
    let value = match serde_json::from_slice::<Value>(text) {
        Ok(value) => value,
        // Of what is not JSON at all the library tells the place and what it expected, and shows nothing.
        Err(error) => return Unreadable { id: Value::Null, error: LineError::Syntax(error.to_string()) },
    };
    let Value::Object(mut object) = value else {
        return Unreadable { id: Value::Null, error: LineError::NotAnObject };
    };
    let id = object.remove("id").unwrap_or_default();
    let of = "a line";
    let found = faulty(&object, FIELDS, of).or_else(|| match object.get("request") {
        Some(Value::Object(request)) => faulty(request, ANSWERED, "`request`"),
        _ => None,
    });
    debug_assert!(found.is_some() || error.is_data(), "{error}");
    Unreadable { id, error: found.unwrap_or(LineError::Doubled) }
}

fn faulty(object: &serde_json::Map<String, Value>, known: &'static [Field], of: &'static str) -> Option<LineError> {
    object.iter().find_map(|(name, value)| match known.iter().find(|(field, _)| field == name) {
        None => Some(LineError::Unknown { name: name.clone(), of, known }),
        Some((name, kind)) => (!fits(value, *kind)).then_some(LineError::Kind { name, wanted: *kind }),
    })
}

fn fits(value: &Value, kind: Kind) -> bool {
    let is_pair =
        |pair: &Value| pair.as_array().is_some_and(|pair| pair.len() == 2 && pair.iter().all(Value::is_string));
    value.is_null()
        || match kind {
            Kind::Any => true,
            Kind::Pairs => value.as_array().is_some_and(|pairs| pairs.iter().all(is_pair)),
            Kind::Seconds => value.as_i64().is_some(),
            Kind::Status => value.as_u64().is_some_and(|status| u16::try_from(status).is_ok()),
            Kind::Text => value.is_string(),
            Kind::Request | Kind::Vars => value.is_object(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(text: &str) -> (Value, String) {
        match Line::read(text.as_bytes()) {
            Err(unreadable) => (unreadable.id, unreadable.error.to_string()),
            Ok(mut line) => match line.take_message() {
                Err(error) => (line.id, error.to_string()),
                Ok(_) => panic!("{text} is a line"),
            },
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_no_value_shown() {
        for (text, why) in [
            (r"", "the line is not JSON: EOF"),
            (r#"{"id":1"#, "the line is not JSON: EOF"),
            (r"[]", "the line is not a JSON object"),
            (r#"{"secret":["s3cr3t"]}"#, "`secret` must be a string"),
            (r#"{"secret":123987}"#, "`secret` must be a string"),
            (r#"{"headers":{"s3cr3t":"s3cr3t"}}"#, "`headers` must be an array of"),
            (r#"{"headers":[["s3cr3t"]]}"#, "`headers` must be an array of"),
            (r#"{"headers":[["a","s3cr3t","c"]]}"#, "`headers` must be an array of"),
            (r#"{"now":"s3cr3t"}"#, "`now` must be a whole number of seconds"),
            (r#"{"now":1.5}"#, "`now` must be"),
            (r#"{"now":1e99}"#, "`now` must be"),
            (r#"{"status":99999}"#, "`status` must be"),
            (r#"{"vars":["s3cr3t"]}"#, "`vars` must be an object"),
            (r#"{"methode":"GET"}"#, "`methode` is not a field of a line; the fields are `id`, `method`"),
            (r#"{"method":"GET","method":"GET"}"#, "a field is there twice"),
            (r#"{"url":"https://a"}"#, "`method` is missing"),
            (r#"{"method":"GET"}"#, "`url` is missing"),
            (r#"{"method":"GET","url":"/p"}"#, "the URL does not begin with"),
            (r#"{"method":"GET","url":"https://a","body":"","body_base64":""}"#, "`body` and `body_base64` exclude"),
            (r#"{"method":"GET","url":"https://a","body_base64":"s3cr3t!"}"#, "`body_base64` is not base64"),
            (
                r#"{"method":"GET","url":"https://a","headers":[["a","s3cr3t\n"]]}"#,
                "the value of `a` holds a line break",
            ),
            (
                r#"{"method":"GET","url":"https://a","request":{"method":"GET","url":"https://a"}}"#,
                "`status` is missing",
            ),
            (r#"{"status":200,"url":"https://a"}"#, "`status` and `url` exclude"),
            (r#"{"status":200,"request":{"method":"GET"}}"#, "`url` is missing"),
            (
                r#"{"status":200,"request":{"method":"GET","url":"https://a","secret":"s3cr3t"}}"#,
                "`secret` is not a field of `request`",
            ),
            (r#"{"status":200,"request":["GET","https://a"]}"#, "`request` must be an object"),
            (r#"{"status":200,"request":{"method":"GET","method":"GET"}}"#, "a field is there twice"),
            (r#"{"status":200,"request":"s3cr3t"}"#, "`request` must be an object"),
        ] {
            let (_, error) = refused(text);
            assert!(error.starts_with(why), "{text}: {error}");
            assert!(!error.contains("s3cr3t"), "{text}: {error}");
        }
    }

    #[test]
    fn the_id_is_found_in_a_line_with_faults() {
        assert_eq!(refused(r#"{"id":{"n":[1]},"now":"x"}"#).0, serde_json::json!({"n": [1]}));
        assert_eq!(refused(r#"{"id":7,"method":"GET"}"#).0, 7);
        assert_eq!(refused(r#"{"x":1}"#).0, Value::Null);
    }

    #[test]
    fn null_is_absent() {
        let text =
            r#"{"id":null,"method":"GET","url":"https://a","headers":null,"body":null,"nonce":null,"vars":null}"#;
        let mut line = Line::read(text.as_bytes()).unwrap_or_else(|why| panic!("{}", why.error));
        assert_eq!(line.take_message().unwrap().0.body, None);
    }

    #[test]
    fn the_table_and_the_type_know_the_same_fields() {
        for (name, _) in FIELDS {
            let text = serde_json::json!({ *name: null }).to_string();
            assert!(Line::read(text.as_bytes()).is_ok(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_judged(text in "(?s).{0,60}", name in "[a-z_]{0,9}", value in any::<i64>()) {
            let _ = Line::read(text.as_bytes()).map(|mut line| line.take_message().is_ok());
            let line = serde_json::json!({ name: value, "id": 1 }).to_string();
            let _ = Line::read(line.as_bytes()).map(|mut line| line.take_message().is_ok());
        }
    }
}
