//! A gate that runs: threads, connections, limits, and its end.
//!
//! There is one thread for each core, each with a runtime of its own; all accept from one listener. A connection stays
//! with its thread. A stop is gentle: the listener closes, handshakes end, and what is relayed goes on for up to the
//! configured grace.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use countersign_core::challenge::{Admitted, Binding};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::counters::Counters;
use crate::handshake::{Acceptor, Refused, part};
use crate::proxy_header;
use crate::reason::Reason;
use crate::relay::relay;
use crate::room::{Room, Seat};
use crate::stream::Authenticated;
use crate::tls::ServerTls;

/// What a gate is besides its handshake.
#[derive(Debug, Clone)]
pub struct GateConfig {
    /// Where clients connect.
    pub listen: SocketAddr,
    /// Where the service is, as in `127.0.0.1:6379`.
    pub upstream: String,
    /// How many connections may be in the handshake; past that the one that has waited longest goes. Default: 1024.
    pub max_waiting: usize,
    /// How many connections may be relayed. Default: 10,000.
    pub max_open: usize,
    /// For a connection to the service to be made. Default: 5 seconds.
    pub connect_timeout: Duration,
    /// Whether the service is told about the client by the PROXY protocol, version 2. Default: no.
    pub proxy_protocol: bool,
    /// TLS. Default: none.
    pub tls: Option<ServerTls>,
    /// Threads. Default: one for each core.
    pub workers: Option<NonZeroUsize>,
    /// How long connections may go on after a stop was asked for. Default: 10 seconds.
    pub grace: Duration,
}

impl GateConfig {
    /// The defaults, from an address to a service.
    #[must_use]
    pub fn new(listen: SocketAddr, upstream: impl Into<String>) -> Self {
        Self {
            listen,
            upstream: upstream.into(),
            max_waiting: 1024,
            max_open: 10_000,
            connect_timeout: Duration::from_secs(5),
            proxy_protocol: false,
            tls: None,
            workers: None,
            grace: Duration::from_secs(10),
        }
    }
}

/// A gate that is ready to start.
#[derive(Debug)]
pub struct Gate {
    config: GateConfig,
    acceptor: Acceptor,
}

/// A gate that runs. Dropping it asks it to stop, without waiting.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    counters: Arc<Counters>,
    stop: watch::Sender<bool>,
    workers: Vec<JoinHandle<()>>,
}

impl Gate {
    /// A gate with this handshake.
    #[must_use]
    pub const fn new(config: GateConfig, acceptor: Acceptor) -> Self {
        Self { config, acceptor }
    }

    /// Listens, and starts to serve. Clients can connect as soon as this returns.
    pub fn start(self) -> io::Result<Running> {
        let Self { config, acceptor } = self;
        let workers = config.workers.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        let listener = listen(config.listen)?;
        let (stop, stopping) = watch::channel(false);
        let counters = Arc::new(Counters::default());
        let mut running =
            Running { addr: listener.local_addr()?, counters: Arc::clone(&counters), stop, workers: Vec::new() };
        let protocol = acceptor.protocol();
        let (upstream, tls) = (config.upstream.clone(), config.tls.is_some());
        let site = Arc::new(Site {
            room: Arc::new(Room::new(config.max_waiting)),
            open: Arc::new(Semaphore::new(config.max_open.min(Semaphore::MAX_PERMITS))),
            acceptor,
            counters,
            config,
        });
        for number in 0..workers {
            let (site, listener, stopping) = (Arc::clone(&site), listener.try_clone()?, stopping.clone());
            let runtime = runtime()?;
            let run = move || runtime.block_on(work(site, listener, stopping));
            running.workers.push(thread::Builder::new().name(format!("gate-{number}")).spawn(run)?);
        }
        tracing::info!(listen = %running.addr, upstream, protocol = protocol.name(), tls, workers, "serving");
        Ok(running)
    }
}

impl Running {
    /// Where clients connect.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What has happened so far.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Asks it to stop: no new connections.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until it has stopped. Does not ask it to.
    pub fn wait(mut self) {
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                tracing::error!("a worker has panicked");
            }
        }
    }
}

/// What all threads share.
struct Site {
    config: GateConfig,
    acceptor: Acceptor,
    counters: Arc<Counters>,
    room: Arc<Room>,
    open: Arc<Semaphore>,
}

