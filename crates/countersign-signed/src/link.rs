//! Links that hold for a while: for one path and query, some methods, and, if asked, one address, one key, a number of
//! uses.
//!
//! A link is a URL with one parameter more:
//!
//! ```text
//! cs-link=BASE64URL(head).BASE64URL(tag)
//! head   version (1) | flags (1) | made at (8) | holds until (8) | uses (2) | number (16) | methods | address | key | free names
//! key    HKDF-SHA-256 of the secret for links
//! tag    HMAC-SHA-256 of head, authority, path and each pair of the query, each with its length before it
//! ```
//!
//! Every parameter is signed, as it is spelt and in its order, but for those that the link names as free: what mailers
//! and trackers add. The authority is signed unless the link is for any host.
//!
//! What is limited to a number of uses carries 16 random bytes, and a store is asked for one entry after the other.
//! Base64 is strict, so a link has one spelling, and what a store remembers does not depend on it anyhow.

use std::net::IpAddr;

use countersign_core::alg::{Hash, hkdf};
use countersign_core::canon::{is_token, unpct};
use countersign_core::{FirstUse, ReplayEntry, UnixTime};
use zeroize::Zeroizing;

use crate::digest::{Digest, Keyed, Tag};
use crate::opened::millis;
use crate::redeem::{Life, entry, same_life};
use crate::{Keys, Refused, SettingFault, base64};

/// The parameter that makes a URL a link.
pub const PARAMETER: &str = "cs-link";
/// The most uses that a link may be limited to: a store is asked once for each.
pub const MOST_USES: u16 = 100;
/// The longest a link may hold, in seconds: ten years.
pub const LONGEST_LIFETIME: u64 = 10 * 366 * 24 * 60 * 60;

/// What a link allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// For how many seconds it holds.
    pub lifetime: u64,
    /// With which methods. Empty: `GET`.
    pub methods: Vec<String>,
    /// How often. `None`: any number of times.
    pub uses: Option<u16>,
    /// From which address.
    pub address: Option<IpAddr>,
    /// Together with a request that is signed with this key.
    pub key: Option<String>,
    /// Parameters that may be added, changed and removed.
    pub free: Vec<String>,
    /// Whether any host will do.
    pub any_host: bool,
}

impl Terms {
    /// For some seconds, and nothing else said.
    #[must_use]
    pub const fn lasting(lifetime: u64) -> Self {
        Self {
            lifetime,
            methods: Vec::new(),
            uses: None,
            address: None,
            key: None,
            free: Vec::new(),
            any_host: false,
        }
    }
}

/// Why a link cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkFault {
    /// It is a link already.
    #[error("it has a parameter `{PARAMETER}` already")]
    AlreadySigned,
    /// A free parameter's name is empty, or the link's own.
    #[error("a free parameter must have a name, and another one than `{PARAMETER}`")]
    Free,
    /// Not longer than [`LONGEST_LIFETIME`], and longer than nothing.
    #[error("a link holds for at least a second and for at most ten years")]
    Lifetime,
    /// A method is none.
    #[error("a method is none")]
    Method,
    /// More than a link can carry.
    #[error("more is said of it than a link can carry")]
    TooLong,
    /// The URL is none that could be followed as it is.
    #[error("it is no absolute URL of http or https with its path and query encoded")]
    Url,
    /// From one to [`MOST_USES`].
    #[error("a link may be limited to between 1 and {MOST_USES} uses")]
    Uses,
}

/// A request that follows a link, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Request<'r> {
    /// The method.
    pub method: &'r str,
    /// The authority.
    pub authority: &'r str,
    /// Path and query, as sent.
    pub target: &'r [u8],
    /// Where it comes from, where that is known.
    pub address: Option<IpAddr>,
    /// The key that the request itself is signed with, if it is and that was verified.
    pub key_id: Option<&'r [u8]>,
}

/// Makes links, and checks them.
#[derive(Debug, Clone)]
pub struct Links {
    keys: Vec<LinkKey>,
}

