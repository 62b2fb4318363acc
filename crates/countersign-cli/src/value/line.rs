//! A line of `countersign value --jsonl`, and its answer.
//!
//! Lines are read by the library's own JSON, since a value's numbers keep their digits there.

use countersign_core::UnixTime;
use countersign_signed::{Json, Refused};

use super::settings::{Operation, Settings, ValueError};
use super::task::{Done, Task, User};
use crate::material::SecretText;
use crate::world;

/// What a line says, and the id to answer it with.
pub(crate) fn read(text: &[u8]) -> (Json, Result<Task, ValueError>) {
    let members = match Json::parse(text) {
        Ok(Json::Object(members)) => members,
        Ok(_) => return (Json::Null, Err(ValueError::NotAnObject)),
        Err(fault) => return (Json::Null, Err(ValueError::Syntax(fault))),
    };
    let mut fields = Fields { members, of: "a line" };
    let id = fields.take("id").unwrap_or(Json::Null);
    (id, task(fields))
}

/// An answer as one line.
pub(crate) fn answer(id: Option<&Json>, done: &Result<Result<Done, Refused>, ValueError>) -> String {
    let rest = match done {
        Ok(Ok(done)) => {
            vec![("value".to_owned(), done.value.clone()), ("needs_resign".to_owned(), Json::Bool(done.needs_resign))]
        }
        Ok(Err(refused)) => vec![("rejected".to_owned(), Json::from(refused.code()))],
        Err(error) => vec![
            ("verdict".to_owned(), Json::from("undecided")),
            ("error".to_owned(), Json::from(error.to_string().as_str())),
        ],
    };
    let id = id.map(|id| ("id".to_owned(), id.clone()));
    Json::Object(id.into_iter().chain(rest).collect()).compact()
}

const SETTINGS: &[&str] = &[
    "format",
    "key",
    "keys",
    "salt",
    "sep",
    "algorithm",
    "key_derivation",
    "key_digest",
    "timestamp",
    "compress",
    "url_safe",
    "cookie",
    "cookie_salt",
    "purpose",
    "expires_in",
    "envelope",
    "once",
];
const MORE: &[&str] = &["op", "max_age", "now", "value", "also", "signature", "user"];

fn task(mut fields: Fields) -> Result<Task, ValueError> {
    fields.refuse_unknown(&[SETTINGS, MORE].concat())?;
    let name = fields.text("op")?.ok_or(ValueError::Missing { field: "op" })?;
    let operation = Operation::from_name(&name)
        .ok_or_else(|| ValueError::Unknown { field: "op", known: Operation::NAMES.to_owned() })?;
    let max_age = fields.natural("max_age")?;
    let now = fields.seconds("now")?.map_or_else(world::now, UnixTime::from_secs);
    let signature = fields.text("signature")?;
    let user = fields.take("user").filter(|user| *user != Json::Null).map(user).transpose()?;
    // Whatever JSON it is, `null` too.
    let value = fields.take("value");
    let also = match fields.take("also") {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(items)) => items,
        Some(_) => return Err(ValueError::Kind { field: "also", wanted: "an array of objects" }),
    };
    let settings = settings(&mut fields, &Settings::default())?;
    let also = also.into_iter().map(|item| older(item, &settings)).collect::<Result<_, _>>()?;
    let is_reset = operation == Operation::Sign && settings.format.as_deref() == Some("django-reset");
    let value = match value {
        // What a reset token is made of is the user.
        None if is_reset => Json::Null,
        None => return Err(ValueError::Missing { field: "value" }),
        Some(value) => value,
    };
    Ok(Task { operation, settings, also, max_age, now, value, signature, user })
}

/// Settings that are read too: what an item does not say is as in the line.
fn older(item: Json, line: &Settings) -> Result<Settings, ValueError> {
    let Json::Object(members) = item else {
        return Err(ValueError::Kind { field: "also", wanted: "an array of objects" });
    };
    let mut fields = Fields { members, of: "`also`" };
    fields.refuse_unknown(SETTINGS)?;
    settings(&mut fields, line)
}

