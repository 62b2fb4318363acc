//! `countersign dev`: store, upstream, key and gateway in one process and a temporary folder, and what to try.
//!
//! What is shown is what happened: the demonstration sends a request of its own to the gateway, twice, before the
//! guide is printed. The pasted command is another one, and still unused.

mod guide;
mod upstream;

use std::fs;
use std::io::{self, Read as _, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use countersign_core::{Scheme, Secret, Transport};
use countersign_gateway::config::Config;
use countersign_gateway::{Gateway, Running};
use countersign_store_embedded::keys::KeyKind;
use countersign_store_embedded::{Durability, NewKey, Seal};
use serde::Serialize;

use crate::args::{DevArguments, LogFormat};
use crate::curl::{self, shell};
use crate::engine::{Engine, Keys, Task};
use crate::failure::Failure;
use crate::generate::{self, Generated};
use crate::log;
use crate::material::Material;
use crate::message::{Message, Url};
use crate::out::{Outcome, Output};
use crate::paint::Paint;
use crate::scheme_file::{SchemeFile, is_path};
use crate::serve::{AskedToStop, Store};
use crate::world;

/// The id of the only key.
const KEY_ID: &str = "dev";
/// Where the demonstration's requests go.
const PATH: &str = "/orders?dry-run=1";
const BODY: &str = r#"{"item":1}"#;
const CONTENT_TYPE: &str = "application/json";

pub(crate) fn run(arguments: &DevArguments, out: &mut Output) -> Result<Outcome, Failure> {
    let scheme = SchemeFile::open(&arguments.scheme)?;
    let folder = tempfile::Builder::new().prefix("countersign-dev-").tempdir().map_err(Failure::Serving)?;
    let key = generate::key_for(scheme.scheme())?;
    let upstream = upstream::start().map_err(Failure::Serving)?;
    let config_file = folder.path().join("gateway.toml");
    let text = config(arguments, scheme.scheme(), upstream);
    fs::write(&config_file, &text).map_err(Failure::Serving)?;
    let config = Config::load(&config_file)?;
    let _log = log::to_stderr(LogFormat::Text);
    let store = Store::open(&config.store.path, Seal::Folder, Durability::Os)?;
    store.keys.add(new_key(&key.verifies), world::now())?;
    let key_file = match &key.signs {
        Material::Jwk(text) | Material::Private(text) => {
            Some(private_file(folder.path(), text.expose()).map_err(Failure::Serving)?)
        }
        Material::Public(_) | Material::Secret(_) => None,
    };
    let asked_to_stop = AskedToStop::listen().map_err(Failure::Serving)?;
    let running = Gateway::build(&config, &store.stores()).start().map_err(Failure::Serving)?;
    let stage = Stage::new(arguments, scheme.scheme(), &running, upstream, key, key_file, config_file)?;
    if arguments.json {
        out.json(&stage.row)?;
    } else {
        let first = stage.request(arguments)?;
        let answers = [exchange(running.addr(), &first), exchange(running.addr(), &first)];
        guide::print(&stage, scheme.scheme(), &answers, Paint::new(out.colour()), out)?;
    }
    out.flush()?;
    asked_to_stop.wait_and_stop(running);
    Ok(Outcome::Holds)
}

/// Everything a guide, or a program, has to know.
struct Stage {
    row: Row,
    key: Generated,
    origin: String,
}

/// The addresses and the commands, for programs.
#[derive(Debug, Serialize)]
struct Row {
    gateway: String,
    upstream: String,
    console: Option<String>,
    key_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// The private key, where the scheme signs with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_file: Option<PathBuf>,
    scheme: String,
    /// A signed command. It ages: a scheme accepts what it signs for a few minutes.
    curl: String,
    /// A command that signs and sends a request whenever it is run.
    fresh: String,
    config: PathBuf,
}

impl Stage {
    fn new(
        arguments: &DevArguments,
        scheme: &Scheme,
        running: &Running,
        upstream: SocketAddr,
        key: Generated,
        key_file: Option<PathBuf>,
        config: PathBuf,
    ) -> Result<Self, Failure> {
        let origin = format!("http://{}", running.addr());
        let secret = match &key.signs {
            Material::Secret(secret) => Some(secret.expose().to_owned()),
            _ => None,
        };
        let mut stage = Self {
            row: Row {
                gateway: origin.clone(),
                upstream: format!("http://{upstream}"),
                console: running.console_addr().map(|console| format!("http://{console}")),
                key_id: KEY_ID,
                secret,
                key_file,
                scheme: scheme.name.clone(),
                curl: String::new(),
                fresh: String::new(),
                config,
            },
            key,
            origin,
        };
        stage.row.curl = curl::command(&stage.request(arguments)?)?;
        stage.row.fresh = stage.fresh(arguments);
        Ok(stage)
    }

    /// A request that is signed now.
    fn request(&self, arguments: &DevArguments) -> Result<Message, Failure> {
        let url =
            Url::parse(&format!("{}{PATH}", self.origin)).map_err(io::Error::other).map_err(Failure::Serving)?;
        let fields = vec![("Content-Type".to_owned(), CONTENT_TYPE.as_bytes().to_vec())];
        let message = Message::request("POST".to_owned(), url, fields, Some(BODY.as_bytes().to_vec()));
        let mut task = Task {
            scheme: arguments.scheme.clone(),
            keys: Keys::One {
                material: std::sync::Arc::new(self.key.signs.clone()),
                id: Some(KEY_ID.to_owned()),
                algorithm: None,
            },
            vars: arguments.vars.clone(),
            now: world::now(),
            nonce: None,
            message: message.map_err(io::Error::other).map_err(Failure::Serving)?,
        };
        let signed = Engine::default().sign(&task)?;
        task.message.apply(&signed);
        Ok(task.message)
    }

    fn fresh(&self, arguments: &DevArguments) -> String {
        let mut words = vec![program(), "curl".to_owned(), format!("{}{PATH}", self.origin)];
        let mut option = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
        option("-H", &format!("Content-Type: {CONTENT_TYPE}"));
        option("-d", BODY);
        option("--scheme", &absolute(&arguments.scheme));
        option("--key-id", KEY_ID);
        if let Some(secret) = &self.row.secret {
            option("--secret", secret);
        }
        if let Some(file) = &self.row.key_file {
            option("--key-file", &file.display().to_string());
        }
        for (name, value) in &arguments.vars {
            option("--var", &format!("{name}={value}"));
        }
        words.extend(["--run", "--", "-is"].map(str::to_owned));
        let quoted: Vec<String> = words.iter().map(|word| shell::quoted(word.as_bytes())).collect();
        quoted.join(" ")
    }
}

/// The gateway's configuration, as somebody could write it.
fn config(arguments: &DevArguments, scheme: &Scheme, upstream: SocketAddr) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let mut lines = vec![
        "[server]".to_owned(),
        format!("listen  = \"{}\"", arguments.listen),
        "console = \"127.0.0.1:0\"".to_owned(),
        String::new(),
        "[store]".to_owned(),
        "path = \"data\"".to_owned(),
        String::new(),
        "[[route]]".to_owned(),
        "path     = \"/*\"".to_owned(),
        format!("scheme   = {}", quoted(&absolute(&arguments.scheme))),
        format!("upstream = \"http://{upstream}\""),
    ];
    // Requests of some schemes do not say whose key they are signed with.
    let names_its_key = scheme.request.fields.iter().any(|field| field.name == "key-id" && !field.optional);
    if !names_its_key {
        lines.push(format!("key      = {}", quoted(KEY_ID)));
    }
    let declared = |name: &String| scheme.vars.iter().any(|var| var.name == name.replace('_', "-"));
    let vars: Vec<String> = arguments
        .vars
        .iter()
        .filter(|(name, _)| declared(name))
        .map(|(name, value)| format!("{name} = {}", quoted(value)))
        .collect();
    if !vars.is_empty() {
        lines.push(format!("vars     = {{ {} }}", vars.join(", ")));
    }
    lines.join("\n") + "\n"
}

