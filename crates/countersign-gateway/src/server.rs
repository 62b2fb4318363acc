//! A gateway that runs: threads, connections, and their end.
//!
//! There is one thread for each core, each with a runtime of its own, its own connections to clients and its own
//! pool of connections to upstreams; nothing that a request touches crosses threads but counters and stores. All
//! accept from one listener. That is what makes a proxy cost half of what a shared runtime makes it cost.
//!
//! A stop is gentle: the listener closes, idle connections close, requests that are being answered go on for up to
//! the configured grace.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use countersign_core::replay::ReplayGuard;
use countersign_core::time::UnixTime;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::config::{Config, ServerConfig};
use crate::console;
use crate::guard::{Guarded, Patience};
use crate::judge::Stores;
use crate::proxy::{Clock, Proxy};
use crate::site::Site;
use crate::upstream::UpstreamLimits;

/// A gateway that is ready to start.
#[derive(Debug)]
pub struct Gateway {
    server: ServerConfig,
    upstream: UpstreamLimits,
    site: Arc<Site>,
    clock: ClockSource,
}

/// A gateway that runs. Dropping it asks it to stop, without waiting.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    console_addr: Option<SocketAddr>,
    stop: watch::Sender<Phase>,
    workers: Vec<JoinHandle<()>>,
    console: Option<JoinHandle<()>>,
}

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Serving,
    Stopping,
    Stopped,
}

impl Gateway {
    /// Makes a configuration ready to serve. Everything that can be wrong with one was found when it was read.
    #[must_use]
    pub fn build(config: &Config, stores: &Stores) -> Self {
        Self::build_with_fallback(config, stores, None)
    }

    /// The same, with the replay store of routes that say `fallback = "local"`. The one in `stores` has to know what
    /// that one accepts: routes of one scheme and realm share their entries.
    #[must_use]
    pub fn build_with_fallback(config: &Config, stores: &Stores, fallback: Option<Arc<dyn ReplayGuard>>) -> Self {
        let falling_back = fallback.map(|replay| Stores { replay, ..stores.clone() });
        Self {
            server: config.server.clone(),
            upstream: config.upstream,
            site: Arc::new(Site::new(config, stores, falling_back.as_ref())),
            clock: ClockSource(Arc::new(system_time)),
        }
    }

    /// Replaces the system's clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = ClockSource(clock);
        self
    }

    /// Listens, and starts to serve. Clients can connect as soon as this returns.
    pub fn start(self) -> io::Result<Running> {
        let workers =
            self.server.workers.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        self.check_keys()?;
        let listener = listen(self.server.listen)?;
        let console_listener = self.server.console.map(listen).transpose()?;
        let (stop, stopping) = watch::channel(Phase::Serving);
        let mut running = Running {
            addr: listener.local_addr()?,
            console_addr: console_listener.as_ref().map(std::net::TcpListener::local_addr).transpose()?,
            stop,
            workers: Vec::new(),
            console: None,
        };
        let slots = Arc::new(Semaphore::new(self.server.max_connections.min(Semaphore::MAX_PERMITS)));
        for number in 0..workers {
            let worker = Worker {
                proxy: Arc::new(Proxy::new(Arc::clone(&self.site), self.upstream, Arc::clone(&self.clock.0))),
                site: Arc::clone(&self.site),
                patience: patience(&self.server),
                grace: self.server.grace,
                slots: Arc::clone(&slots),
                stopping: stopping.clone(),
            };
            let listener = listener.try_clone()?;
            let runtime = runtime()?;
            let name = format!("gateway-{number}");
            let run = move || runtime.block_on(worker.run(listener));
            running.workers.push(thread::Builder::new().name(name).spawn(run)?);
        }
        if let Some(listener) = console_listener {
            let site = Arc::clone(&self.site);
            let metrics = Arc::new(move || site.counters.text());
            let runtime = runtime()?;
            let run = move || runtime.block_on(console::run(listener, metrics, stopping));
            running.console = Some(thread::Builder::new().name("console".to_owned()).spawn(run)?);
        }
        tracing::info!(listen = %running.addr, console = running.console_addr.map(tracing::field::display), workers, "serving");
        Ok(running)
    }

    /// Refuses to serve routes whose keys cannot be used: nothing would ever get through.
    fn check_keys(&self) -> io::Result<()> {
        let now = (self.clock.0)();
        runtime()?.block_on(async {
            for route in self.site.routes.all() {
                if let Some((what, fault)) = route.demands.fault(now).await {
                    return Err(io::Error::other(format!("`{what}` of the route `{}`: {fault}", route.label)));
                }
                if let Some(judge) = &route.demands.judge
                    && let Some(key) = judge.lacks(now).await
                {
                    let route = &*route.label;
                    tracing::warn!(
                        route,
                        key,
                        "the route's key is not in the store, or not valid now: until it is, requests are refused"
                    );
                }
            }
            for (route, pen, answers) in &self.site.pens {
                if let Some(fault) = pen.fault(now, *answers).await {
                    let what = if *answers { "sign-response" } else { "sign" };
                    return Err(io::Error::other(format!("`{what}` of the route `{route}`: {fault}")));
                }
            }
            Ok(())
        })
    }
}

