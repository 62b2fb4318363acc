//! The gate against plain TCP relays: `socat`, and `HAProxy` in TCP mode, which verify nothing.
//!
//! All three have the same service (in this process: it counts what it gets, or says back one byte) and the same clients,
//! in rounds by turns. Measured are bytes a second and CPU time a gibibyte, over one connection and over a thousand at
//! once, and connections a second: of the gate with their handshake. Writes `target/bench/gate.json`. Needs `socat` and
//! `haproxy`, and the release build of `countersign`, whose path is the first argument.

#![expect(clippy::print_stdout, reason = "a benchmark's whole interface is what it prints")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_core::Secret;
use countersign_core::alg::Hash;
use countersign_core::challenge::{Multiprocessing, Protocol, scram};
use countersign_gate::Connector;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const ROUNDS: usize = 5;
const SECRET: &str = "0123456789abcdef0123456789abcdef";
const MIB: usize = 1 << 20;
/// In one round, over one connection and over all of a thousand.
const VOLUME: usize = 512 * MIB;
const MANY: usize = 1000;
const PIECE: usize = 64 * 1024;
/// In one round, this many at a time.
const HANDSHAKES: usize = 1600;
const AT_ONCE: usize = 16;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let binary = std::env::args().nth(1).unwrap_or_else(|| "target/release/countersign".to_owned());
    let folder = std::env::temp_dir().join(format!("countersign-bench-gate-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let result = run(&binary, &folder);
    std::fs::remove_dir_all(&folder)?;
    result
}

/// A relay that runs. It ends with this, and its children with it.
struct Relay {
    name: String,
    process: Child,
    addr: SocketAddr,
    protocol: Option<Protocol>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[derive(Default)]
struct Figures {
    rates: Vec<f64>,
    costs: Vec<f64>,
}

fn run(binary: &str, folder: &Path) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let service = runtime.block_on(serve())?;
    let mut relays = vec![socat(service)?, haproxy(service, folder)?];
    for protocol in [
        Protocol::CountersignV1,
        Protocol::Article { digest: Hash::Md5 },
        Protocol::Multiprocessing(Multiprocessing::default()),
        Protocol::Scram(scram::Rules::sha256()),
        Protocol::CramMd5,
    ] {
        relays.push(gate(binary, service, protocol)?);
    }
    for relay in &relays {
        wait_for(relay.addr)?;
    }
    let mut figures: BTreeMap<(String, &str), Figures> = BTreeMap::new();
    for round in 0..=ROUNDS {
        for (index, relay) in relays.iter().enumerate() {
            // Bytes behind a handshake cost the same whichever it was: one gate stands for all.
            if index < 3 {
                for (what, connections) in [("1 connection", 1), ("1000 connections", MANY)] {
                    let (seconds, spent) = match measure(&runtime, relay, |relay| push(relay, connections)) {
                        Ok(measured) => measured,
                        // A relay that loses a connection has no figure of this round.
                        Err(error) => {
                            println!("round {round}, {what}: {error}");
                            continue;
                        }
                    };
                    let gib = f64::from(u32::try_from(VOLUME / MIB)?) / 1024.0;
                    note(&mut figures, round, relay, what, gib * 1024.0 / seconds, spent / gib);
                }
            }
            let (seconds, spent) = measure(&runtime, relay, knock)?;
            let count = f64::from(u32::try_from(HANDSHAKES)?);
            note(&mut figures, round, relay, "connects", count / seconds, spent * 1e6 / count);
        }
    }
    let mut report = serde_json::json!({});
    for ((name, what), Figures { rates, costs }) in &mut figures {
        let (rate, cost) = (median(rates), median(costs));
        let (per_second, unit) =
            if *what == "connects" { ("a second", "µs CPU each") } else { ("MiB/s", "s CPU a GiB") };
        println!("{what:17} {name:32} {rate:9.0} {per_second}  {cost:7.2} {unit}");
        report[*what][name.as_str()] = serde_json::json!({ "rate": rate, "cpu": cost });
    }
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/gate.json", format!("{report:#}\n"))?;
    Ok(())
}

/// The first round warms up.
fn note(
    figures: &mut BTreeMap<(String, &'static str), Figures>,
    round: usize,
    relay: &Relay,
    what: &'static str,
    rate: f64,
    cost: f64,
) {
    if round > 0 {
        let entry = figures.entry((relay.name.clone(), what)).or_default();
        entry.rates.push(rate);
        entry.costs.push(cost);
    }
}

/// Seconds that a piece of work takes, and CPU seconds that the relay spends on it.
fn measure<'r, F>(
    runtime: &Runtime,
    relay: &'r Relay,
    work: impl FnOnce(&'r Relay) -> F,
) -> Result<(f64, f64), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let before = cpu(relay.process.id())?;
    let started = Instant::now();
    runtime.block_on(work(relay)).map_err(|error| format!("{}: {error}", relay.name))?;
    let seconds = started.elapsed().as_secs_f64();
    // Children of socat's count when they have been waited for.
    std::thread::sleep(Duration::from_millis(100));
    Ok((seconds, cpu(relay.process.id())? - before))
}

impl Relay {
    async fn connect(&self) -> Result<(Box<dyn Both>, Vec<u8>), Failure> {
        let stream = TcpStream::connect(self.addr).await?;
        stream.set_nodelay(true)?;
        let Some(protocol) = self.protocol else { return Ok((Box::new(stream), Vec::new())) };
        let connector = Connector::new(protocol, "bench", Secret::new(SECRET.as_bytes()));
        let (stream, lead) = connector.connect(stream, None).await?.into_parts();
        Ok((Box::new(stream), lead))
    }
}

trait Both: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}

impl<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Both for S {}

/// The whole volume, divided among so many connections, until the service has all of it.
async fn push(relay: &Relay, connections: usize) -> Result<(), Failure> {
    let mut streams = Vec::new();
    for _ in 0..connections {
        streams.push(relay.connect().await?.0);
    }
    let piece: Arc<[u8]> = vec![b'x'; PIECE].into();
    let mut sending = JoinSet::new();
    for mut stream in streams {
        let piece = Arc::clone(&piece);
        sending.spawn(async move {
            let mut left = VOLUME / connections;
            while left > 0 {
                let count = left.min(piece.len());
                stream.write_all(&piece[..count]).await?;
                left -= count;
            }
            stream.shutdown().await?;
            let mut said = Vec::new();
            stream.read_to_end(&mut said).await?;
            if said == b"." { Ok(()) } else { Err(std::io::Error::other("the service did not get all of it")) }
        });
    }
    while let Some(sent) = sending.join_next().await {
        sent??;
    }
    Ok(())
}

/// Connects, has one byte said back, and ends, again and again.
async fn knock(relay: &Relay) -> Result<(), Failure> {
    let one = || async {
        for _ in 0..HANDSHAKES / AT_ONCE {
            let (mut stream, _) = relay.connect().await?;
            stream.write_all(b"x").await?;
            stream.shutdown().await?;
            let mut said = Vec::new();
            stream.read_to_end(&mut said).await?;
            if said != b"." {
                return Err::<(), Failure>("the service said nothing".into());
            }
        }
        Ok(())
    };
    let all: Vec<_> = (0..AT_ONCE).map(|_| one()).collect();
    let mut all: Vec<_> = all.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|cx| {
        let mut failed = None;
        all.retain_mut(|knocking| match knocking.as_mut().poll(cx) {
            std::task::Poll::Pending => true,
            std::task::Poll::Ready(done) => {
                failed = failed.take().or(done.err());
                false
            }
        });
        match failed {
            Some(failure) => std::task::Poll::Ready(Err(failure)),
            None if all.is_empty() => std::task::Poll::Ready(Ok(())),
            None => std::task::Poll::Pending,
        }
    })
    .await
}

