//! The server's end over a stream: bytes are read and written, keys and random bytes fetched, time and size watched.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use countersign_core::challenge::{
    Admitted, Binding, Candidates, Nonce, Protocol, Refusal, Server, ServerIdentity, ServerTurn,
};
use countersign_core::{Answer, Key, KeyQuery, KeyResolver, KeySet, Secret, StoreError, Tally, UnixTime};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::credentials::Credentials;
use crate::reason::Reason;
use crate::stream::Authenticated;

/// What a handshake may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandshakeLimits {
    /// From its first byte, or the lack of one, to its end. Default: 10 seconds.
    pub deadline: Duration,
    /// How many bytes the peer may send. Default: 4096.
    pub bytes: usize,
}

impl Default for HandshakeLimits {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(10), bytes: 4096 }
    }
}

/// A connection that went no further. It is closed.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// Why: for the log, and nobody else.
    pub reason: Reason,
    /// Whose key the peer claims to have. Unauthenticated.
    pub claimed_key_id: Option<String>,
}

/// The server's end of a protocol.
pub struct Acceptor {
    protocol: Protocol,
    keys: Arc<dyn KeyResolver>,
    /// The key of a protocol whose clients name none.
    key_id: Option<String>,
    /// Empty: all that the store knows.
    allow: Vec<String>,
    /// The server's own key under `countersign-v1`.
    own_key_id: Option<String>,
    limits: HandshakeLimits,
    credentials: Option<Credentials>,
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Acceptor({}, ..)", self.protocol)
    }
}

impl Acceptor {
    /// Accepts who proves to have one of the keys. Where the protocol's clients name no key, those that serve any id.
    #[must_use]
    pub fn new(protocol: Protocol, keys: Arc<dyn KeyResolver>) -> Self {
        let credentials = Credentials::new().ok();
        let limits = HandshakeLimits::default();
        Self { protocol, keys, key_id: None, allow: Vec::new(), own_key_id: None, limits, credentials }
    }

    /// With the key of this id, where the protocol's clients name none.
    #[must_use]
    pub fn with_key_id(mut self, key_id: Option<String>) -> Self {
        self.key_id = key_id;
        self
    }

    /// With these ids only; all where there is none.
    #[must_use]
    pub fn allowing(mut self, key_ids: Vec<String>) -> Self {
        self.allow = key_ids;
        self
    }

    /// With a key of its own under `countersign-v1`: it is what clients have to know of the server.
    #[must_use]
    pub fn with_own_key_id(mut self, key_id: Option<String>) -> Self {
        self.own_key_id = key_id;
        self
    }