impl Running {
    /// Where clients connect.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where health and metrics are.
    #[must_use]
    pub const fn console_addr(&self) -> Option<SocketAddr> {
        self.console_addr
    }

    /// Asks it to stop: no new connections, no further requests on those that there are.
    pub fn stop(&self) {
        self.stop.send_if_modified(|phase| {
            let serving = *phase == Phase::Serving;
            if serving {
                *phase = Phase::Stopping;
            }
            serving
        });
    }

    /// Waits until it has stopped. Does not ask it to.
    pub fn wait(mut self) {
        self.join();
    }

    /// Serves until the process is asked to end by SIGTERM or SIGINT, then stops gently.
    pub fn serve_until_signal(self) -> io::Result<()> {
        runtime()?.block_on(async {
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            Ok::<_, io::Error>(())
        })?;
        tracing::info!("stopping");
        self.stop();
        self.wait();
        Ok(())
    }

    fn join(&mut self) {
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                tracing::error!("a worker has panicked");
            }
        }
        self.stop.send_replace(Phase::Stopped);
        if let Some(console) = self.console.take()
            && console.join().is_err()
        {
            tracing::error!("the console has panicked");
        }
    }
}

/// One thread's part.
struct Worker {
    proxy: Arc<Proxy>,
    site: Arc<Site>,
    patience: Patience,
    grace: Duration,
    slots: Arc<Semaphore>,
    stopping: watch::Receiver<Phase>,
}

impl Worker {
    async fn run(self, listener: std::net::TcpListener) {
        // Each connection holds a sender; when the last is gone the receiver says so.
        let (alive, mut all_gone) = mpsc::channel::<Infallible>(1);
        let listener = match TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => return tracing::error!(%error, "a worker cannot listen"),
        };
        let mut stopping = self.stopping.clone();
        let mut asked_to_stop = pin!(until(&mut stopping, Phase::Stopping));
        loop {
            let accepted = tokio::select! {
                () = &mut asked_to_stop => break,
                accepted = self.accept(&listener) => accepted,
            };
            match accepted {
                Ok((stream, peer, slot)) => {
                    tokio::spawn(self.serve(stream, peer, slot, alive.clone()));
                }
                Err(error) => {
                    // Too many open files, most likely. Trying again at once would only burn the core.
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
        drop((listener, alive));
        if timeout(self.grace, all_gone.recv()).await.is_err() {
            tracing::warn!("requests were cut off when the grace was over");
        }
    }

    async fn accept(&self, listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, peer) = listener.accept().await?;
        Ok((stream, peer, slot))
    }

    /// The life of a connection.
    fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        slot: OwnedSemaphorePermit,
        alive: mpsc::Sender<Infallible>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let (site, proxy) = (Arc::clone(&self.site), Arc::clone(&self.proxy));
        let (patience, mut stopping) = (self.patience, self.stopping.clone());
        async move {
            let _held = (slot, alive);
            site.counters.connections.open();
            // Responses are written whole; waiting for more to send would only delay them.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection was gone at once");
            }
            let peer: Arc<str> = peer.ip().to_string().into();
            let (stream, verdicts) = Guarded::new(stream, patience);
            let service = service_fn(move |request| {
                let (proxy, verdicts, peer) = (Arc::clone(&proxy), verdicts.clone(), Arc::clone(&peer));
                async move { Ok::<_, Infallible>(proxy.answer(request, verdicts, peer).await) }
            });
            // The guard keeps the time and the limits.
            let connection = http1::Builder::new()
                .preserve_header_case(true)
                .header_read_timeout(None)
                .serve_connection(TokioIo::new(stream), service);
            let mut connection = pin!(connection);
            let mut asked_to_stop = pin!(until(&mut stopping, Phase::Stopping));
            let ended = tokio::select! {
                biased;
                ended = &mut connection => ended,
                () = &mut asked_to_stop => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke off");
            }
            site.counters.connections.close();
        }
    }
}

/// Waits for a phase, or for nobody being left who could announce it.
pub(crate) async fn until(stopping: &mut watch::Receiver<Phase>, phase: Phase) {
    let _ = stopping.wait_for(|now| *now >= phase).await;
}

fn patience(server: &ServerConfig) -> Patience {
    Patience {
        head: server.header_timeout,
        idle: server.idle_timeout,
        stall: server.body_timeout,
        slowest_body: server.body_rate,
    }
}

/// How many connections may wait to be accepted. The kernel has a limit of its own, usually this.
const BACKLOG: u32 = 4096;

pub(crate) fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let runtime = runtime()?;
    let _context = runtime.enter();
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Otherwise a restart would have to wait for old connections to be forgotten.
    socket.set_reuseaddr(true)?;
    let told = |error: io::Error| io::Error::new(error.kind(), format!("cannot listen at {address}: {error}"));
    socket.bind(address).map_err(told)?;
    socket.listen(BACKLOG).map_err(told)?.into_std()
}

pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

struct ClockSource(Clock);

impl std::fmt::Debug for ClockSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock(..)")
    }
}

fn system_time() -> UnixTime {
    let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    UnixTime::from_millis(match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => millis(since),
        Err(before) => -millis(before.duration()),
    })
}
