//! The engine behind the request commands. Schemes, keys and nonces are read once a run and found again, so that a
//! stream costs what its messages cost.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use countersign_certificates::{Certificates, FolderError, Naming};
use countersign_core::{
    Carried, Checked, Coverage, Explanation, FirstUse, Freshness, Key, KeyQuery, KeySet, Plan, Rejection,
    ReplayEntry, RequestView, SignError, Signed, Signer, UnixTime, Verified, Verifier,
};

use crate::advice;
use crate::material::{KeyRing, Material, MaterialError, TooManyKeys};
use crate::message::Message;
use crate::message::http::HttpError;
use crate::message::json::LineError;
use crate::scheme_file::{OpenError, SchemeFile};
use crate::world::{self, NoRandomness};

/// A message, and what is needed to sign or to judge it.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) scheme: String,
    pub(crate) keys: Keys,
    pub(crate) vars: Vec<(String, String)>,
    pub(crate) now: UnixTime,
    pub(crate) nonce: Option<String>,
    pub(crate) message: Message,
}

/// The keys that may be used.
#[derive(Debug, Clone)]
pub(crate) enum Keys {
    /// One. Without an id it serves any.
    One { material: Arc<Material>, id: Option<String>, algorithm: Option<String> },
    /// Those of a folder of certificates; `only`: under this id.
    Certificates { folder: Arc<Path>, only: Option<String> },
    /// Those of a file; `only`: under this id.
    Ring { ring: Arc<KeyRing>, only: Option<String> },
}