/// Reads to the end, and says a full stop.
async fn serve() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let addr = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = vec![0; PIECE];
                while let Ok(1..) = stream.read(&mut buffer).await {}
                let _ = stream.write_all(b".").await;
            });
        }
    });
    Ok(addr)
}

fn gate(binary: &str, service: SocketAddr, protocol: Protocol) -> Result<Relay, Failure> {
    let addr = free()?;
    let process = Command::new(binary)
        .args(["gate", "serve", "--workers", "1", "--secret", SECRET, "--protocol", protocol.name()])
        .args(["--listen", &addr.to_string(), "--upstream", &service.to_string()])
        .env("RUST_LOG", "warn")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(Relay { name: format!("countersign gate, {protocol}"), process, addr, protocol: Some(protocol) })
}

fn socat(service: SocketAddr) -> Result<Relay, Failure> {
    let addr = free()?;
    let listen = format!("TCP-LISTEN:{},bind=127.0.0.1,fork,reuseaddr,backlog=1024", addr.port());
    // By itself it waits half a second for the other side once one has finished.
    let process = Command::new("socat")
        .args(["-t".to_owned(), "60".to_owned(), listen, format!("TCP:{service}")])
        .stderr(Stdio::null())
        .spawn();
    let process = process.map_err(|error| format!("socat: {error}; run  apt-get install socat"))?;
    Ok(Relay { name: "socat".to_owned(), process, addr, protocol: None })
}

fn haproxy(service: SocketAddr, folder: &Path) -> Result<Relay, Failure> {
    let addr = free()?;
    let config = folder.join("haproxy.cfg");
    std::fs::write(
        &config,
        format!(
            "global\n  nbthread 1\n  maxconn 4000\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  \
             timeout server 1h\nfrontend f\n  bind {addr}\n  default_backend b\nbackend b\n  server s {service}\n"
        ),
    )?;
    let process = Command::new("haproxy").arg("-db").arg("-f").arg(&config).stderr(Stdio::null()).spawn();
    let process = process.map_err(|error| format!("haproxy: {error}; run  apt-get install haproxy"))?;
    Ok(Relay { name: "HAProxy, mode tcp".to_owned(), process, addr, protocol: None })
}

/// The CPU time of a process and of its children that have ended, in seconds: user and system, fields 14 to 17.
fn cpu(pid: u32) -> Result<f64, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit_once(") ").ok_or("no such process")?.1.split(' ').collect();
    let ticks: Result<Vec<u32>, _> = fields[11..15].iter().map(|field| field.parse::<u32>()).collect();
    Ok(ticks?.into_iter().map(f64::from).sum::<f64>() / 100.0)
}

fn free() -> Result<SocketAddr, Failure> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

fn wait_for(addr: SocketAddr) -> Result<(), Failure> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while std::net::TcpStream::connect(addr).is_err() {
        if Instant::now() > deadline {
            return Err(format!("nothing listens on {addr}").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
