//! An upstream's answer, held and signed before the client sees any of it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use countersign_core::httpsig::{Covered, Policy, Wish};
use countersign_core::request::{RequestView, Transport};
use countersign_core::time::UnixTime;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Uri, request, response};
use hyper::body::{Body as _, Bytes};
use tokio::time::timeout;

use super::{Clashes, FieldLines, Pen, Unsigned, apply};
use crate::config::SignConfig;
use crate::judge::{self, Stores};
use crate::upstream::Answered;

/// How a route signs its answers.
#[derive(Debug)]
pub(crate) struct AnswerPen {
    pub(crate) pen: Arc<Pen>,
    clashes: Clashes,
    limit: u64,
    patience: Duration,
    transport: Transport,
    /// What may be asked for besides, where the scheme is one of message signatures.
    offer: Option<Offer>,
}

/// A request as the client sent it.
#[derive(Debug)]
pub(crate) struct Asked {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

#[derive(Debug)]
struct Offer {
    components: Vec<Covered>,
    tag: Option<String>,
    alg: Option<String>,
    key_id: String,
}

/// The field in which a client asks for a signature.
const ACCEPT_SIGNATURE: &str = "accept-signature";

impl Asked {
    pub(crate) fn of(head: &request::Parts) -> Self {
        Self { method: head.method.clone(), uri: head.uri.clone(), headers: head.headers.clone() }
    }
}

impl AnswerPen {
    pub(crate) fn new(config: &SignConfig, transport: Transport, patience: Duration, stores: &Stores) -> Self {
        let mut clashes = Clashes::default();
        let _ = clashes.add(&config.scheme.scheme, true);
        let response = config.scheme.scheme.response.as_ref();
        let policy = response.and_then(|message| message.message_signature.as_ref());
        Self {
            pen: Arc::new(Pen::new(config, stores)),
            clashes,
            limit: config.limit,
            patience,
            transport,
            offer: policy.map(|policy| Offer::new(policy, config)),
        }
    }

    /// Holds an answer, signs it and gives its body.
    pub(crate) async fn sign(
        &self,
        asked: &Asked,
        head: &mut response::Parts,
        body: Answered,
        now: UnixTime,
    ) -> Result<Bytes, Unsigned> {
        let body = self.hold(body).await?;
        self.clashes.remove_fields(&mut head.headers);
        let (asked_lines, lines) = (FieldLines(&asked.headers), FieldLines(&head.headers));
        let request = RequestView {
            method: asked.method.as_str(),
            target: asked.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).as_bytes(),
            authority: judge::authority(&asked.headers),
            transport: self.transport,
            fields: &asked_lines,
            trailers: None,
            body: None,
            peer: None,
            status: None,
            answers: None,
        };
        let view = RequestView {
            fields: &lines,
            body: Some(&body),
            status: Some(head.status.as_u16()),
            answers: Some(&request),
            ..request
        };
        let wish = self.offer.as_ref().and_then(|offer| offer.answer(&asked.headers));
        let signed = match wish {
            Some((field, components)) => {
                let more = [(ACCEPT_SIGNATURE, field.as_str()), ("components", components.as_str())];
                match self.pen.sign(0, view, &more, now).await {
                    // What was asked for is not there: the answer is signed as it is for everybody.
                    Err(Unsigned::Sign(_)) => self.pen.sign(0, view, &[], now).await,
                    other => other,
                }
            }
            None => self.pen.sign(0, view, &[], now).await,
        }?;
        apply(&signed, &mut head.headers)?;
        Ok(signed.body.map_or(body, Bytes::from))
    }

    async fn hold(&self, mut body: Answered) -> Result<Bytes, Unsigned> {
        let too_large = || Unsigned::AnswerTooLarge(self.limit);
        if body.size_hint().lower() > self.limit {
            return Err(too_large());
        }
        let mut held: Vec<u8> = Vec::new();
        loop {
            let frame = timeout(self.patience, poll_fn(|cx| Pin::new(&mut body).poll_frame(cx))).await;
            let Some(frame) = frame.map_err(|_| Unsigned::AnswerTimedOut)? else { return Ok(held.into()) };
            let Ok(chunk) = frame.map_err(Unsigned::AnswerBroken)?.into_data() else { continue };
            if (held.len() + chunk.len()) as u64 > self.limit {
                return Err(too_large());
            }
            held.extend_from_slice(&chunk);
        }
    }
}

impl Offer {
    fn new(policy: &Policy, config: &SignConfig) -> Self {
        let given = |name: &str| config.vars.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let components = given("components").and_then(|list| Covered::list(list).ok());
        Self {
            components: components.unwrap_or_else(|| policy.components.clone()),
            tag: given("tag").or(policy.tag.as_deref()).map(str::to_owned),
            alg: given("alg").map(str::to_owned),
            key_id: config.key.clone(),
        }
    }

    /// The wish that can be met, and the components to sign for it: always those of the configuration, then those that
    /// were asked for besides. A client widens what is covered, and never narrows it.
    fn answer(&self, fields: &HeaderMap) -> Option<(String, String)> {
        let lines: Vec<&[u8]> = fields.get_all(ACCEPT_SIGNATURE).iter().map(HeaderValue::as_bytes).collect();
        if lines.is_empty() {
            return None;
        }
        let wishes = Wish::read(&lines.join(&b", "[..])).ok()?;
        let wish = wishes.into_iter().find(|wish| self.can_meet(wish))?;
        let mut list: Vec<String> = Vec::new();
        for covered in &self.components {
            let asked_for = wish.components.iter().any(|other| other.text == covered.text);
            let mark = if covered.optional && !asked_for { "?" } else { "" };
            list.push(format!("{}{mark}", covered.text));
        }
        let more = wish.components.iter().filter(|asked| self.components.iter().all(|own| own.text != asked.text));
        list.extend(more.map(|asked| asked.text.clone()));
        let mut field = Vec::new();
        wish.write(&mut field).ok()?;
        Some((String::from_utf8(field).ok()?, list.join(" ")))
    }

    fn can_meet(&self, wish: &Wish) -> bool {
        let fits =
            |asked: &Option<String>, own: Option<&str>| asked.as_deref().is_none_or(|asked| Some(asked) == own);
        fits(&wish.key_id, Some(&self.key_id))
            && fits(&wish.tag, self.tag.as_deref())
            && (self.alg.is_none() || fits(&wish.alg, self.alg.as_deref()))
    }
}

/// What a route asks of whoever has not signed (RFC 9421, section 5.1): an `Accept-Signature` field.
pub(crate) fn asking(policy: &Policy, vars: &[(String, String)]) -> Option<HeaderValue> {
    let given = |name: &str| vars.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let mut wish = policy.wish();
    if let Some(list) = given("require").or(given("components")) {
        wish.components = Covered::list(list).ok()?.into_iter().filter(|covered| !covered.optional).collect();
    }
    if let Some(label) = given("label") {
        label.clone_into(&mut wish.label);
    }
    if let Some(tag) = given("tag") {
        wish.tag = Some(tag.to_owned());
    }
    let mut field = Vec::new();
    wish.write(&mut field).ok()?;
    HeaderValue::from_bytes(&field).ok()
}

/// The name of the field that [`asking`] writes.
pub(crate) const ASKING: header::HeaderName = header::HeaderName::from_static(ACCEPT_SIGNATURE);
