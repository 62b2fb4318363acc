//! From options and lines to tasks: what a line says wins over what the command line says.

use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use countersign_core::{Transport, UnixTime};

use crate::advice;
use crate::args::{InputOptions, KeyOptions, SchemeOptions};
use crate::engine::{Engine, Keys, Task, Undecided};
use crate::failure::Failure;
use crate::key_file;
use crate::material::{KeyRing, Material, MaterialError, SecretText};
use crate::message::Message;
use crate::message::json::{Line, var_text};
use crate::world;

/// What the options say: it stands in for whatever a line leaves out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defaults {
    pub(crate) scheme: Option<String>,
    pub(crate) key_id: Option<String>,
    pub(crate) material: Option<Given>,
    pub(crate) algorithm: Option<String>,
    pub(crate) vars: Vec<(String, String)>,
    pub(crate) now: Option<i64>,
    pub(crate) nonce: Option<String>,
    pub(crate) peer: Option<String>,
}

/// The key, or the keys, of the options.
#[derive(Debug, Clone)]
pub(crate) enum Given {
    One(Arc<Material>),
    Ring(Arc<KeyRing>),
    /// A folder of certificates, which is read when a scheme says what they are called.
    Certificates(Arc<Path>),
}

impl Defaults {
    /// Reads the files that the options name.
    pub(crate) fn read(
        scheme: &SchemeOptions,
        key: &KeyOptions,
        keys: Option<&Path>,
        certificates: Option<&Path>,
    ) -> Result<Self, Failure> {
        let one = |material| Some(Given::One(Arc::new(material)));
        let material = match (&key.secret, &key.secret_file, &key.key_file, keys) {
            (Some(secret), ..) => one(Material::Secret(secret.clone())),
            (_, Some(path), ..) => one(Material::Secret(SecretText::read(path)?)),
            (_, _, Some(path), _) => {
                let material = Material::read_key(path)?;
                // What is wrong with the file is told now, with its name, and not with each message.
                if let Err(MaterialError::Key(error)) = material.key(None, None) {
                    return Err(MaterialError::KeyFile { path: path.clone(), error }.into());
                }
                one(material)
            }
            (_, _, _, Some(path)) => Some(Given::Ring(Arc::new(key_file::read(path)?))),
            (None, None, None, None) => certificates.map(|folder| Given::Certificates(folder.into())),
        };
        Ok(Self {
            scheme: scheme.scheme.clone(),
            key_id: key.key_id.clone(),
            material,
            algorithm: key.alg.clone(),
            vars: scheme.vars.clone(),
            now: scheme.now,
            nonce: None,
            peer: None,
        })
    }

    /// Whether the options name a scheme that can be used, variables that it knows, and a key: said before a message is
    /// waited for.
    pub(crate) fn check(&self, engine: &mut Engine) -> Result<(), Undecided> {
        let scheme = engine.scheme(self.scheme.as_deref().ok_or(Undecided::NoScheme)?)?;
        advice::known_vars(scheme.scheme(), &self.vars)?;
        if self.material.is_some() { Ok(()) } else { Err(Undecided::NoKey) }
    }

    /// What is to be done with a message that says nothing but itself.
    pub(crate) fn task(&self, mut message: Message) -> Result<Task, Undecided> {
        if message.peer.is_none() {
            message.peer.clone_from(&self.peer);
        }
        Ok(Task {
            scheme: self.scheme.clone().ok_or(Undecided::NoScheme)?,
            keys: self.keys(None, None, None)?,
            vars: self.vars.clone(),
            now: self.now.map_or_else(world::now, UnixTime::from_secs),
            nonce: self.nonce.clone(),
            message,
        })
    }

    /// What is to be done with a line; and whether its body came as base64.
    pub(crate) fn task_of(&self, line: &mut Line) -> Result<(Task, bool), Undecided> {
        let (mut message, binary) = line.take_message()?;
        if message.peer.is_none() {
            message.peer.clone_from(&self.peer);
        }
        let mut vars = self.vars.clone();
        for (name, value) in line.vars.take().unwrap_or_default() {
            let Some(value) = var_text(&value).map_err(|_| Undecided::Var { name: name.clone() })? else { continue };
            vars.retain(|(known, _)| known.replace('_', "-") != name.replace('_', "-"));
            vars.push((name, value));
        }
        let material = own_material(line)?;
        let task = Task {
            scheme: line.scheme.take().or_else(|| self.scheme.clone()).ok_or(Undecided::NoScheme)?,
            keys: self.keys(material, line.key_id.take(), line.alg.take())?,
            vars,
            now: line.now.or(self.now).map_or_else(world::now, UnixTime::from_secs),
            nonce: line.nonce.take().or_else(|| self.nonce.clone()),
            message,
        };
        Ok((task, binary))
    }

    fn keys(&self, own: Option<Material>, id: Option<String>, algorithm: Option<String>) -> Result<Keys, Undecided> {
        let id = id.or_else(|| self.key_id.clone());
        let algorithm = algorithm.or_else(|| self.algorithm.clone());
        match (own, &self.material) {
            (Some(material), _) => Ok(Keys::One { material: Arc::new(material), id, algorithm }),
            (None, Some(Given::One(material))) => Ok(Keys::One { material: Arc::clone(material), id, algorithm }),
            (None, Some(Given::Ring(ring))) => Ok(Keys::Ring { ring: Arc::clone(ring), only: id }),
            (None, Some(Given::Certificates(folder))) => {
                Ok(Keys::Certificates { folder: Arc::clone(folder), only: id })
            }
            (None, None) => Err(Undecided::NoKey),
        }
    }
}

fn own_material(line: &mut Line) -> Result<Option<Material>, Undecided> {
    let private = line.private_key.take().map(|pem| ("private_key", Material::Private(SecretText::new(pem))));
    let public = line.public_key.take().map(|pem| ("public_key", Material::Public(pem)));
    let secret = line.secret.take().map(|text| ("secret", Material::Secret(SecretText::new(text))));
    let mut given = [secret, public, private].into_iter().flatten();
    match (given.next(), given.next()) {
        (Some((first, _)), Some((second, _))) => Err(crate::message::json::LineError::Both { first, second }.into()),
        (found, _) => Ok(found.map(|(_, material)| material)),
    }
}

/// Reads the one message of a command.
pub(crate) fn read_message(input: &InputOptions) -> Result<Message, Failure> {
    let transport: Transport = input.transport.into();
    let read = |path: &Path| -> Result<Message, Failure> {
        Ok(Message::from_http(&read_all(path)?, transport).map_err(Undecided::Http)?)
    };
    let mut message = read(&input.request)?;
    if let Some(path) = &input.answers {
        let request = read(path)?;
        if message.status.is_none() || request.status.is_some() {
            let hint = "--request FILE is the response then, and --answers FILE the request";
            return Err(Failure::arguments("only a response answers, and only a request is answered", hint));
        }
        message.answer(request);
    }
    Ok(message)
}

/// Reads a file whole; `-` is standard input.
pub(crate) fn read_all(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable = |source| Failure::Unreadable { path: path.to_owned(), source };
    if path != Path::new("-") {
        return std::fs::read(path).map_err(unreadable);
    }
    let mut bytes = Vec::new();
    match io::stdin().lock().read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(source) => Err(Failure::Unreadable { path: "standard input".into(), source }),
    }
}
