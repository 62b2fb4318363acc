//! Signed curl commands: a message as the words that make curl send exactly it.
//!
//! curl adds fields of its own (`User-Agent`, `Accept`, a `Content-Type` for forms) and rewrites paths with dots.
//! Whatever could be signed is therefore said, or switched off.

pub(crate) mod shell;

use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::args::CurlArguments;
use crate::engine::{Engine, Undecided};
use crate::failure::Failure;
use crate::message::{Message, Url};
use crate::out::{Outcome, Output};
use crate::task::{self, Defaults};
use shell::quoted;

pub(crate) fn run(arguments: &CurlArguments, out: &mut Output) -> Result<Outcome, Failure> {
    let mut defaults = Defaults::read(&arguments.scheme, &arguments.key, None, None)?;
    defaults.nonce.clone_from(&arguments.nonce);
    let mut engine = Engine::default();
    defaults.check(&mut engine)?;
    let mut task = defaults.task(message(arguments)?)?;
    let signed = engine.sign(&task)?;
    task.message.apply(&signed);
    let mut words = Words::of(&task.message)?;
    words.arguments.extend(arguments.curl.iter().map(|word| word.clone().into_bytes()));
    if arguments.run {
        return words.run();
    }
    if arguments.json {
        #[derive(Serialize)]
        struct Row {
            command: String,
            arguments: Vec<String>,
        }
        let shown = words.arguments.iter().map(|word| String::from_utf8_lossy(word).into_owned());
        let row = Row { command: words.line(), arguments: shown.collect() };
        out.json(&row)?;
    } else {
        writeln!(out, "{}", words.line())?;
    }
    Ok(Outcome::Holds)
}

/// The command that sends a message.
pub(crate) fn command(message: &Message) -> Result<String, Undecided> {
    Ok(Words::of(message)?.line())
}

/// The message that the options describe, as curl would send it.
fn message(arguments: &CurlArguments) -> Result<Message, Failure> {
    let url = Url::parse(&arguments.url)
        .map_err(|error| Failure::arguments(error.to_string(), "https://example.com/path"))?;
    // Clients and servers differ in what they make of such a URL, and the signature holds for one of them.
    if !url.target.iter().all(u8::is_ascii_graphic) {
        return Err(Failure::arguments(
            "the URL has a space or a letter that is no part of a URL",
            format!("percent-encoded it is {}", url.encoded()),
        ));
    }
    let mut fields = Vec::new();
    let mut form = true;
    for line in &arguments.headers {
        // As with curl: `Name:` leaves out what would be sent by itself, `Name;` sends it empty.
        let (name, value) = match (line.split_once(':'), line.strip_suffix(';')) {
            (Some((name, value)), _) => (name, Some(value.trim()).filter(|value| !value.is_empty())),
            (None, Some(name)) => (name, Some("")),
            (None, None) => {
                let message = format!("{line:?} is no field");
                return Err(Failure::arguments(message, "a field is given as -H 'Name: value'"));
            }
        };
        form &= !name.eq_ignore_ascii_case("content-type");
        if let Some(value) = value {
            fields.push((name.to_owned(), value.as_bytes().to_vec()));
        }
    }
    let body = match &arguments.data {
        None => None,
        Some(data) => Some(match data.strip_prefix('@') {
            None => data.clone().into_bytes(),
            Some(path) => task::read_all(path.as_ref())?,
        }),
    };
    // What is given with -d is a form unless something else is said.
    if body.is_some() && form {
        fields.push(("Content-Type".to_owned(), b"application/x-www-form-urlencoded".to_vec()));
    }
    let method = arguments.method.clone().unwrap_or_else(|| if body.is_some() { "POST" } else { "GET" }.to_owned());
    Message::request(method, url, fields, body)
        .map_err(|error| Failure::arguments(error.to_string(), "see `countersign curl --help`"))
}

/// curl's arguments, and what it reads from standard input.
#[derive(Debug, PartialEq, Eq)]
struct Words {
    arguments: Vec<Vec<u8>>,
    input: Option<Vec<u8>>,
}

impl Words {
    fn of(message: &Message) -> Result<Self, Undecided> {
        if message.status.is_some() {
            return Err(Undecided::Unwritable("curl command"));
        }
        let mut words = Self { arguments: Vec::new(), input: None };
        let body = Some(message.content()).filter(|body| !body.is_empty());
        match (message.method.as_str(), body) {
            ("GET", None) | ("POST", Some(_)) => {}
            ("HEAD", None) => words.add(["--head"]),
            (method, _) => words.add(["-X", method]),
        }
        words.target(message);
        for (name, value) in &message.fields {
            let said_by_curl = name.eq_ignore_ascii_case("content-length")
                || (name.eq_ignore_ascii_case("host")
                    && message.origin.ends_with(&format!("://{}", message.authority)));
            if !said_by_curl {
                words.field(name, value);
            }
        }
        if let Some(body) = body {
            if message.values("content-type").next().is_none() {
                words.add(["-H", "Content-Type:"]);
            }
            if std::str::from_utf8(body).is_ok_and(|text| !text.contains('\0')) {
                words.add(["--data-raw"]);
                words.arguments.push(body.to_vec());
            } else {
                words.add(["--data-binary", "@-"]);
                words.input = Some(body.to_vec());
            }
        }
        Ok(words)
    }

