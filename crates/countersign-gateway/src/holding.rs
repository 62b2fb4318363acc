//! A request's body, held back while it is being judged.
//!
//! The engine reads it through here and hashes it as it arrives; every byte that it saw is kept, and nothing else is
//! what goes upstream.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use countersign_core::{BodyError, Chunks};
use hyper::body::{Body as _, Bytes, Incoming};

use crate::guard::{Verdicts, Violation};
use crate::refuse::Refusal;
use crate::spool::{Spool, SpoolError, SpoolLimits, Stored};
use crate::upstream::Outgoing;

/// A body that is being read and kept.
#[derive(Debug)]
pub(crate) struct Holding {
    incoming: Incoming,
    spool: Spool,
    limit: u64,
    verdicts: Verdicts,
    /// The chunk that went past the limit, for requests that go on all the same.
    excess: Option<Bytes>,
    /// Whether the body was read to its end. The library does not say so of a chunked one.
    ended: bool,
    failure: Option<BodyError>,
}

impl Holding {
    pub(crate) fn new(incoming: Incoming, limits: Arc<SpoolLimits>, verdicts: Verdicts) -> Self {
        let (limit, ended) = (limits.total, incoming.is_end_stream());
        Self { incoming, spool: Spool::new(limits), limit, verdicts, excess: None, ended, failure: None }
    }

    /// Whether the declared length alone says that the body is too long.
    pub(crate) fn is_declared_too_large(&self) -> bool {
        self.incoming.size_hint().lower() > self.limit
    }

    /// Whether the client has sent, or may send, bytes that were not read.
    pub(crate) fn has_unread(&self) -> bool {
        !self.ended
    }

    /// Reads to the end, and gives the whole body.
    pub(crate) async fn read_all(&mut self) -> Result<Bytes, BodyError> {
        while self.next().await?.is_some() {}
        match self.spool.in_memory() {
            Some(bytes) => Ok(bytes),
            // The limit on memory was set to the limit on the whole.
            None => Err(BodyError::NotKept),
        }
    }

    /// Why the body could not be read, in the gateway's words.
    pub(crate) fn refusal(&self, error: BodyError) -> Refusal {
        match error {
            BodyError::TooLarge => Refusal::BodyTooLarge,
            BodyError::NotKept => Refusal::SpoolFailed,
            BodyError::TimedOut => Refusal::Violation(Violation::BodyTimeout),
            _ => self.verdicts.body_violation().map_or(Refusal::BodyBroken, Refusal::Violation),
        }
    }

    /// The body as it goes upstream: what was kept, and, where it was not read to its end, what is still to come.
    pub(crate) async fn release(self) -> Result<Outgoing, SpoolError> {
        let has_unread = self.has_unread();
        let mut stored = self.spool.finish().await?;
        if let Some(excess) = self.excess {
            stored.append(excess);
        }
        Ok(if has_unread { Outgoing::stored_then(stored, self.incoming) } else { Outgoing::stored(stored) })
    }

    /// The body of a request that was read to its end.
    pub(crate) async fn finish(self) -> Result<Stored, SpoolError> {
        self.spool.finish().await
    }

    /// Reads what has not been read, for a request that goes on without having been verified. Past the limit the
    /// rest is left to be streamed; a body that breaks off goes nowhere.
    pub(crate) async fn settle(&mut self) -> Result<(), Refusal> {
        loop {
            match self.next().await {
                Ok(Some(_)) => {}
                Ok(None) | Err(BodyError::TooLarge) => return Ok(()),
                Err(error) => return Err(self.refusal(error)),
            }
        }
    }

    /// Reads the body to its end, for a request that is not known by its body. One that is too long goes nowhere.
    pub(crate) async fn read_whole(&mut self) -> Result<(), Refusal> {
        loop {
            match self.next().await {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(()),
                Err(error) => return Err(self.refusal(error)),
            }
        }
    }

    async fn read(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            let Some(frame) = poll_fn(|cx| Pin::new(&mut self.incoming).poll_frame(cx)).await else {
                return Ok(None);
            };
            let frame = frame.map_err(|error| {
                tracing::debug!(%error, "a body broke off");
                BodyError::Broken
            })?;
            // The guard refuses trailers; nothing else but data is known.
            let Ok(chunk) = frame.into_data() else { return Err(BodyError::Broken) };
            if chunk.is_empty() {
                continue;
            }
            return match self.spool.push(chunk.clone()).await {
                Ok(()) => Ok(Some(chunk)),
                Err(SpoolError::TooLarge { .. }) => {
                    self.excess = Some(chunk);
                    Err(BodyError::TooLarge)
                }
                Err(SpoolError::File(error)) => {
                    tracing::error!(%error, "a body could not be held");
                    Err(BodyError::NotKept)
                }
            };
        }
    }
}

impl Chunks for Holding {
    type Chunk = Bytes;

    async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if self.ended {
            return Ok(None);
        }
        let read = self.read().await;
        self.failure = read.as_ref().err().copied();
        self.ended = matches!(read, Ok(None));
        read
    }
}