#[derive(Debug, Clone)]
struct LinkKey {
    keyed: Keyed,
    /// Stands for the key where quotas are counted.
    name: [u8; 16],
}

impl Links {
    /// Derives the keys. Secrets have at least [`Keys::SHORTEST`] bytes.
    pub fn new(keys: &Keys) -> Result<Self, SettingFault> {
        keys.long_enough()?;
        let keys = keys.each(|key| {
            let mut derived = Zeroizing::new(Vec::new());
            hkdf(Hash::Sha256, key, SALT, b"sign", 32, &mut derived);
            let mut name = Vec::new();
            hkdf(Hash::Sha256, key, SALT, b"name", 16, &mut name);
            let keyed = Digest::Sha256.keyed(&derived);
            LinkKey { keyed, name: name.first_chunk().copied().unwrap_or_default() }
        });
        Ok(Self { keys })
    }

    /// Makes a link of an absolute URL. `number`: 16 random bytes, which tell it from all others.
    pub fn make(&self, url: &str, terms: &Terms, number: [u8; 16], now: UnixTime) -> Result<String, LinkFault> {
        let head = Head::of(terms, number, now)?;
        let url = Url::read(url)?;
        let query = Query::read(url.query.unwrap_or_default().as_bytes(), &head.free).map_err(|_| LinkFault::Url)?;
        if query.credential.is_some() {
            return Err(LinkFault::AlreadySigned);
        }
        let bytes = head.write()?;
        let key = self.keys.first().ok_or(LinkFault::TooLong)?;
        let tag = key.tag(&bytes, head.any_host, url.authority, url.path.as_bytes(), &query.signed);
        let (before, mark) = match url.query {
            None => (url.before_fragment.to_owned(), '?'),
            Some("") => (url.before_fragment.trim_end_matches('?').to_owned(), '?'),
            Some(_) => (url.before_fragment.to_owned(), '&'),
        };
        let mut out = before;
        out.push(mark);
        out.push_str(PARAMETER);
        out.push('=');
        base64::append(base64::URL, &bytes, &mut out);
        out.push('.');
        base64::append(base64::URL, tag.as_bytes(), &mut out);
        out.push_str(url.fragment);
        Ok(out)
    }

    /// Checks a request that follows a link.
    pub fn check(&self, request: &Request<'_>, now: UnixTime) -> Result<Checked, Refused> {
        let (path, query) = match request.target.iter().position(|byte| *byte == b'?') {
            Some(at) => request.target.split_at(at),
            None => return Err(Refused::Malformed),
        };
        let query = query.get(1..).unwrap_or_default();
        // Which parameters are free is said by the link itself, so it is read before it is verified, and nothing is
        // done with it but to verify it.
        let credential = Query::read(query, &[])?.credential.ok_or(Refused::Malformed)?;
        let dot = credential.iter().position(|byte| *byte == b'.').ok_or(Refused::Malformed)?;
        let (bytes, tag) = credential.split_at(dot);
        if bytes.len() > LONGEST_HEAD.saturating_mul(2) {
            return Err(Refused::TooLarge);
        }
        let bytes = base64::strict(base64::URL, bytes).ok_or(Refused::Malformed)?;
        let claimed = Head::read(&bytes).ok_or(Refused::Malformed)?;
        let query = Query::read(query, &claimed.free)?;
        let tag = tag.get(1..).unwrap_or_default();
        let is = |key: &LinkKey| {
            let made = key.tag(&bytes, claimed.any_host, request.authority, path, &query.signed);
            base64::is_tag(base64::URL, tag, &made)
        };
        let which = self.keys.iter().position(is).ok_or(Refused::SignatureMismatch)?;
        let head = claimed;
        if now > head.until {
            return Err(Refused::Expired);
        }
        let method = head.methods.split(',').any(|method| method == request.method);
        let address = head.address.is_none_or(|bound| request.address.map(|from| from.to_canonical()) == Some(bound));
        let key = head.key.as_deref().is_none_or(|bound| request.key_id == Some(bound.as_bytes()));
        if !(method && address && key) {
            return Err(Refused::Bound);
        }
        let followed = Followed { until: head.until, uses: head.uses, key: which };
        match head.uses {
            None => Ok(Checked::Holds(followed)),
            Some(uses) => {
                let name = self.keys.get(which).map(|key| key.name).unwrap_or_default();
                let life = Life { signed_at: head.made, until: head.until, now };
                Uses::new(followed, uses, name, head.number, &life).map(Checked::Uses)
            }
        }
    }
}