    /// With other limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: HandshakeLimits) -> Self {
        self.limits = limits;
        self
    }

    pub(crate) const fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub(crate) const fn limits(&self) -> HandshakeLimits {
        self.limits
    }

    /// Has the peer prove itself. `binding` is what both ends of a TLS connection know of it.
    ///
    /// Where it does not hold, the stream has been closed: the protocol's parting was sent, and nothing else.
    pub async fn accept<S>(
        &self,
        mut stream: S,
        binding: Option<Binding>,
    ) -> Result<(Authenticated<S>, Admitted), Refused>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut claimed_key_id = None;
        let done = timeout(self.limits.deadline, self.shake(&mut stream, binding, &mut claimed_key_id)).await;
        match done.unwrap_or(Err(Reason::Deadline)) {
            Ok((admitted, rest)) => Ok((Authenticated::new(stream, rest), admitted)),
            Err(reason) => {
                part(&mut stream, self.protocol).await;
                Err(Refused { reason, claimed_key_id })
            }
        }
    }

    async fn shake<S>(
        &self,
        stream: &mut S,
        binding: Option<Binding>,
        claimed: &mut Option<String>,
    ) -> Result<(Admitted, Vec<u8>), Reason>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (identity, own) = self.identity().await?;
        let mut wire = Wire::new(stream, self.limits.bytes);
        let mut server = Server::begin(self.protocol, &identity, &nonce()?, binding, &mut wire.out);
        loop {
            wire.send().await?;
            let (used, turn) = server.step(&wire.inbox, &mut wire.out);
            wire.used(used);
            let turn = match turn {
                ServerTurn::NeedsKeys(needs) => {
                    *claimed = needs.claimed_key_id().map(str::to_owned);
                    let candidates = self.candidates(claimed.as_deref()).await?;
                    needs.keys(&candidates, &mut wire.out)
                }
                ServerTurn::NeedsCredential(needs) => {
                    *claimed = Some(needs.claimed_key_id().to_owned());
                    let candidates = self.candidates(claimed.as_deref()).await?;
                    let credentials = self.credentials.as_ref().ok_or(Reason::NoRandomness)?;
                    let credential = credentials.of(needs.claimed_key_id(), candidates).await?;
                    needs.credential(credential, &mut wire.out)
                }
                other => other,
            };
            server = match turn {
                ServerTurn::Wait(server) => server,
                ServerTurn::Admitted(admitted) => {
                    wire.send().await?;
                    let now = now();
                    admitted.count_use(now);
                    if let Some(own) = own {
                        own.count(now);
                    }
                    return Ok((admitted, wire.inbox));
                }
                ServerTurn::Refused(refusal) => return Err(refusal.into()),
                // A state never asks for keys twice in a row.
                ServerTurn::NeedsKeys(_) | ServerTurn::NeedsCredential(_) => {
                    return Err(Refusal::FrameMalformed.into());
                }
            };
            if used == 0 {
                wire.receive().await?;
            }
        }
    }

    /// The server's own key, as it is now, and where its uses are counted.
    async fn identity(&self) -> Result<(ServerIdentity, Option<Arc<Tally>>), Reason> {
        let Some(id) = &self.own_key_id else { return Ok((ServerIdentity::default(), None)) };
        let candidates = Candidates::of(&self.resolve(Some(id)).await?, now(), self.protocol.algorithm());
        if let Some(refusal) = candidates.absence() {
            return Err(refusal.into());
        }
        let newest = candidates.secrets().next().map(Secret::new);
        let tally = candidates.newest().and_then(Key::tally).cloned();
        Ok((ServerIdentity { own: newest.map(|secret| (id.clone(), secret)) }, tally))
    }

    async fn candidates(&self, claimed: Option<&str>) -> Result<Candidates, Reason> {
        let id = claimed.or(self.key_id.as_deref());
        let keys = self.resolve(id).await?;
        let allowed = self.allow.is_empty() || id.is_some_and(|id| self.allow.iter().any(|allowed| allowed == id));
        let candidates = Candidates::of(&keys, now(), self.protocol.algorithm());
        Ok(if allowed || candidates.absence().is_some() {
            candidates
        } else {
            Candidates::none(Refusal::KeyNotAllowed)
        })
    }

    async fn resolve(&self, id: Option<&str>) -> Result<KeySet, Reason> {
        let query = KeyQuery::new(self.protocol.name(), id.map(str::as_bytes));
        let answer: Result<KeySet, StoreError> = match self.keys.resolve(&query) {
            Answer::Ready(answer) => answer,
            Answer::Later(answer) => answer.await,
        };
        answer.map_err(Reason::Undecided)
    }
}

/// A stream during its handshake.
pub(crate) struct Wire<'s, S> {
    stream: &'s mut S,
    /// What has come and not been used.
    pub(crate) inbox: Vec<u8>,
    /// What is to be sent.
    pub(crate) out: Vec<u8>,
    /// How many bytes may still come.
    left: usize,
}

impl<'s, S: AsyncRead + AsyncWrite + Unpin> Wire<'s, S> {
    pub(crate) fn new(stream: &'s mut S, limit: usize) -> Self {
        Self { stream, inbox: Vec::with_capacity(256), out: Vec::with_capacity(256), left: limit }
    }

    pub(crate) async fn send(&mut self) -> Result<(), Reason> {
        if self.out.is_empty() {
            return Ok(());
        }
        self.stream.write_all(&self.out).await.map_err(|_| Reason::Left)?;
        self.stream.flush().await.map_err(|_| Reason::Left)?;
        self.out.clear();
        Ok(())
    }

    pub(crate) fn used(&mut self, count: usize) {
        self.inbox.drain(..count);
    }

    pub(crate) async fn receive(&mut self) -> Result<(), Reason> {
        if self.left == 0 {
            return Err(Reason::TooManyBytes);
        }
        let mut limited = (&mut *self.stream).take(self.left as u64);
        let count = limited.read_buf(&mut self.inbox).await.map_err(|_| Reason::Left)?;
        self.left = self.left.saturating_sub(count);
        if count == 0 { Err(Reason::Left) } else { Ok(()) }
    }
}

/// How long, and for how many bytes, a refused peer may still talk. If the socket were closed on what it has sent and
/// nobody has read, the parting could be lost with it.
const LINGER: Duration = Duration::from_millis(200);
const LINGER_BYTES: u64 = 64 * 1024;

/// Sends the parting and closes. A peer that does not read it does not get it.
pub(crate) async fn part<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, protocol: Protocol) {
    let parting = async {
        stream.write_all(protocol.parting()).await?;
        stream.flush().await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut (&mut *stream).take(LINGER_BYTES), &mut tokio::io::sink()).await?;
        Ok::<_, io::Error>(())
    };
    // Whether it arrives is the peer's matter.
    let _ = timeout(LINGER, parting).await;
}

pub(crate) fn nonce() -> Result<Nonce, Reason> {
    let mut bytes = [0; Nonce::LEN];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Reason::NoRandomness)?;
    Ok(Nonce(bytes))
}

fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
