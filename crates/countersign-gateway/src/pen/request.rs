//! A verified request, signed anew for its upstream.

use std::io;
use std::sync::Arc;

use countersign_core::request::{RequestView, Transport};
use countersign_core::time::UnixTime;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Method, Request, StatusCode};
use hyper::body::Bytes;

use super::{Clashes, FieldLines, Pen, Unsigned, apply};
use crate::config::{OutboundHost, RouteConfig, SignConfig};
use crate::judge::{self, Stores};
use crate::knock::Knocks;
use crate::spool::Stored;
use crate::upstream::{Outgoing, Upstream};

/// How a route signs on the way out.
#[derive(Debug)]
pub(crate) struct RequestPen {
    pub(crate) pen: Arc<Pen>,
    clashes: Clashes,
    host: OutboundHost,
    knocks: Knocks,
}

/// How many upstreams' answers one route remembers.
const MOST_KNOWN: usize = 1024;

impl RequestPen {
    pub(crate) fn new(route: &RouteConfig, sign: &SignConfig, stores: &Stores) -> Self {
        let mut clashes = Clashes::default();
        // That all of it can be taken out was seen to when the configuration was read.
        let _ = clashes.add(&sign.scheme.scheme, false);
        if sign.drop_credentials
            && let Some(own) = &route.scheme
        {
            let _ = clashes.add(&own.scheme, false);
        }
        Self { pen: Arc::new(Pen::new(sign, stores)), clashes, host: sign.host, knocks: Knocks::new(MOST_KNOWN) }
    }

    /// Makes a request ready to be signed: what clashes is gone, and what the framing will be is told.
    pub(crate) fn prepare(&self, head: &mut Parts, body: &Bytes, upstream: &Upstream) -> Result<(), Unsigned> {
        self.clashes.remove(head)?;
        if self.host == OutboundHost::Upstream {
            head.headers.insert(header::HOST, upstream.authority().clone());
        }
        // There are schemes that sign the length, and a body that came in chunks has none yet.
        let takes_body = [Method::POST, Method::PUT, Method::PATCH].contains(&head.method);
        if !body.is_empty() || takes_body {
            head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        Ok(())
    }

    /// A request that was prepared, signed under one of the schemes.
    pub(crate) async fn signed(
        &self,
        alternative: usize,
        head: &Parts,
        body: &Bytes,
        now: UnixTime,
    ) -> Result<Request<Outgoing>, Unsigned> {
        let target = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let lines = FieldLines(&head.headers);
        let view = RequestView {
            method: head.method.as_str(),
            target: target.as_bytes(),
            authority: judge::authority(&head.headers),
            transport: Transport::Http,
            fields: &lines,
            trailers: None,
            body: Some(body),
            peer: None,
            status: None,
            answers: None,
        };
        let signed = self.pen.sign(alternative, view, &[], now).await?;
        let mut head = head.clone();
        apply(&signed, &mut head.headers)?;
        if signed.target != target.as_bytes() {
            head.uri = http::Uri::from_maybe_shared(signed.target)?;
        }
        let body = signed.body.map_or_else(|| body.clone(), Bytes::from);
        if head.headers.contains_key(header::CONTENT_LENGTH) {
            head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        Ok(Request::from_parts(head, Outgoing::stored(Stored::of(body))))
    }

    /// Which scheme to sign under, and which where the upstream does not accept that.
    pub(crate) fn order(&self, upstream: &Upstream, now: UnixTime) -> (usize, Option<usize>) {
        let all = self.pen.alternatives();
        if all < 2 {
            return (0, None);
        }
        let known = self.knocks.recall(&upstream.name(), now).filter(|known| *known < all);
        let first = known.unwrap_or(0);
        (first, Some((first + 1) % all))
    }

    /// Remembers what an upstream accepted.
    pub(crate) fn answered(&self, upstream: &Upstream, alternative: usize, status: StatusCode, now: UnixTime) {
        if self.pen.alternatives() > 1 && (status.is_success() || status.is_redirection()) {
            self.knocks.learn(&upstream.name(), alternative, now);
        }
    }
}

/// Whether an upstream has not accepted a signature.
pub(crate) fn is_turned_away(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// A body that was held, in memory.
pub(crate) async fn whole(mut stored: Stored) -> io::Result<Bytes> {
    let mut all: Vec<u8> = Vec::new();
    while let Some(chunk) = std::future::poll_fn(|cx| stored.poll_next(cx)).await {
        let chunk = chunk?;
        if chunk.len() as u64 == stored.len {
            // All of it was in memory, or came with the first read.
            return Ok(chunk);
        }
        all.extend_from_slice(&chunk);
    }
    if all.len() as u64 == stored.len { Ok(all.into()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