impl LinkKey {
    fn tag(&self, head: &[u8], any_host: bool, authority: &str, path: &[u8], query: &[&[u8]]) -> Tag {
        let authority = if any_host { String::new() } else { authority.to_ascii_lowercase() };
        let pieces = [head, authority.as_bytes(), path];
        let lengths: Vec<[u8; 8]> = pieces.iter().chain(query).map(|piece| length(piece)).collect();
        let pieces = pieces.iter().chain(query).zip(&lengths);
        let pieces: Vec<&[u8]> = pieces.flat_map(|(piece, length)| [length.as_slice(), piece]).collect();
        self.keyed.tag(&pieces)
    }
}

/// A link that held in every respect, its uses perhaps excepted.
#[derive(Debug)]
#[must_use = "a link that is limited in its uses holds when a store has said so"]
pub enum Checked {
    /// It may be followed.
    Holds(Followed),
    /// A store has to be asked.
    Uses(Uses),
}

/// A link that may be followed, this time. Only a check makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    until: UnixTime,
    uses: Option<u16>,
    key: usize,
}

impl Followed {
    /// Until when it holds.
    #[must_use]
    pub const fn until(&self) -> UnixTime {
        self.until
    }

    /// How often it may be followed in all.
    #[must_use]
    pub const fn uses(&self) -> Option<u16> {
        self.uses
    }

    /// Whether it was made with an old key.
    #[must_use]
    pub const fn needs_resign(&self) -> bool {
        self.key > 0
    }

    /// Which of the keys made it: 0 for the newest.
    #[must_use]
    pub const fn key(&self) -> usize {
        self.key
    }
}

/// A link that may be followed if one of its uses is left.
///
/// ```
/// use countersign_signed::{FirstUse, Refused, link::{Answered, Followed, Uses}};
///
/// fn follow(mut uses: Uses, mut ask: impl FnMut(&Uses) -> FirstUse) -> Result<Followed, Refused> {
///     loop {
///         let answer = ask(&uses);
///         match uses.answered(answer) {
///             Answered::Holds(followed) => return Ok(followed),
///             Answered::Next(next) => uses = next,
///             Answered::Spent => return Err(Refused::Replayed),
///         }
///     }
/// }
/// ```
#[derive(Debug)]
#[must_use = "without the store's answer the link does not hold"]
pub struct Uses {
    followed: Followed,
    number: [u8; 16],
    name: [u8; 16],
    left: u16,
    entry: ReplayEntry,
}

/// What comes of a store's answer.
#[derive(Debug)]
pub enum Answered {
    /// A use was left.
    Holds(Followed),
    /// That one was taken; there is another to ask for.
    Next(Uses),
    /// None is left.
    Spent,
}

impl Uses {
    fn new(followed: Followed, uses: u16, name: [u8; 16], number: [u8; 16], life: &Life) -> Result<Self, Refused> {
        let entry = entry(&use_pieces(&name, &number, &uses.to_be_bytes()), life)?;
        Ok(Self { followed, number, name, left: uses, entry })
    }

    /// Until when the link holds.
    #[must_use]
    pub const fn until(&self) -> UnixTime {
        self.followed.until
    }

    /// How often the link may be followed in all.
    #[must_use]
    pub const fn most(&self) -> Option<u16> {
        self.followed.uses
    }