fn settings(fields: &mut Fields, otherwise: &Settings) -> Result<Settings, ValueError> {
    let key = fields.text("key")?;
    let keys = fields.take("keys").filter(|keys| *keys != Json::Null);
    let keys = match (key, keys) {
        (Some(_), Some(_)) => return Err(ValueError::Both { field: "key", other: "keys" }),
        (Some(key), None) => vec![SecretText::new(key)],
        (None, Some(Json::Array(items))) => items.into_iter().map(secret).collect::<Result<_, _>>()?,
        (None, Some(_)) => return Err(KEYS),
        (None, None) => otherwise.keys.clone(),
    };
    let other = otherwise.clone();
    Ok(Settings {
        keys,
        format: fields.text("format")?.or(other.format),
        salt: fields.text("salt")?.or(other.salt),
        sep: fields.text("sep")?.or(other.sep),
        algorithm: fields.text("algorithm")?.or(other.algorithm),
        key_derivation: fields.text("key_derivation")?.or(other.key_derivation),
        key_digest: fields.text("key_digest")?.or(other.key_digest),
        timestamp: fields.flag("timestamp")?.or(other.timestamp),
        compress: fields.flag("compress")?.or(other.compress),
        url_safe: fields.flag("url_safe")?.or(other.url_safe),
        cookie: fields.text("cookie")?.or(other.cookie),
        cookie_salt: fields.text("cookie_salt")?.or(other.cookie_salt),
        purpose: fields.text("purpose")?.or(other.purpose),
        expires_in: fields.natural("expires_in")?.or(other.expires_in),
        envelope: fields.text("envelope")?.or(other.envelope),
        once: fields.flag("once")?.or(other.once),
    })
}

const KEYS: ValueError = ValueError::Kind { field: "keys", wanted: "an array of strings, the newest first" };

fn secret(item: Json) -> Result<SecretText, ValueError> {
    let Json::String(text) = item else { return Err(KEYS) };
    Ok(SecretText::new(text))
}

fn user(value: Json) -> Result<User, ValueError> {
    let Json::Object(members) = value else {
        return Err(ValueError::Kind { field: "user", wanted: "an object" });
    };
    let mut fields = Fields { members, of: "`user`" };
    fields.refuse_unknown(&["pk", "password", "last_login", "email", "utc_offset"])?;
    let offset = fields.seconds("utc_offset")?.unwrap_or_default();
    Ok(User {
        pk: fields.text("pk")?.ok_or(ValueError::Missing { field: "pk" })?,
        password: fields.text("password")?.ok_or(ValueError::Missing { field: "password" })?,
        last_login: fields.text("last_login")?,
        email: fields.text("email")?.unwrap_or_default(),
        utc_offset: i32::try_from(offset)
            .map_err(|_| ValueError::Kind { field: "utc_offset", wanted: "a number of seconds" })?,
    })
}

/// The members of an object, taken one by one.
struct Fields {
    members: Vec<(String, Json)>,
    of: &'static str,
}

impl Fields {
    fn take(&mut self, name: &str) -> Option<Json> {
        let at = self.members.iter().position(|(known, _)| known == name)?;
        Some(self.members.swap_remove(at).1)
    }