fn new_key(verifies: &Material) -> NewKey {
    let (kind, text) = match verifies {
        Material::Secret(secret) => (KeyKind::Secret, secret.expose()),
        Material::Public(pem) => (KeyKind::Public, pem.as_str()),
        Material::Jwk(text) | Material::Private(text) => (KeyKind::Private, text.expose()),
    };
    NewKey::of(KEY_ID, kind, Secret::new(text.as_bytes()))
}

/// The temporary folder is its owner's alone, and so is what is in it.
fn private_file(folder: &Path, pem: &str) -> io::Result<PathBuf> {
    let path = folder.join("dev.pem");
    fs::write(&path, pem)?;
    Ok(path)
}

/// A scheme's name, in a form that means the same in any folder.
fn absolute(scheme: &str) -> String {
    if !is_path(scheme) {
        return scheme.to_owned();
    }
    fs::canonicalize(scheme).map_or_else(|_| scheme.to_owned(), |path| path.display().to_string())
}

/// What to call this program: its name where a shell would find it by that, its path otherwise.
fn program() -> String {
    let Ok(own) = std::env::current_exe() else { return "countersign".to_owned() };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join("countersign"))
        .find(|candidate| candidate.is_file())
        .and_then(|candidate| fs::canonicalize(candidate).ok());
    if found == fs::canonicalize(&own).ok() { "countersign".to_owned() } else { own.display().to_string() }
}

/// Sends a request as curl would, and reads the answer.
fn exchange(gateway: SocketAddr, request: &Message) -> io::Result<Message> {
    let mut sent = request.clone();
    sent.fields.push(("Content-Length".to_owned(), request.content().len().to_string().into_bytes()));
    sent.fields.push(("Connection".to_owned(), b"close".to_vec()));
    let mut stream = TcpStream::connect(gateway)?;
    let mut bytes = Vec::new();
    sent.write_http(&mut bytes)?;
    stream.write_all(&bytes)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Message::from_http(&answer, Transport::Http).map_err(io::Error::other)
}
