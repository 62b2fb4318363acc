//! The guard as a stream: reads from a socket, judges, and hands on what is right.
//!
//! It also keeps the time, because only it knows what is being waited for: the first byte of a head, the rest of
//! one, or more of a body. And it closes gently: where the client may still be sending when its answer is written,
//! what comes is read and thrown away for a moment, as closing with unread bytes would make the kernel reset the
//! connection and take the answer away from the client.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::Violation;
use super::verdict::Verdicts;
use super::wire::{Step, Wire};
use crate::alarm::Alarm;

/// What the HTTP library reads in place of a head that breaks a rule.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nHost: stand-in\r\nConnection: close\r\n\r\n";

/// How much is read at once where a head is expected.
const READ_SIZE: usize = 8 * 1024;

/// How long a client that was answered early may go on sending.
const LINGER: Duration = Duration::from_secs(5);

/// How long a connection may keep us waiting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// From the first byte of a head to its last; and for the first byte of the first one.
    pub(crate) head: Duration,
    /// For the first byte of a further head.
    pub(crate) idle: Duration,
    /// Between two reads of a body, and between two writes of a response.
    pub(crate) stall: Duration,
    /// Bytes a second: a body slower than this, seen over all of it, is late. Time in which nothing was asked of the
    /// client does not count.
    pub(crate) slowest_body: u32,
}

/// A socket behind a guard.
#[derive(Debug)]
pub(crate) struct Guarded<S> {
    socket: S,
    wire: Wire,
    verdicts: Verdicts,
    patience: Patience,
    inbox: Inbox,
    /// How many bytes at the front of the inbox are judged and on their way to the reader.
    judged: usize,
    stopped: Stopped,
    waiting: Waiting,
    read_alarm: Alarm,
    write_alarm: Alarm,
    write_blocked: Option<Instant>,
    closing: Closing,
}

/// Why nothing more is read, once that is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stopped {
    No,
    /// The client has closed its side.
    End,
    /// A head was refused; the stand-in is or was the last thing the reader gets.
    Head,
    /// A body was refused.
    Body(Violation),
}

