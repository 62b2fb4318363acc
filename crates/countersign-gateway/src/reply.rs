//! A response on its way to the client, and the line in the log that is written when it is over.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http::{Method, StatusCode};
use hyper::body::{Body, Bytes, Frame, SizeHint};

use crate::guard::InFlight;
use crate::upstream::Answered;

/// The body of a response: the gateway's own, or the upstream's.
#[derive(Debug)]
pub(crate) struct Reply {
    content: Content,
    /// Bytes handed on so far.
    sent: u64,
    /// Whether they are all there is.
    whole: bool,
    record: Record,
}

#[derive(Debug)]
enum Content {
    Own(Option<Bytes>),
    Upstream(Answered),
}

/// What is written to the log about one request, when its response is over or given up.
///
/// It names route, scheme, key id and reason; never a signature, a secret, a field's value, a query or a body. The
/// path is left out as well: there are schemes that sign in it.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) started: Instant,
    /// The client's address.
    pub(crate) peer: Arc<str>,
    pub(crate) method: Method,
    /// The pattern of the route.
    pub(crate) route: Option<Arc<str>>,
    pub(crate) scheme: Option<Arc<str>>,
    /// Whose signature held.
    pub(crate) key_id: Option<String>,
    /// `forwarded`, `observed` or `refused`.
    pub(crate) outcome: &'static str,
    /// Why it was refused, or would have been.
    pub(crate) reason: Option<&'static str>,
    pub(crate) status: StatusCode,
    /// Keeps the connection from being taken for an idle one, until this is dropped.
    pub(crate) _in_flight: InFlight,
}

impl Reply {
    pub(crate) fn own(body: Bytes, record: Record) -> Self {
        Self::new(Content::Own(Some(body).filter(|body| !body.is_empty())), record)
    }

    pub(crate) fn upstream(body: Answered, record: Record) -> Self {
        Self::new(Content::Upstream(body), record)
    }

    fn new(content: Content, record: Record) -> Self {
        // Nobody reads the body of a response to HEAD.
        let whole = record.method == Method::HEAD;
        Self { content, sent: 0, whole, record }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        let polled = match &mut this.content {
            Content::Own(body) => Poll::Ready(body.take().map(|body| Ok(Frame::data(body)))),
            Content::Upstream(body) => Pin::new(body).poll_frame(cx),
        };
        match &polled {
            Poll::Ready(Some(Ok(frame))) => this.sent += frame.data_ref().map_or(0, Bytes::len) as u64,
            Poll::Ready(None) => this.whole = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Own(body) => body.is_none(),
            Content::Upstream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Own(body) => SizeHint::with_exact(body.as_ref().map_or(0, Bytes::len) as u64),
            Content::Upstream(body) => body.size_hint(),
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        let whole = self.whole || self.is_end_stream();
        let record = &self.record;
        tracing::info!(
            target: "countersign::access",
            peer = &*record.peer,
            method = %record.method,
            route = record.route.as_deref(),
            scheme = record.scheme.as_deref(),
            key_id = record.key_id,
            outcome = record.outcome,
            reason = record.reason,
            status = record.status.as_u16(),
            bytes = self.sent,
            whole,
            micros = u64::try_from(record.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            "request"
        );
    }
}