    fn add<const N: usize>(&mut self, words: [&str; N]) {
        self.arguments.extend(words.map(|word| word.as_bytes().to_vec()));
    }

    fn target(&mut self, message: &Message) {
        let target = &message.target;
        if target.windows(2).any(|pair| pair == b"/.") {
            self.add(["--path-as-is"]);
        }
        if target.iter().any(|byte| b"{}[]".contains(byte)) {
            self.add(["--globoff"]);
        }
        let plain = target.iter().all(u8::is_ascii_graphic) && target.starts_with(b"/");
        if plain {
            self.arguments.push([message.origin.as_bytes(), target].concat());
        } else {
            self.add(["--request-target"]);
            self.arguments.push(target.clone());
            self.add([&message.origin]);
        }
    }

    fn field(&mut self, name: &str, value: &[u8]) {
        self.add(["-H"]);
        // A semicolon is how curl is told to send an empty value, and not to remove the field.
        self.arguments.push(match value.trim_ascii() {
            b"" => format!("{name};").into_bytes(),
            value => [name.as_bytes(), b": ", value].concat(),
        });
    }

    fn line(&self) -> String {
        let words: Vec<String> = self.arguments.iter().map(|word| quoted(word)).collect();
        let curl = format!("curl {}", words.join(" "));
        match &self.input {
            None => curl,
            Some(input) => format!("printf %s {} | base64 -d | {curl}", STANDARD.encode(input)),
        }
    }

    fn run(&self) -> Result<Outcome, Failure> {
        let mut curl = Command::new("curl");
        for word in &self.arguments {
            curl.arg(OsStr::from_bytes(word));
        }
        curl.stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::inherit() });
        let unstartable = |source| Failure::Unstartable { program: "curl", source };
        let mut running = curl.spawn().map_err(unstartable)?;
        if let (Some(input), Some(mut pipe)) = (&self.input, running.stdin.take()) {
            // A curl that ends early says why itself.
            let _ = pipe.write_all(input);
        }
        let status = running.wait().map_err(unstartable)?;
        Ok(if status.success() { Outcome::Holds } else { Outcome::Undecided })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_core::Transport;

    fn line(http: &str) -> String {
        command(&Message::from_http(http.as_bytes(), Transport::Https).unwrap()).unwrap()
    }

    #[test]
    fn a_command_says_what_curl_would_do_differently() {
        for (http, shown) in [
            ("GET /a HTTP/1.1\nHost: h\n\n", "curl https://h/a"),
            ("HEAD /a HTTP/1.1\nHost: h\n\n", "curl --head https://h/a"),
            ("DELETE /a?b=c&d HTTP/1.1\nHost: h\n\n", "curl -X DELETE 'https://h/a?b=c&d'"),
            ("POST / HTTP/1.1\nHost: h\n\n", "curl -X POST https://h/"),
            ("POST / HTTP/1.1\nHost: h\n\n@it's", r"curl https://h/ -H Content-Type: --data-raw '@it'\''s'"),
            (
                "PUT /./x/{a} HTTP/1.1\nHost: h\nContent-Type: t/s\nContent-Length: 1\nX:\n\nb",
                "curl -X PUT --path-as-is --globoff 'https://h/./x/{a}' -H 'Content-Type: t/s' -H 'X;' --data-raw b",
            ),
            ("GET /a b HTTP/1.1\nHost: h\n\n", "curl --request-target '/a b' https://h"),
            ("GET http://h/ HTTP/1.1\nHost: H:80\n\n", "curl http://h/ -H 'Host: H:80'"),
            (
                "POST / HTTP/1.1\nHost: h\nContent-Type: b\n\n\0",
                "printf %s AA== | base64 -d | curl https://h/ -H 'Content-Type: b' --data-binary @-",
            ),
        ] {
            assert_eq!(line(http), shown, "{http}");
        }
    }

    #[test]
    fn a_response_is_no_command() {
        let response = Message::from_http(b"HTTP/1.1 200 OK\n\n", Transport::Https).unwrap();
        assert!(command(&response).is_err());
    }
}
