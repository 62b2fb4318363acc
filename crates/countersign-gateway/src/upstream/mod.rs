//! Connections to one upstream, kept alive and reused.
//!
//! Each worker has its own pool, so a connection never changes threads and a lock is never waited for. The most
//! recently used connection is taken first; the others age and are closed.
//!
//! A request is sent again only where that cannot do anything twice: where no byte of it was sent, or, once, where a
//! reused connection died under a request without a body whose method is safe. The upstream closing an idle
//! connection at the moment it is used is an everyday event, not a failure.

mod body;

use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::header::HeaderValue;
use http::{Request, Response, Uri};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

pub(crate) use body::{Answered, Outgoing, Progress};

use crate::alarm::Alarm;

/// Where an upstream is: a host and a port, over plain HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UpstreamAddress {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// How patient the gateway is with upstreams, and how many idle connections it keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpstreamLimits {
    /// For a connection to be made. Default: 5 seconds.
    pub connect: Duration,
    /// For a response to begin, after the request was sent. Default: 60 seconds.
    pub response: Duration,
    /// How long an unused connection is kept. Default: 4 seconds, less than the five after which common application
    /// servers close theirs.
    pub idle: Duration,
    /// How many unused connections each worker keeps to each upstream. Default: 64.
    pub idle_connections: usize,
}

impl std::fmt::Display for UpstreamAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Default for UpstreamLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            response: Duration::from_mins(1),
            idle: Duration::from_secs(4),
            idle_connections: 64,
        }
    }
}

