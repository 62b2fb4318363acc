//! A stream past its handshake: what was read with the last answer comes first.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream whose peer has proved what its protocol asks for.
///
/// Reading gives what came right behind the handshake, then what the stream has. Writing goes to the stream.
#[derive(Debug)]
pub struct Authenticated<S> {
    stream: S,
    lead: Vec<u8>,
    given: usize,
}

impl<S> Authenticated<S> {
    pub(crate) const fn new(stream: S, lead: Vec<u8>) -> Self {
        Self { stream, lead, given: 0 }
    }

    /// The stream, and what has been read of it and not been asked for.
    #[must_use]
    pub fn into_parts(self) -> (S, Vec<u8>) {
        let Self { stream, mut lead, given } = self;
        lead.drain(..given);
        (stream, lead)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Authenticated<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let rest = &this.lead[this.given..];
        if rest.is_empty() {
            return Pin::new(&mut this.stream).poll_read(cx, buf);
        }
        let count = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..count]);
        this.given += count;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Authenticated<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