    /// Whether it was made with an old key.
    #[must_use]
    pub const fn needs_resign(&self) -> bool {
        self.followed.needs_resign()
    }

    /// What the store has to admit.
    #[must_use]
    pub const fn entry(&self) -> &ReplayEntry {
        &self.entry
    }

    /// Takes the store's answer.
    #[must_use]
    pub fn answered(self, first: FirstUse) -> Answered {
        match (first, self.left.checked_sub(1)) {
            (FirstUse::First, _) => Answered::Holds(self.followed),
            (FirstUse::Seen, None | Some(0)) => Answered::Spent,
            (FirstUse::Seen, Some(left)) => {
                let entry = same_life(&use_pieces(&self.name, &self.number, &left.to_be_bytes()), self.entry);
                Answered::Next(Self { left, entry, ..self })
            }
        }
    }
}

/// What names one use of a link.
const fn use_pieces<'a>(name: &'a [u8; 16], number: &'a [u8; 16], which: &'a [u8; 2]) -> [&'a [u8]; 4] {
    [b"countersign-link-v1", name, number, which]
}

/// What a link says of itself.
struct Head {
    made: UnixTime,
    until: UnixTime,
    uses: Option<u16>,
    number: [u8; 16],
    any_host: bool,
    methods: String,
    address: Option<IpAddr>,
    key: Option<String>,
    free: Vec<String>,
}

impl Head {
    fn of(terms: &Terms, number: [u8; 16], now: UnixTime) -> Result<Self, LinkFault> {
        if terms.lifetime == 0 || terms.lifetime > LONGEST_LIFETIME {
            return Err(LinkFault::Lifetime);
        }
        if terms.uses.is_some_and(|uses| uses == 0 || uses > MOST_USES) {
            return Err(LinkFault::Uses);
        }
        if terms.free.iter().any(|name| name.is_empty() || name == PARAMETER) {
            return Err(LinkFault::Free);
        }
        if !terms.methods.iter().all(|method| is_token(method.as_bytes())) {
            return Err(LinkFault::Method);
        }
        if terms.key.as_deref() == Some("") {
            return Err(LinkFault::TooLong);
        }
        let methods = if terms.methods.is_empty() { "GET".to_owned() } else { terms.methods.join(",") };
        Ok(Self {
            made: now,
            until: UnixTime::from_millis(now.millis().saturating_add(millis(terms.lifetime))),
            uses: terms.uses,
            number,
            any_host: terms.any_host,
            methods,
            address: terms.address.map(|address| address.to_canonical()),
            key: terms.key.clone(),
            free: terms.free.clone(),
        })
    }

    fn write(&self) -> Result<Vec<u8>, LinkFault> {
        let mut out = vec![VERSION, if self.any_host { ANY_HOST } else { 0 }];
        out.extend_from_slice(&self.made.millis().to_be_bytes());
        out.extend_from_slice(&self.until.millis().to_be_bytes());
        out.extend_from_slice(&self.uses.unwrap_or_default().to_be_bytes());
        out.extend_from_slice(&self.number);
        let address = self.address.map(|address| address.to_string()).unwrap_or_default();
        let texts = [self.methods.as_str(), &address, self.key.as_deref().unwrap_or_default()];
        for text in texts.into_iter().chain(self.free.iter().map(String::as_str)) {
            out.push(u8::try_from(text.len()).map_err(|_| LinkFault::TooLong)?);
            out.extend_from_slice(text.as_bytes());
        }
        if out.len() > LONGEST_HEAD { Err(LinkFault::TooLong) } else { Ok(out) }
    }

