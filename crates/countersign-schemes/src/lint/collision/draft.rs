//! A request to be signed, in parts that can be exchanged one at a time.

use super::Sent;
use countersign_core::canon;
use countersign_core::scheme::model::ListSource;

/// A request before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) method: String,
    pub(super) path: Vec<u8>,
    pub(super) query: Vec<Pair>,
    /// Parameters of the query are written as they are, and not encoded.
    pub(super) raw: bool,
    pub(super) fields: Vec<(String, Vec<u8>)>,
    pub(super) body: Body,
    /// Values of captures and variables.
    pub(super) given: Vec<(String, String)>,
    /// The client's address.
    pub(super) peer: String,
    /// Of an answer.
    pub(super) status: Option<u16>,
}

/// A name and a value, neither encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) k: Vec<u8>,
    /// `None`: without a `=`.
    pub(super) v: Option<Vec<u8>>,
    /// Of JSON: the value is written without quotes.
    pub(super) bare: bool,
}

/// A body, by its media type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    None,
    Form(Vec<Pair>),
    Json(Vec<Pair>),
    Text(Vec<u8>),
    /// `multipart/form-data`.
    Upload(Vec<u8>),
    Xml(Vec<Pair>),
}

/// A part of a draft whose text can be exchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    Body,
    /// A capture, by its name.
    Capture(String),
    /// A field line, by its lower-case name.
    Header(String),
    Method,
    /// The name of an item.
    Name(Place, usize),
    Path,
    Peer,
    QueryString,
    Target,
    /// The value of an item.
    Value(Place, usize),
}

/// Where the items of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Body,
    Query,
}

/// The host that all drafts go to.
pub(super) const HOST: &str = "api.example.com";

impl Slot {
    /// Whether both are of items of one place.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Name(a, _) | Self::Value(a, _), Self::Name(b, _) | Self::Value(b, _)) if a == b)
    }
}

impl Pair {
    pub(super) fn new(k: impl Into<Vec<u8>>, v: impl Into<Vec<u8>>) -> Self {
        Self { k: k.into(), v: Some(v.into()), bare: false }
    }
}

impl Draft {
    /// The items of a place.
    pub(super) fn items(&self, place: Place) -> &[Pair] {
        match (place, &self.body) {
            (Place::Query, _) => &self.query,
            (Place::Body, Body::Form(items) | Body::Json(items) | Body::Xml(items)) => items,
            (Place::Body, Body::None | Body::Text(_) | Body::Upload(_)) => &[],
        }
    }

    pub(super) fn items_mut(&mut self, place: Place) -> Option<&mut Vec<Pair>> {
        match (place, &mut self.body) {
            (Place::Query, _) => Some(&mut self.query),
            (Place::Body, Body::Form(items) | Body::Json(items) | Body::Xml(items)) => Some(items),
            (Place::Body, Body::None | Body::Text(_) | Body::Upload(_)) => None,
        }
    }

    /// Where the items of a list are taken from here.
    pub(super) fn place(&self, list: ListSource) -> Option<Place> {
        match list {
            ListSource::Form | ListSource::FormRaw | ListSource::Json | ListSource::Xml => Some(Place::Body),
            ListSource::Params if matches!(self.body, Body::Form(_)) => Some(Place::Body),
            ListSource::QueryJson | ListSource::QueryRawJson if matches!(self.body, Body::Json(_)) => {
                Some(Place::Body)
            }
            ListSource::Params
            | ListSource::Query
            | ListSource::QueryForm
            | ListSource::QueryJson
            | ListSource::QueryPct
            | ListSource::QueryRaw
            | ListSource::QueryRawJson => Some(Place::Query),
            ListSource::Headers => None,
        }
    }