/// Why an upstream gave no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("no connection to the upstream: {0}")]
    Connect(#[source] io::Error),
    #[error("no connection to the upstream in time")]
    ConnectTimedOut,
    #[error("the upstream did not answer: {0}")]
    Failed(#[source] hyper::Error),
    #[error("the upstream did not answer in time")]
    ResponseTimedOut,
    #[error("the upstream switched protocols unasked")]
    Switched,
}

/// One worker's connections to one upstream.
#[derive(Debug)]
pub(crate) struct Upstream {
    address: UpstreamAddress,
    authority: HeaderValue,
    limits: UpstreamLimits,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    line: Line,
    since: Instant,
}

/// A connection, and the timer for its responses, which is set as rarely as the connection is made.
#[derive(Debug)]
pub(crate) struct Line {
    sender: SendRequest<Outgoing>,
    alarm: Alarm,
}

impl Upstream {
    pub(crate) fn new(address: UpstreamAddress, limits: UpstreamLimits) -> Arc<Self> {
        let authority = HeaderValue::from_str(&address.to_string()).unwrap_or(HeaderValue::from_static(""));
        Arc::new(Self { address, authority, limits, idle: Mutex::default() })
    }

    /// Host and port, for requests that name none.
    pub(crate) fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    /// Host and port, as text.
    pub(crate) fn name(&self) -> String {
        self.address.to_string()
    }

    /// Sends a request in origin form and waits for the head of its response.
    pub(crate) async fn send(
        self: &Arc<Self>,
        mut request: Request<Outgoing>,
    ) -> Result<Response<Answered>, UpstreamError> {
        while let Some(mut line) = self.take_idle() {
            let spare = copy_if_repeatable(&request);
            match self.exchange(&mut line, request).await {
                Ok(response) => return Ok(self.answered(response, line)),
                Err(Unanswered::NotSent(unsent)) => request = *unsent,
                Err(Unanswered::Failed(error)) => match spare {
                    Some(copy) if !matches!(error, UpstreamError::ResponseTimedOut) => {
                        request = copy;
                        break;
                    }
                    _ => return Err(error),
                },
            }
        }
        let mut line = self.connect().await?;
        match self.exchange(&mut line, request).await {
            Ok(response) => Ok(self.answered(response, line)),
            Err(Unanswered::Failed(error)) => Err(error),
            Err(Unanswered::NotSent(_)) => Err(UpstreamError::Connect(io::ErrorKind::ConnectionReset.into())),
        }
    }

    async fn exchange(
        &self,
        line: &mut Line,
        request: Request<Outgoing>,
    ) -> Result<Response<hyper::body::Incoming>, Unanswered> {
        let progress = request.body().progress();
        let Line { sender, alarm } = line;
        let mut sending = std::pin::pin!(sender.try_send_request(request));
        loop {
            let sent_before = progress.as_ref().map(Progress::seen);
            let deadline = Instant::now() + self.limits.response;
            let sent = poll_fn(|cx| match sending.as_mut().poll(cx) {
                Poll::Ready(sent) => Poll::Ready(Some(sent)),
                Poll::Pending => alarm.poll_at(deadline, cx).map(|()| None),
            });
            match sent.await {
                Some(Ok(response)) if response.status() == http::StatusCode::SWITCHING_PROTOCOLS => {
                    return Err(Unanswered::Failed(UpstreamError::Switched));
                }
                Some(Ok(response)) => return Ok(response),
                Some(Err(mut error)) => {
                    return Err(match error.take_message() {
                        Some(request) => Unanswered::NotSent(Box::new(request)),
                        None => Unanswered::Failed(UpstreamError::Failed(error.into_error())),
                    });
                }
                // A body that is still moving is no reason to give up.
                None if progress.as_ref().map(Progress::seen) != sent_before => {}
                None => return Err(Unanswered::Failed(UpstreamError::ResponseTimedOut)),
            }
        }
    }

    async fn connect(&self) -> Result<Line, UpstreamError> {
        let connecting = TcpStream::connect((self.address.host.as_str(), self.address.port));
        let stream = timeout(self.limits.connect, connecting)
            .await
            .map_err(|_| UpstreamError::ConnectTimedOut)?
            .map_err(UpstreamError::Connect)?;
        // Requests are written whole; waiting for more to send would only delay them.
        stream.set_nodelay(true).map_err(UpstreamError::Connect)?;
        let (sender, connection) = http1::Builder::new()
            .preserve_header_case(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(UpstreamError::Failed)?;
        tokio::spawn(async move {
            // Whoever waits for the response hears of a failure there.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an upstream connection ended");
            }
        });
        Ok(Line { sender, alarm: Alarm::default() })
    }

    fn answered(self: &Arc<Self>, response: Response<hyper::body::Incoming>, line: Line) -> Response<Answered> {
        response.map(|body| Answered::new(body, line, Arc::clone(self)))
    }

    /// The most recently used connection that is ready for a request.
    fn take_idle(&self) -> Option<Line> {
        let mut idle = self.idle();
        while let Some(mut connection) = idle.pop() {
            if connection.since.elapsed() >= self.limits.idle {
                // All that is left is older still.
                idle.clear();
                return None;
            }
            let mut cx = Context::from_waker(Waker::noop());
            if let Poll::Ready(Ok(())) = connection.line.sender.poll_ready(&mut cx) {
                return Some(connection.line);
            }
        }
        None
    }

    /// Takes back a connection whose response has been read to its end.
    fn give_back(&self, line: Line) {
        if line.sender.is_closed() || self.limits.idle_connections == 0 {
            return;
        }
        let mut idle = self.idle();
        let is_spent =
            |connection: &Idle| connection.since.elapsed() >= self.limits.idle || connection.line.sender.is_closed();
        if idle.first().is_some_and(is_spent) || idle.len() >= self.limits.idle_connections {
            idle.retain(|connection| !is_spent(connection));
        }
        if idle.len() >= self.limits.idle_connections {
            idle.remove(0);
        }
        idle.push(Idle { line, since: Instant::now() });
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        // A pool that another thread left in the middle of a push or a pop is still a pool.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why one attempt brought no response.
enum Unanswered {
    /// Nothing of the request was sent; it is handed back whole.
    NotSent(Box<Request<Outgoing>>),
    /// Something was sent, or may have been.
    Failed(UpstreamError),
}

/// A copy of a request that may be sent twice: its method is safe, and it has no body.
fn copy_if_repeatable(request: &Request<Outgoing>) -> Option<Request<Outgoing>> {
    if !request.method().is_safe() || !request.body().is_empty() {
        return None;
    }
    let mut copy = Request::new(Outgoing::empty());
    copy.method_mut().clone_from(request.method());
    *copy.uri_mut() = Uri::clone(request.uri());
    copy.headers_mut().clone_from(request.headers());
    copy.extensions_mut().clone_from(request.extensions());
    Some(copy)
}