/// What is being waited for, and since when.
#[derive(Debug, Clone, Copy)]
enum Waiting {
    /// The first byte of a head. `first`: of the first one.
    Idle { since: Instant, first: bool },
    /// The rest of a head.
    Head { since: Instant },
    /// More of a body, of which `received` bytes have come and have been waited for `waited` long.
    Body { received: u64, waited: Duration, since: Option<Instant> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Closing {
    Open,
    /// Our side is closed; what the client still sends is thrown away until then.
    Lingering(Instant),
    Closed,
}

impl<S> Guarded<S> {
    /// Puts a guard in front of a socket.
    pub(crate) fn new(socket: S, patience: Patience) -> (Self, Verdicts) {
        let now = Instant::now();
        let verdicts = Verdicts::new(now);
        let guarded = Self {
            socket,
            wire: Wire::new(),
            verdicts: verdicts.clone(),
            patience,
            inbox: Inbox::default(),
            judged: 0,
            stopped: Stopped::No,
            waiting: Waiting::Idle { since: now, first: true },
            read_alarm: Alarm::default(),
            write_alarm: Alarm::default(),
            write_blocked: None,
            closing: Closing::Open,
        };
        (guarded, verdicts)
    }

    /// Judges what the inbox holds. Afterwards something is judged, or it has stopped, or more bytes are needed.
    fn judge(&mut self) {
        while self.judged == 0 && self.stopped == Stopped::No {
            let step = self.wire.advance(self.inbox.bytes());
            match step {
                Step::More => return self.note_waiting(),
                Step::Drop(len) => self.inbox.consume(len),
                Step::Head(len) => {
                    self.verdicts.push(Ok(()));
                    self.judged = len;
                    self.waiting = Waiting::after_head(self.wire.is_in_body());
                }
                Step::Body(len) => {
                    self.judged = len;
                    self.note_body(len);
                }
                Step::BadHead(violation) => self.refuse_head(violation),
                Step::BadBody(len, violation) => {
                    self.judged = len;
                    self.refuse_body(violation);
                }
            }
        }
    }

    fn note_waiting(&mut self) {
        if matches!(self.waiting, Waiting::Idle { .. }) && !self.inbox.bytes().is_empty() {
            self.waiting = Waiting::Head { since: Instant::now() };
        }
    }

    fn note_body(&mut self, len: usize) {
        if !self.wire.is_in_body() {
            self.waiting = Waiting::Idle { since: Instant::now(), first: false };
        } else if let Waiting::Body { received, waited, since } = &mut self.waiting {
            *received = received.saturating_add(len as u64);
            if let Some(since) = since.take() {
                *waited += since.elapsed();
            }
        }
    }

    fn refuse_head(&mut self, violation: Violation) {
        self.verdicts.push(Err(violation));
        self.inbox = Inbox::from(STAND_IN);
        self.judged = STAND_IN.len();
        self.stopped = Stopped::Head;
    }

    fn refuse_body(&mut self, violation: Violation) {
        self.verdicts.break_body(violation);
        self.stopped = Stopped::Body(violation);
    }

    /// When patience runs out for what is being waited for.
    fn deadline(&mut self) -> Instant {
        let now = Instant::now();
        match &mut self.waiting {
            Waiting::Idle { since, first } => match self.verdicts.idle_since() {
                Some(_) if *first => *since + self.patience.head,
                Some(done) => done.max(*since) + self.patience.idle,
                None => now + self.patience.idle,
            },
            Waiting::Head { since } => *since + self.patience.head,
            Waiting::Body { received, waited, since } => {
                let since = *since.get_or_insert(now);
                let earned = Duration::from_secs(*received / u64::from(self.patience.slowest_body.max(1)));
                let overall = (self.patience.stall + earned).saturating_sub(*waited);
                since + self.patience.stall.min(overall)
            }
        }
    }

    /// Called where the socket has nothing to read: waits for it, but not for ever.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let deadline = self.deadline();
            ready!(self.read_alarm.poll_at(deadline, cx));
            if self.deadline() <= Instant::now() {
                break;
            }
        }
        match self.waiting {
            Waiting::Idle { .. } => self.stopped = Stopped::End,
            Waiting::Head { .. } => self.refuse_head(Violation::HeadTimeout),
            Waiting::Body { .. } => self.refuse_body(Violation::BodyTimeout),
        }
        Poll::Ready(())
    }

    /// Whether the client may have sent, or may yet send, bytes that nobody will read.
    fn may_be_sending(&self) -> bool {
        matches!(self.stopped, Stopped::Head | Stopped::Body(_))
            || self.stopped == Stopped::No && (self.wire.is_in_body() || !self.inbox.bytes().is_empty())
    }
}

