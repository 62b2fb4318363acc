//! The listener for operators: health and metrics. It is never the one that clients reach.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::server::{Phase, listen, runtime, until};

/// How long a client may take for its request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes the text of `/metrics`.
pub(crate) type Metrics = Arc<dyn Fn() -> String + Send + Sync>;

/// A console that runs: for servers other than the gateway, which has its own.
#[derive(Debug)]
pub struct Console {
    addr: SocketAddr,
    phase: watch::Sender<Phase>,
    thread: JoinHandle<()>,
}

impl Console {
    /// Listens, and serves `/healthz` and, as `metrics` makes it, `/metrics`.
    pub fn start(address: SocketAddr, metrics: impl Fn() -> String + Send + Sync + 'static) -> io::Result<Self> {
        let listener = listen(address)?;
        let addr = listener.local_addr()?;
        let (phase, phases) = watch::channel(Phase::Serving);
        let runtime = runtime()?;
        let run = move || runtime.block_on(run(listener, Arc::new(metrics), phases));
        let thread = thread::Builder::new().name("console".to_owned()).spawn(run)?;
        Ok(Self { addr, phase, thread })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Says from now on that what it watches is about to stop.
    pub fn stopping(&self) {
        self.phase.send_replace(Phase::Stopping);
    }

    /// Ends it.
    pub fn stop(self) {
        self.phase.send_replace(Phase::Stopped);
        if self.thread.join().is_err() {
            tracing::error!("the console has panicked");
        }
    }
}

/// Serves until what it watches has stopped.
pub(crate) async fn run(listener: std::net::TcpListener, metrics: Metrics, mut phase: watch::Receiver<Phase>) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the console cannot listen"),
    };
    let now = phase.clone();
    let serve = async {
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection to the console could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let (metrics, phase) = (Arc::clone(&metrics), now.clone());
            let service = service_fn(move |request| {
                let response = answer(&request, &*metrics, *phase.borrow());
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection to the console broke off");
                }
            });
        }
    };
    tokio::select! {
        () = serve => {}
        () = until(&mut phase, Phase::Stopped) => {}
    }
}

fn answer(
    request: &Request<Incoming>,
    metrics: &(dyn Fn() -> String + Send + Sync),
    phase: Phase,
) -> Response<Full<Bytes>> {
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/healthz") if phase == Phase::Serving => (StatusCode::OK, "ok\n".into()),
        (&Method::GET | &Method::HEAD, "/healthz") => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".into()),
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, metrics().into()),
        (_, "/healthz" | "/metrics") => (StatusCode::METHOD_NOT_ALLOWED, "use GET\n".into()),
        _ => (StatusCode::NOT_FOUND, "there are /healthz and /metrics\n".into()),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