/// Why nothing was decided: the caller's fault, or the machine's, and never the message's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Undecided {
    #[error("{0}")]
    Certificates(Arc<FolderError>),
    #[error("no key is given")]
    NoKey,
    #[error("the example of `{name}` cannot be read: {what}")]
    Example { name: String, what: String },
    #[error("`{scheme}` does not say how a key id names a certificate")]
    NoNaming { scheme: String },
    #[error("no scheme is given")]
    NoScheme,
    #[error("{0}")]
    Http(#[from] HttpError),
    #[error("{0}")]
    Line(#[from] LineError),
    #[error("the line is longer than {most} bytes")]
    LineTooLong { most: usize },
    #[error("{0}")]
    Material(#[from] MaterialError),
    #[error("{0}")]
    Randomness(#[from] NoRandomness),
    #[error("more than {most} messages are remembered; the rest is undecided")]
    ReplayFull { most: usize },
    #[error("{}", .0.line())]
    Scheme(Arc<OpenError>),
    #[error("{text}")]
    Sign { error: SignError, text: String, hint: Option<String> },
    #[error("a response cannot be written as a {0}")]
    Unwritable(&'static str),
    #[error("{0}")]
    TooManyKeys(#[from] TooManyKeys),
    #[error("the value of `{name}` in `vars` is neither text, number nor boolean")]
    Var { name: String },
    #[error("the scheme needs a value for `{name}`{}", about.as_ref().map(|about| format!(": {about}")).unwrap_or_default())]
    VarNeeded { name: String, about: Option<String> },
    #[error("`{scheme}` knows no variable `{name}`")]
    VarUnknown { scheme: String, name: String, hint: String },
    #[error("{0}")]
    VarUnreadable(String),
}

impl Undecided {
    pub(crate) fn hint(&self) -> Option<String> {
        let fixed = match self {
            Self::NoKey => "give --secret, --secret-file, --key-file or, to verify, --keys or --certificates",
            Self::NoNaming { .. } => {
                "it needs `resolver` in [key]; or give the key itself, with --key-file or --keys"
            }
            Self::NoScheme => "give --scheme NAME or --scheme FILE; `countersign schemes` lists the names",
            Self::Http(error) => return error.hint().map(str::to_owned),
            Self::Material(error) => return error.hint(),
            Self::Scheme(error) => return error.hint(),
            Self::TooManyKeys(_) => "name one id with --key-id",
            Self::Sign { hint, .. } => return hint.clone(),
            Self::VarNeeded { name, .. } => return Some(format!("give --var {name}=VALUE")),
            Self::VarUnknown { hint, .. } => return Some(hint.clone()),
            _ => return None,
        };
        Some(fixed.to_owned())
    }
}

/// What a verified message is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) key_id: Option<String>,
    pub(crate) signed_at: Option<UnixTime>,
    pub(crate) coverage: Coverage,
}

impl Facts {
    fn of(verified: &Verified) -> Self {
        Self {
            key_id: verified.key_id().map(|id| String::from_utf8_lossy(id).into_owned()),
            signed_at: verified.signed_at(),
            coverage: verified.covered(),
        }
    }
}

/// A decision, and the scheme it was made by.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) scheme: Arc<SchemeFile>,
    /// The plan that judged: that of one of several schemes, where they stand side by side.
    pub(crate) plan: Arc<Plan>,
    pub(crate) verdict: Result<Facts, Rejection>,
}

/// A folder of certificates, or why it cannot be used.
type ReadFolder = Result<Arc<Certificates>, Arc<FolderError>>;

/// Schemes, keys and nonces of a run.
#[derive(Debug, Default)]
pub(crate) struct Engine {
    schemes: HashMap<String, Result<Arc<SchemeFile>, Arc<OpenError>>>,
    verifiers: HashMap<String, Arc<Verifier>>,
    signers: HashMap<String, Arc<Signer>>,
    keys: HashMap<[u8; 32], Arc<Key>>,
    certificates: HashMap<(Arc<Path>, Naming), ReadFolder>,
    seen: Option<Seen>,
    /// The greatest counted nonce that was made.
    last_nonce: u64,
}

impl Engine {
    /// One that remembers accepted messages, if `replay` says so.
    pub(crate) fn new(replay: bool) -> Self {
        Self { seen: replay.then(Seen::default), ..Self::default() }
    }

    pub(crate) fn scheme(&mut self, name: &str) -> Result<Arc<SchemeFile>, Undecided> {
        if let Some(known) = self.schemes.get(name) {
            return known.clone().map_err(Undecided::Scheme);
        }
        let opened = SchemeFile::open(name).map(Arc::new).map_err(Arc::new);
        bounded(&mut self.schemes).insert(name.to_owned(), opened.clone());
        opened.map_err(Undecided::Scheme)
    }

    /// Signs the task's message. A nonce is made where one is needed and none given.
    pub(crate) fn sign(&mut self, task: &Task) -> Result<Signed, Undecided> {
        let scheme = self.scheme(&task.scheme)?;
        advice::needed_vars(scheme.scheme(), &task.vars)?;
        let signer = self.signer(task, &scheme);
        let Keys::One { material, id, algorithm } = &task.keys else { return Err(Undecided::NoKey) };
        let key = self.key(material, id.as_deref(), algorithm.as_deref())?;
        let made = match task.nonce {
            None if scheme.plan.counts_nonces() => Some(world::counted_nonce(&mut self.last_nonce)),
            None if signer.wants_nonce() => Some(world::nonce()?),
            _ => None,
        };
        let fresh = Freshness { now: task.now, nonce: task.nonce.as_deref().or(made.as_deref()) };
        let signed = task.message.seen_to_sign(|view| signer.sign(view, &key, &fresh));
        signed.map_err(|error| Undecided::Sign {
            text: sign_error(&error, &scheme),
            hint: advice::on_signing(&error, &scheme, material, &task.vars),
            error,
        })
    }

    /// Judges the task's message.
    pub(crate) fn verify(&mut self, task: &Task) -> Result<Decision, Undecided> {
        let scheme = self.scheme(&task.scheme)?;
        advice::needed_vars(scheme.scheme(), &task.vars)?;
        let verifier = self.verifier(task, &scheme)?;
        let plan = task.message.seen(|view| Arc::clone(verifier.judging(&view).plan()));
        let verdict = task.message.seen(|view| {
            let checked = match verifier.start(view, task.now) {
                Err(rejection) => Err(rejection),
                Ok(needs_key) => {
                    let keys = self.candidates(&task.keys, &scheme, &needs_key.query())?;
                    needs_key.key(&keys).and_then(countersign_core::NeedsBody::finish)
                }
            };
            let verified = match checked {
                Err(rejection) => Err(rejection),
                Ok(Checked::Verified(verified)) => Ok(verified),
                Ok(Checked::NeedsReplay(asks)) => {
                    let first = match &mut self.seen {
                        None => FirstUse::First,
                        Some(seen) => seen.admit(asks.entry())?,
                    };
                    asks.answered(first)
                }
            };
            Ok::<_, Undecided>(verified.map(|verified| Facts::of(&verified)))
        })?;
        Ok(Decision { scheme, plan, verdict })
    }

    /// Judges the task's message, and shows how. The verdict is that of [`Self::verify`].
    pub(crate) fn explain(&mut self, task: &Task) -> Result<(Decision, Explanation), Undecided> {
        let decision = self.verify(task)?;
        let verifier = self.verifier(task, &decision.scheme)?;
        let explanation = task.message.seen(|view| {
            let read = verifier.explain(view, &KeySet::default(), task.now);
            let claimed = read.fields.iter().find(|(name, _)| name == "key-id").map(|(_, id)| id.as_slice());
            let keys =
                self.candidates(&task.keys, &decision.scheme, &KeyQuery::new(&decision.plan.scheme().name, claimed))?;
            Ok::<_, Undecided>(verifier.explain(view, &keys, task.now))
        })?;
        Ok((decision, explanation))
    }

    /// The carriers of the task's message, read and written again.
    pub(crate) fn carried(&mut self, task: &Task) -> Result<Result<Vec<Carried>, Rejection>, Undecided> {
        let scheme = self.scheme(&task.scheme)?;
        let verifier = self.verifier(task, &scheme)?;
        Ok(task.message.seen(|view| verifier.carried(view)))
    }

    /// The content of a body in chunks, all of which hold. `None`: the body does not come in chunks.
    pub(crate) fn content(&mut self, task: &Task) -> Result<Option<Vec<u8>>, Undecided> {
        let scheme = self.scheme(&task.scheme)?;
        let verifier = self.verifier(task, &scheme)?;
        task.message.seen(|view| {
            let Ok(needs_key) = verifier.start(RequestView { body: None, ..view }, task.now) else { return Ok(None) };
            let keys = self.candidates(&task.keys, &scheme, &needs_key.query())?;
            let Some(mut chunks) = needs_key.key(&keys).ok().and_then(|state| state.releasing().ok()) else {
                return Ok(None);
            };
            let mut content = Vec::new();
            let judged = chunks.update(task.message.content(), &mut content).and_then(|()| chunks.finish());
            Ok(judged.ok().map(|_| content))
        })
    }

    fn verifier(&mut self, task: &Task, scheme: &SchemeFile) -> Result<Arc<Verifier>, Undecided> {
        let name = with_vars(task);
        if let Some(known) = self.verifiers.get(&name) {
            return Ok(Arc::clone(known));
        }
        let bare = Verifier::new(Arc::clone(&scheme.plan));
        let verifier =
            Arc::new(task.vars.iter().fold(bare, |verifier, (name, value)| verifier.with_var(name, value)));
        if let Some(what) = verifier.fault() {
            return Err(Undecided::VarUnreadable(what.to_owned()));
        }
        bounded(&mut self.verifiers).insert(name, Arc::clone(&verifier));
        Ok(verifier)
    }

    fn signer(&mut self, task: &Task, scheme: &SchemeFile) -> Arc<Signer> {
        let name = with_vars(task);
        if let Some(known) = self.signers.get(&name) {
            return Arc::clone(known);
        }
        let bare = Signer::new(Arc::clone(&scheme.plan));
        let signer = Arc::new(task.vars.iter().fold(bare, |signer, (name, value)| signer.with_var(name, value)));
        bounded(&mut self.signers).insert(name, Arc::clone(&signer));
        signer
    }

    fn candidates(&mut self, keys: &Keys, scheme: &SchemeFile, query: &KeyQuery<'_>) -> Result<KeySet, Undecided> {
        match keys {
            Keys::One { material, id, algorithm } => {
                Ok(KeySet::new([self.key(material, id.as_deref(), algorithm.as_deref())?]))
            }
            Keys::Certificates { folder, only } => {
                let certificates = self.certificates(folder, scheme)?;
                let asked = only.as_deref().map(str::as_bytes);
                // An id that the caller insists on must be the one that the message claims, if it claims any.
                Ok(match (query.claimed_key_id, asked) {
                    (Some(claimed), Some(asked)) if claimed != asked => KeySet::default(),
                    (claimed, asked) => certificates.find(claimed.or(asked)),
                })
            }
            Keys::Ring { ring, only } => Ok(ring.find(query, only.as_deref())?),
        }
    }

    /// The certificates of a folder, under the names that a scheme gives them.
    fn certificates(&mut self, folder: &Arc<Path>, scheme: &SchemeFile) -> Result<Arc<Certificates>, Undecided> {
        let scheme = scheme.scheme();
        let resolver = scheme.key.resolver.as_ref();
        let naming = resolver
            .and_then(|name| Naming::from_name(&name.value))
            .ok_or_else(|| Undecided::NoNaming { scheme: scheme.name.clone() })?;
        let read = || Certificates::read(folder, naming).map(Arc::new).map_err(Arc::new);
        let found = self.certificates.entry((Arc::clone(folder), naming)).or_insert_with(read);
        found.clone().map_err(Undecided::Certificates)
    }

    fn key(&mut self, material: &Material, id: Option<&str>, algorithm: Option<&str>) -> Result<Arc<Key>, Undecided> {
        let fingerprint = material.fingerprint(id, algorithm);
        if let Some(known) = self.keys.get(&fingerprint) {
            return Ok(Arc::clone(known));
        }
        let key = Arc::new(material.key(id, algorithm)?);
        bounded(&mut self.keys).insert(fingerprint, Arc::clone(&key));
        Ok(key)
    }
}

/// Accepted messages, for one run: nothing is forgotten before its time, and a clock that goes back from one line to
/// the next, as in a file of old requests, makes nothing acceptable again.
#[derive(Debug, Default)]
struct Seen {
    until: HashMap<[u8; 32], UnixTime>,
}

impl Seen {
    /// Entries; about a gibibyte.
    const MOST: usize = 16 * 1024 * 1024;

    fn admit(&mut self, entry: &ReplayEntry) -> Result<FirstUse, Undecided> {
        if let Some(until) = self.until.get(&entry.digest)
            && entry.now <= *until
        {
            return Ok(FirstUse::Seen);
        }
        if self.until.len() >= Self::MOST {
            return Err(Undecided::ReplayFull { most: Self::MOST });
        }
        self.until.insert(entry.digest, entry.live_until);
        Ok(FirstUse::First)
    }
}

/// A stream may name any number of schemes, variables and keys; past this many, all are found anew.
const MOST_KNOWN: usize = 4096;

fn bounded<K, V>(map: &mut HashMap<K, V>) -> &mut HashMap<K, V> {
    if map.len() >= MOST_KNOWN {
        map.clear();
    }
    map
}

/// The scheme's name with the variables, as one text that nothing else has.
fn with_vars(task: &Task) -> String {
    let mut name = task.scheme.clone();
    for (var, value) in &task.vars {
        for piece in [var, value] {
            name.push('\0');
            name.push_str(&piece.len().to_string());
            name.push('\0');
            name.push_str(piece);
        }
    }
    name
}

fn sign_error(error: &SignError, scheme: &SchemeFile) -> String {
    match error {
        SignError::Message(rejection) => {
            format!("the message cannot be signed: {}", rejection.detail(scheme.scheme()))
        }
        SignError::Missing { step: Some(step) } => format!("{error} ({})", scheme.place(*step)),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(digest: u8, now: i64, until: i64) -> ReplayEntry {
        ReplayEntry {
            digest: [digest; 32],
            key: [0; 16],
            live_until: UnixTime::from_secs(until),
            since: UnixTime::from_secs(now),
            now: UnixTime::from_secs(now),
        }
    }

    #[test]
    fn what_was_seen_stays_seen_until_its_end_whatever_the_clock_does() {
        let mut seen = Seen::default();
        let mut admit = |digest, now, until| seen.admit(&entry(digest, now, until)).unwrap();
        assert_eq!(admit(1, 100, 200), FirstUse::First);
        assert_eq!(admit(1, 200, 200), FirstUse::Seen);
        assert_eq!(admit(2, 1000, 1100), FirstUse::First);
        assert_eq!(admit(1, 100, 200), FirstUse::Seen);
        assert_eq!(admit(1, 201, 301), FirstUse::First);
    }
}