impl<S: AsyncRead + Unpin> Guarded<S> {
    /// Reads body bytes straight into the reader's buffer, which saves copying them. What is found to lie past the
    /// body's end goes into the inbox.
    fn poll_read_body(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = out.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, out))?;
        let arrived = &out.filled()[before..];
        if arrived.is_empty() {
            self.stopped = Stopped::End;
            return Poll::Ready(Ok(()));
        }
        let (belonging, violation) = match self.wire.advance(arrived) {
            Step::Body(len) => (len, None),
            Step::BadBody(len, violation) => (len, Some(violation)),
            Step::More | Step::Drop(_) | Step::Head(_) | Step::BadHead(_) => (0, Some(Violation::ChunkEnd)),
        };
        self.inbox.append(&arrived[belonging..]);
        out.set_filled(before + belonging);
        self.note_body(belonging);
        if let Some(violation) = violation {
            self.refuse_body(violation);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            this.judge();
            if this.judged > 0 {
                let len = this.judged.min(out.remaining());
                out.put_slice(&this.inbox.bytes()[..len]);
                this.inbox.consume(len);
                this.judged -= len;
                return Poll::Ready(Ok(()));
            }
            match this.stopped {
                Stopped::No => {}
                Stopped::End => return Poll::Ready(Ok(())),
                // An end of file here would make the library drop the request that is still to be answered. After
                // the answer it closes the connection by itself.
                Stopped::Head => return Poll::Pending,
                Stopped::Body(violation) => {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, violation)));
                }
            }
            let read = if this.wire.is_in_body() && this.inbox.bytes().is_empty() {
                let before = out.filled().len();
                match this.poll_read_body(cx, out) {
                    Poll::Ready(Ok(())) if out.filled().len() > before => return Poll::Ready(Ok(())),
                    other => other,
                }
            } else {
                this.inbox.poll_fill(&mut this.socket, cx).map_ok(|filled| {
                    if filled == 0 {
                        this.stopped = Stopped::End;
                    }
                })
            };
            if read?.is_pending() {
                ready!(this.poll_patience(cx));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.socket).poll_write(cx, bytes);
        this.with_write_patience(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.socket).poll_write_vectored(cx, slices);
        this.with_write_patience(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match this.closing {
                Closing::Open => {
                    ready!(Pin::new(&mut this.socket).poll_shutdown(cx))?;
                    this.closing = if this.may_be_sending() {
                        Closing::Lingering(Instant::now() + LINGER)
                    } else {
                        Closing::Closed
                    };
                }
                Closing::Lingering(until) => {
                    let mut scratch = [0; READ_SIZE];
                    let mut scratch = ReadBuf::new(&mut scratch);
                    match Pin::new(&mut this.socket).poll_read(cx, &mut scratch) {
                        Poll::Ready(Ok(())) if !scratch.filled().is_empty() && Instant::now() < until => {}
                        Poll::Ready(_) => this.closing = Closing::Closed,
                        Poll::Pending => {
                            ready!(this.write_alarm.poll_at(until, cx));
                            this.closing = Closing::Closed;
                        }
                    }
                }
                Closing::Closed => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl<S> Guarded<S> {
    /// A client that does not read its answer is let go after a while.
    fn with_write_patience(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.write_blocked = None;
            return written;
        }
        let until = *self.write_blocked.get_or_insert_with(Instant::now) + self.patience.stall;
        ready!(self.write_alarm.poll_at(until, cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Waiting {
    fn after_head(has_body: bool) -> Self {
        if has_body {
            Self::Body { received: 0, waited: Duration::ZERO, since: None }
        } else {
            Self::Idle { since: Instant::now(), first: false }
        }
    }
}

/// Bytes that were read and not handed on.
#[derive(Debug, Default)]
struct Inbox {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Inbox {
    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn consume(&mut self, len: usize) {
        self.start += len;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.buffer.len() > 2 * READ_SIZE {
                self.buffer = Vec::new();
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len(), bytes.len());
        self.buffer[self.end..self.end + bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    /// Reads once; zero bytes are the end.
    fn poll_fill(&mut self, socket: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.make_room(READ_SIZE / 4, READ_SIZE);
        let mut free = ReadBuf::new(&mut self.buffer[self.end..]);
        ready!(Pin::new(socket).poll_read(cx, &mut free))?;
        let filled = free.filled().len();
        self.end += filled;
        Poll::Ready(Ok(filled))
    }

    /// Makes room for `wanted` bytes unless there is room for `least`.
    fn make_room(&mut self, least: usize, wanted: usize) {
        if self.buffer.len() - self.end >= least {
            return;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.buffer.len() - self.end < wanted {
            self.buffer.resize(self.end + wanted, 0);
        }
    }
}

impl From<&[u8]> for Inbox {
    fn from(bytes: &[u8]) -> Self {
        Self { buffer: bytes.to_vec(), start: 0, end: bytes.len() }
    }
}