    pub(super) fn field(&self, name: &str) -> Option<&[u8]> {
        let found = self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_slice())
    }

    pub(super) fn given(&self, name: &str) -> Option<&str> {
        self.given.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn give(&mut self, name: &str, value: &str) {
        self.given.retain(|(known, _)| known != name);
        self.given.push((name.to_owned(), value.to_owned()));
    }

    /// The text of a slot. Of a capture only if it was given.
    pub(super) fn text(&self, slot: &Slot) -> Option<Vec<u8>> {
        match slot {
            Slot::Body => Some(self.body_bytes().unwrap_or_default()),
            Slot::Capture(name) => self.given(name).map(|value| value.as_bytes().to_vec()),
            Slot::Header(name) => self.field(name).map(<[u8]>::to_vec),
            Slot::Method => Some(self.method.clone().into_bytes()),
            Slot::Name(place, index) => self.items(*place).get(*index).map(|item| item.k.clone()),
            Slot::Path => Some(self.path.clone()),
            Slot::Peer => Some(self.peer.clone().into_bytes()),
            Slot::QueryString => (!self.query.is_empty()).then(|| self.query_bytes()),
            Slot::Target => Some(self.target()),
            Slot::Value(place, index) => self.items(*place).get(*index)?.v.clone(),
        }
    }

    /// The draft with another text in a slot, where the slot can hold it.
    pub(super) fn with(&self, slot: &Slot, text: &[u8]) -> Option<Self> {
        let mut draft = self.clone();
        match slot {
            Slot::Body => draft.body = Body::Text(text.to_vec()),
            Slot::Capture(name) => draft.give(name, std::str::from_utf8(text).ok()?),
            Slot::Header(name) => {
                let line_ends = text.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
                if line_ends || canon::trim(text).len() != text.len() {
                    return None;
                }
                draft.fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
                draft.fields.push((name.clone(), text.to_vec()));
            }
            Slot::Method => {
                let begins = text.first().is_some_and(u8::is_ascii_alphabetic);
                if !begins || !canon::is_token(text) {
                    return None;
                }
                draft.method = String::from_utf8(text.to_vec()).ok()?;
            }
            Slot::Name(place, index) => draft.items_mut(*place)?.get_mut(*index)?.k = text.to_vec(),
            Slot::Path => {
                if text.first() != Some(&b'/') {
                    return None;
                }
                // What cannot stand in a path is sent encoded; whether that is the same is for the engine to say.
                draft.path = Vec::new();
                for byte in text {
                    if is_visible(&[*byte]) && *byte != b'?' {
                        draft.path.push(*byte);
                    } else {
                        canon::pct(&[*byte], &mut draft.path);
                    }
                }
            }
            Slot::Peer => {
                let text = std::str::from_utf8(text).ok()?;
                text.parse::<std::net::IpAddr>().ok()?;
                text.clone_into(&mut draft.peer);
            }
            Slot::QueryString => draft.set_query(text)?,
            Slot::Target => {
                let mut halves = text.splitn(2, |byte| *byte == b'?');
                draft = draft.with(&Slot::Path, halves.next()?)?;
                draft.query.clear();
                if let Some(query) = halves.next() {
                    draft.set_query(query)?;
                }
            }
            Slot::Value(place, index) => draft.items_mut(*place)?.get_mut(*index)?.v = Some(text.to_vec()),
        }
        Some(draft)
    }

    /// The draft without what a slot belongs to.
    pub(super) fn without(&self, slot: &Slot) -> Option<Self> {
        let mut draft = self.clone();
        match slot {
            Slot::Capture(name) => draft.given.retain(|(known, _)| known != name),
            Slot::Header(name) => draft.fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name)),
            Slot::Name(place, index) | Slot::Value(place, index) => {
                let items = draft.items_mut(*place)?;
                if *index >= items.len() {
                    return None;
                }
                items.remove(*index);
            }
            Slot::Body => draft.body = Body::None,
            Slot::Method | Slot::Path | Slot::Peer | Slot::QueryString | Slot::Target => return None,
        }
        (draft != *self).then_some(draft)
    }

    fn set_query(&mut self, text: &[u8]) -> Option<()> {
        if !is_visible(text) {
            return None;
        }
        self.raw = true;
        let pairs = canon::query_pairs(text);
        self.query = pairs.map(|(k, v)| Pair { k: k.to_vec(), v: v.map(<[u8]>::to_vec), bare: false }).collect();
        Some(())
    }

    fn query_bytes(&self) -> Vec<u8> {
        let encode = |text: &[u8], out: &mut Vec<u8>| {
            if self.raw { out.extend_from_slice(text) } else { canon::pct(text, out) }
        };
        joined(&self.query, encode)
    }

    fn target(&self) -> Vec<u8> {
        let mut target = self.path.clone();
        if !self.query.is_empty() {
            target.push(b'?');
            target.extend(self.query_bytes());
        }
        target
    }

    fn body_bytes(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        match &self.body {
            Body::None => return None,
            Body::Form(items) => return Some(joined(items, canon::form_encode)),
            Body::Json(items) => {
                out.push(b'{');
                for (index, item) in items.iter().enumerate() {
                    out.extend_from_slice(if index == 0 { b"\"" } else { b",\"" });
                    canon::json_escape(&item.k, &mut out);
                    out.extend_from_slice(b"\":");
                    let v = item.v.as_deref().unwrap_or_default();
                    if item.bare {
                        out.extend_from_slice(v);
                    } else {
                        out.push(b'"');
                        canon::json_escape(v, &mut out);
                        out.push(b'"');
                    }
                }
                out.push(b'}');
            }
            Body::Text(text) | Body::Upload(text) => out.extend_from_slice(text),
            Body::Xml(items) => {
                out.extend_from_slice(b"<xml>");
                for Pair { k, v, .. } in items {
                    for byte in [b"<", k.as_slice(), b">"].concat() {
                        out.push(byte);
                    }
                    escape_xml(v.as_deref().unwrap_or_default(), &mut out);
                    out.extend([b"</", k.as_slice(), b">"].concat());
                }
                out.extend_from_slice(b"</xml>");
            }
        }
        Some(out)
    }

    /// The request as it would be sent unsigned; `None` where it cannot be written so.
    pub(super) fn sent(&self) -> Option<Sent> {
        if self.raw && !self.query.iter().all(is_raw) {
            return None;
        }
        if let Body::Xml(items) = &self.body
            && !items.iter().all(|item| is_xml_name(&item.k))
        {
            return None;
        }
        let body = self.body_bytes();
        let fields = self.fields.clone();
        let (method, peer, status) = (self.method.clone(), self.peer.clone(), self.status);
        Some(Sent { method, target: self.target(), fields, body, peer, status, answers: None })
    }
}

fn joined(items: &[Pair], encode: impl Fn(&[u8], &mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        encode(&item.k, &mut out);
        if let Some(v) = &item.v {
            out.push(b'=');
            encode(v, &mut out);
        }
    }
    out
}

/// Whether a pair can be written without being encoded.
fn is_raw(item: &Pair) -> bool {
    let v = item.v.as_deref().unwrap_or_default();
    is_visible(&item.k) && is_visible(v) && !item.k.iter().any(|byte| b"=&#".contains(byte)) && !v.contains(&b'&')
}

fn is_visible(text: &[u8]) -> bool {
    text.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#')
}

fn is_xml_name(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn escape_xml(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            _ => out.push(*byte),
        }
    }
}