    fn refuse_unknown(&self, known: &[&str]) -> Result<(), ValueError> {
        match self.members.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => {
                let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                Err(ValueError::Field { name: name.clone(), of: self.of, known: names.join(", ") })
            }
        }
    }

    fn text(&mut self, name: &'static str) -> Result<Option<String>, ValueError> {
        match self.take(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(ValueError::Kind { field: name, wanted: "a string" }),
        }
    }

    fn flag(&mut self, name: &'static str) -> Result<Option<bool>, ValueError> {
        match self.take(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(ValueError::Kind { field: name, wanted: "true or false" }),
        }
    }

    fn seconds(&mut self, name: &'static str) -> Result<Option<i64>, ValueError> {
        let wrong = Err(ValueError::Kind { field: name, wanted: "a whole number of seconds" });
        match self.take(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Number(number)) => number.as_i64().map_or(wrong, |number| Ok(Some(number))),
            Some(_) => wrong,
        }
    }

    fn natural(&mut self, name: &'static str) -> Result<Option<u64>, ValueError> {
        let wanted = "a whole number of seconds, from 0";
        let number = self.seconds(name)?;
        number.map(|number| u64::try_from(number).map_err(|_| ValueError::Kind { field: name, wanted })).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(text: &str) -> String {
        let (id, task) = read(text.as_bytes());
        let done = task.and_then(|task| task.run());
        answer(Some(&id), &done)
    }

    fn error(more: &str) -> String {
        let members = |text: &str| match Json::parse(text.as_bytes()) {
            Ok(Json::Object(members)) => members,
            other => panic!("{text}: {other:?}"),
        };
        let mut line = members(r#"{"op":"sign","format":"django","key":"canary","value":"v"}"#);
        for (name, value) in members(&format!("{{{more}}}")) {
            line.retain(|(known, _)| *known != name);
            line.push((name, value));
        }
        let told = told(&Json::Object(line).compact());
        assert!(!told.contains("canary"), "{told}");
        let error = Json::parse(told.as_bytes()).unwrap();
        assert_eq!(error.get("verdict").and_then(Json::as_str), Some("undecided"), "{more}: {told}");
        error.get("error").and_then(Json::as_str).unwrap().to_owned()
    }

    #[test]
    fn what_is_wrong_is_named_and_no_secret_shown() {
        for (more, why) in [
            (r#""op":"verify""#, "`op` is none of those that there are: `sign`"),
            (r#""op":null"#, "`op` is missing"),
            (r#""format":"pickle""#, "`format` is none of those that there are: `countersign`, `django`"),
            (r#""format":"Django""#, "`format` is none"),
            (r#""key":"""#, "a key is empty"),
            (r#""key":null"#, "`key` is missing"),
            (r#""key":7"#, "`key` must be a string"),
            (r#""keys":["canary"]"#, "`key` and `keys` exclude"),
            (r#""value":7"#, "`value` must be a string"),
            (r#""algorithm":"sha-256""#, "`algorithm` is none"),
            (r#""sep":"a""#, "the separator may not"),
            (r#""sep":"""#, "the separator may not"),
            (r#""timestamp":1"#, "`timestamp` must be true or false"),
            (r#""max_age":-1"#, "`max_age` must be a whole number"),
            (r#""now":1.5"#, "`now` must be a whole number"),
            (r#""Salt":"x""#, "`Salt` is not a field of a line; the fields are `format`"),
            (r#""purpose":"x""#, "`purpose` means nothing to `django`: use `salt`"),
            (r#""user":{}"#, "`pk` is missing"),
            (r#""user":{"pk":"1","password":"canary"}"#, "`user` means nothing to `django`"),
            (r#""also":{}"#, "`also` must be"),
            (r#""also":[{"value":1}]"#, "`value` is not a field of `also`"),
            (r#""format":"rails","value":"""#, "it cannot be signed: this format cannot carry an empty value"),
            (r#""format":"rails","salt":"x""#, "`key_digest` is missing"),
            (r#""format":"rails","timestamp":true"#, "`timestamp` means nothing to `rails`: it has no timed class"),
            (r#""format":"express","algorithm":"sha1""#, "`algorithm` is none"),
            (r#""format":"countersign""#, "`purpose` is missing"),
            (r#""once":true"#, "`once` means nothing to `django`: it is the reader's to say"),
            (
                r#""format":"countersign","key":"a key of sixteen bytes","purpose":"x","once":true"#,
                "`expires_in` is missing",
            ),
            (r#""format":"countersign","purpose":"x""#, "a key is shorter than 16 bytes"),
            (r#""format":"keygrip","op":"unsign""#, "`signature` is missing"),
            (r#""format":"keygrip","op":"loads""#, "`keygrip` has no `loads`"),
            (r#""op":"unsign","max_age":1"#, "`max_age` means nothing to `django`: only its timed class"),
            (r#""op":"dumps","value":1e999"#, "it cannot be signed: a number"),
        ] {
            let error = error(more);
            assert!(error.starts_with(why), "{more}: {error}");
        }
        for (line, why) in [
            ("", "the line cannot be read: it is not JSON"),
            ("[]", "the line is not a JSON object"),
            (r#"{"op":"sign","op":"sign"}"#, "the line cannot be read: a name is there twice"),
        ] {
            assert!(told(line).contains(why), "{line}: {}", told(line));
        }
    }

    #[test]
    fn an_id_is_answered_as_it_came() {
        for id in ["1", "\"1\"", "null", "[1.50,{\"a\":12345678901234567890}]"] {
            assert!(told(&format!(r#"{{"id":{id},"x":1}}"#)).starts_with(&format!(r#"{{"id":{id},"#)));
        }
    }

    proptest! {
        #[test]
        fn any_line_is_answered(text in "(?s).{0,60}", name in "[a-z_]{0,12}", value in any::<i64>()) {
            prop_assert!(Json::parse(told(&text).as_bytes()).is_ok());
            let line = format!(r#"{{"op":"sign","{name}":{value}}}"#);
            prop_assert!(Json::parse(told(&line).as_bytes()).is_ok());
        }
    }
}
