//! Bodies on their way to an upstream and back.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};

use super::{Line, Upstream};
use crate::spool::Stored;

/// A request's body on its way upstream: what was stored, and, for requests that are not held back, what is still
/// arriving.
#[derive(Debug)]
pub(crate) struct Outgoing {
    stored: Stored,
    left: u64,
    rest: Option<Incoming>,
    progress: Option<Progress>,
}

/// How far a body has been sent, for whoever waits for the response.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Arc<AtomicU64>);

impl Progress {
    pub(crate) fn seen(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Outgoing {
    pub(crate) fn empty() -> Self {
        Self { stored: Stored::empty(), left: 0, rest: None, progress: None }
    }

    /// A body that has arrived.
    pub(crate) fn stored(stored: Stored) -> Self {
        let progress = (stored.len > 0).then(Progress::default);
        Self { left: stored.len, stored, rest: None, progress }
    }

    /// A body of which the beginning has arrived.
    pub(crate) fn stored_then(stored: Stored, rest: Incoming) -> Self {
        Self { left: stored.len, stored, rest: Some(rest), progress: Some(Progress::default()) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.left == 0 && self.rest.is_none()
    }

    pub(super) fn progress(&self) -> Option<Progress> {
        self.progress.clone()
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        let next = match ready!(this.stored.poll_next(cx)) {
            Some(chunk) => Some(chunk),
            None if this.left > 0 => Some(Err(io::ErrorKind::UnexpectedEof.into())),
            None => match &mut this.rest {
                None => None,
                Some(rest) => loop {
                    match ready!(Pin::new(&mut *rest).poll_frame(cx)) {
                        Some(Ok(frame)) => match frame.into_data() {
                            Ok(chunk) => return Poll::Ready(Some(Ok(this.moved(chunk)))),
                            Err(_not_data) => {}
                        },
                        Some(Err(error)) => break Some(Err(io::Error::other(error))),
                        None => break None,
                    }
                },
            },
        };
        Poll::Ready(next.map(|chunk| {
            chunk.map(|chunk| {
                this.left = this.left.saturating_sub(chunk.len() as u64);
                this.moved(chunk)
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0 && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.rest {
            None => SizeHint::with_exact(self.left),
            Some(rest) => {
                let rest = rest.size_hint();
                let mut hint = SizeHint::new();
                hint.set_lower(rest.lower().saturating_add(self.left));
                if let Some(upper) = rest.upper() {
                    hint.set_upper(upper.saturating_add(self.left));
                }
                hint
            }
        }
    }
}

impl Outgoing {
    fn moved(&self, chunk: Bytes) -> Frame<Bytes> {
        if let Some(progress) = &self.progress {
            progress.0.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        }
        Frame::data(chunk)
    }
}

/// A response's body on its way back. At its end the connection goes back to the pool; dropped before that, the
/// connection is closed, since what is left of the response stands in the way of the next one.
#[derive(Debug)]
pub(crate) struct Answered {
    body: Incoming,
    connection: Option<(Line, Arc<Upstream>)>,
}

impl Answered {
    pub(super) fn new(body: Incoming, line: Line, upstream: Arc<Upstream>) -> Self {
        let mut answered = Self { body, connection: Some((line, upstream)) };
        if answered.body.is_end_stream() {
            answered.release();
        }
        answered
    }

    fn release(&mut self) {
        if let Some((line, upstream)) = self.connection.take() {
            upstream.give_back(line);
        }
    }
}

impl Body for Answered {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        loop {
            let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
            if frame.is_none() || this.body.is_end_stream() {
                this.release();
            }
            match frame {
                // Trailers were announced to nobody: `Trailer` ends at the gateway.
                Some(Ok(frame)) if frame.is_trailers() => {}
                frame => return Poll::Ready(frame),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