/// One thread's part.
async fn work(site: Arc<Site>, listener: std::net::TcpListener, mut stopping: watch::Receiver<bool>) {
    // Each connection holds a sender; when the last is gone the receiver says so.
    let (alive, mut all_gone) = mpsc::channel::<Infallible>(1);
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "a worker cannot listen"),
    };
    let now = stopping.clone();
    let mut asked_to_stop = pin!(until_stopped(&mut stopping));
    loop {
        let accepted = tokio::select! {
            () = &mut asked_to_stop => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let seat = site.room.enter(peer.ip());
                let (site, stopping, alive) = (Arc::clone(&site), now.clone(), alive.clone());
                tokio::spawn(async move {
                    let _alive = alive;
                    serve(site, stream, peer, seat, stopping).await;
                });
            }
            Err(error) => {
                // Too many open files, most likely. Trying again at once would only burn the core.
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop((listener, alive));
    if timeout(site.config.grace, all_gone.recv()).await.is_err() {
        tracing::warn!("connections were cut off when the grace was over");
    }
}

async fn until_stopped(stopping: &mut watch::Receiver<bool>) {
    // Nobody left who could ask is a stop as well.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// The life of a connection.
async fn serve(
    site: Arc<Site>,
    stream: TcpStream,
    peer: SocketAddr,
    seat: Seat,
    mut stopping: watch::Receiver<bool>,
) {
    site.counters.arrived();
    keep_alive(&stream);
    let local = stream.local_addr().unwrap_or(site.config.listen);
    let mut stopped = pin!(until_stopped(&mut stopping));
    match &site.config.tls {
        None => {
            let Some((stream, admitted)) = admit(&site, stream, None, peer, seat, stopped.as_mut()).await else {
                return;
            };
            forward(&site, stream, &admitted, peer, local).await;
        }
        Some(tls) => {
            let deadline = Instant::now() + site.acceptor.limits().deadline;
            let mut seat = seat;
            let secured = tokio::select! {
                secured = timeout_at(deadline, tls.accept(stream)) => match secured {
                    Ok(Ok(secured)) => Ok(secured),
                    Ok(Err(error)) => Err(Reason::Tls(error.to_string())),
                    Err(_) => Err(Reason::Deadline),
                },
                () = seat.sent_out() => Err(Reason::CrowdedOut),
                () = &mut stopped => Err(Reason::Stopping),
            };
            let (stream, binding) = match secured {
                Ok(secured) => secured,
                Err(reason) => return refuse(&site, peer, &reason, None),
            };
            let Some((stream, admitted)) = admit(&site, stream, Some(binding), peer, seat, stopped.as_mut()).await
            else {
                return;
            };
            forward(&site, stream, &admitted, peer, local).await;
        }
    }
}

/// The handshake, in its place in the room.
async fn admit<S>(
    site: &Site,
    mut stream: S,
    binding: Option<Binding>,
    peer: SocketAddr,
    mut seat: Seat,
    stopped: std::pin::Pin<&mut impl Future<Output = ()>>,
) -> Option<(Authenticated<S>, Admitted)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let cut_short = tokio::select! {
        biased;
        done = site.acceptor.accept(&mut stream, binding) => match done {
            Ok((authenticated, admitted)) => {
                let (_, lead) = authenticated.into_parts();
                site.counters.admitted();
                return Some((Authenticated::new(stream, lead), admitted));
            }
            Err(Refused { reason, claimed_key_id }) => {
                refuse(site, peer, &reason, claimed_key_id.as_deref());
                return None;
            }
        },
        () = seat.sent_out() => Reason::CrowdedOut,
        () = stopped => Reason::Stopping,
    };
    refuse(site, peer, &cut_short, None);
    // The place is somebody else's already.
    part(&mut stream, site.acceptor.protocol()).await;
    None
}

fn refuse(site: &Site, peer: SocketAddr, reason: &Reason, claimed_key_id: Option<&str>) {
    site.counters.refused(reason);
    log(site, peer, reason, claimed_key_id, "not verified");
}

fn log(site: &Site, peer: SocketAddr, reason: &Reason, claimed_key_id: Option<&str>, message: &'static str) {
    tracing::info!(
        target: "countersign::refusal",
        peer = %peer.ip(),
        protocol = site.acceptor.protocol().name(),
        reason = reason.code(),
        detail = %reason,
        claimed_key_id,
        "{message}"
    );
}

/// From here on the client is known. Only now is there a connection to the service.
async fn forward<S>(
    site: &Site,
    mut client: Authenticated<S>,
    admitted: &Admitted,
    peer: SocketAddr,
    local: SocketAddr,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let key_id = admitted.key_id.as_deref();
    let Ok(_permit) = site.open.try_acquire() else {
        site.counters.count(&Reason::TooManyOpen);
        return log(site, peer, &Reason::TooManyOpen, key_id, "not forwarded");
    };
    let mut service = match reach(site, peer, local, key_id).await {
        Ok(service) => service,
        Err(error) => {
            let reason = Reason::ServiceUnreachable(error.to_string());
            site.counters.count(&reason);
            return log(site, peer, &reason, key_id, "not forwarded");
        }
    };
    site.counters.opened();
    tracing::debug!(%peer, key_id, "open");
    let relayed = relay(&mut client, &mut service).await;
    if let Err(error) = &relayed {
        tracing::debug!(%peer, key_id, %error, "a connection broke off");
    }
    site.counters.closed(relayed.unwrap_or_default());
}

async fn reach(site: &Site, peer: SocketAddr, local: SocketAddr, key_id: Option<&str>) -> io::Result<TcpStream> {
    let connecting = timeout(site.config.connect_timeout, TcpStream::connect(&site.config.upstream));
    let mut service = connecting.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    keep_alive(&service);
    if site.config.proxy_protocol {
        service.write_all(&proxy_header::header(peer, local, key_id)).await?;
    }
    Ok(service)
}

/// Connections have no time limit of their own: the system has to notice that a peer is gone.
pub(crate) fn keep_alive(stream: &TcpStream) {
    let keep_alive = TcpKeepalive::new().with_time(Duration::from_mins(1)).with_interval(Duration::from_secs(15));
    let set = SockRef::from(stream).set_tcp_keepalive(&keep_alive);
    // What a service says is passed on at once; waiting for more would only delay it.
    if let Err(error) = set.and_then(|()| stream.set_nodelay(true)) {
        tracing::debug!(%error, "a connection was gone at once");
    }
}

/// How many connections may wait to be accepted. The kernel has a limit of its own, usually this.
const BACKLOG: u32 = 4096;

fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let runtime = runtime()?;
    let _context = runtime.enter();
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Otherwise a restart would have to wait for old connections to be forgotten.
    socket.set_reuseaddr(true)?;
    let told = |error: io::Error| io::Error::new(error.kind(), format!("cannot listen at {address}: {error}"));
    socket.bind(address).map_err(told)?;
    socket.listen(BACKLOG).map_err(told)?.into_std()
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