    /// What [`write`](Self::write) writes, and nothing else.
    fn read(bytes: &[u8]) -> Option<Self> {
        let ([VERSION, flags], rest) = bytes.split_first_chunk()? else { return None };
        let (made, rest) = rest.split_first_chunk()?;
        let (until, rest) = rest.split_first_chunk()?;
        let (uses, rest) = rest.split_first_chunk()?;
        let (number, mut rest) = rest.split_first_chunk()?;
        let mut text = || {
            let (length, after) = rest.split_first()?;
            let (text, after) = after.split_at_checked(usize::from(*length))?;
            rest = after;
            String::from_utf8(text.to_vec()).ok()
        };
        let (methods, address, key) = (text()?, text()?, text()?);
        let free = std::iter::from_fn(&mut text).collect();
        let address = if address.is_empty() { None } else { Some(address.parse().ok()?) };
        let uses = u16::from_be_bytes(*uses);
        if !rest.is_empty() || *flags & !ANY_HOST != 0 || uses > MOST_USES {
            return None;
        }
        Some(Self {
            made: UnixTime::from_millis(i64::from_be_bytes(*made)),
            until: UnixTime::from_millis(i64::from_be_bytes(*until)),
            uses: (uses > 0).then_some(uses),
            number: *number,
            any_host: *flags & ANY_HOST != 0,
            methods,
            address,
            key: (!key.is_empty()).then_some(key),
            free,
        })
    }
}

/// A query, taken apart and not decoded.
struct Query<'q> {
    credential: Option<&'q [u8]>,
    /// What is signed, in order.
    signed: Vec<&'q [u8]>,
}

impl<'q> Query<'q> {
    fn read(query: &'q [u8], free: &[String]) -> Result<Self, Refused> {
        let (mut credential, mut signed) = (None, Vec::new());
        if query.is_empty() {
            return Ok(Self { credential, signed });
        }
        for pair in query.split(|byte| *byte == b'&') {
            let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = pair.split_at(end);
            let mut decoded = Vec::new();
            // What cannot be decoded is nobody's name, and signed as it is.
            let _ = unpct(name, &mut decoded);
            if decoded.eq_ignore_ascii_case(PARAMETER.as_bytes()) {
                // One spelling, and one of them.
                if name != PARAMETER.as_bytes() || credential.is_some() {
                    return Err(Refused::Malformed);
                }
                credential = Some(value.get(1..).unwrap_or_default());
            } else if free.iter().any(|free| free.as_bytes() == decoded) {
                // Some servers part a query at semicolons too: a free value could bring a signed name.
                if pair.contains(&b';') {
                    return Err(Refused::Malformed);
                }
            } else {
                signed.push(pair);
            }
        }
        Ok(Self { credential, signed })
    }
}

/// An absolute URL, taken apart and not decoded.
struct Url<'u> {
    before_fragment: &'u str,
    fragment: &'u str,
    authority: &'u str,
    path: &'u str,
    query: Option<&'u str>,
}

impl<'u> Url<'u> {
    fn read(url: &'u str) -> Result<Self, LinkFault> {
        if !url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\')) {
            return Err(LinkFault::Url);
        }
        let at = url.find('#').unwrap_or(url.len());
        let (before_fragment, fragment) = url.split_at_checked(at).ok_or(LinkFault::Url)?;
        let (scheme, rest) = before_fragment.split_once("://").ok_or(LinkFault::Url)?;
        let port = match scheme {
            "http" => ":80",
            "https" => ":443",
            _ => return Err(LinkFault::Url),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).ok_or(LinkFault::Url)?;
        // What follows the link sends no port that is the scheme's own.
        let authority = authority.strip_suffix(port).unwrap_or(authority);
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        if authority.is_empty() || authority.contains('@') || !path.starts_with('/') {
            return Err(LinkFault::Url);
        }
        Ok(Self { before_fragment, fragment, authority, path, query })
    }
}

fn length(piece: &[u8]) -> [u8; 8] {
    u64::try_from(piece.len()).unwrap_or(u64::MAX).to_be_bytes()
}

const VERSION: u8 = 1;
const ANY_HOST: u8 = 1;
const SALT: &[u8] = b"countersign links, version 1";
/// Bytes. Base64 of them and the tag fit well into what servers take as a target.
const LONGEST_HEAD: usize = 1024;

#[cfg(test)]
mod tests;
