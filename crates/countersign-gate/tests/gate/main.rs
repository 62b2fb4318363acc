//! A gate between raw sockets and a service that counts whoever reaches it.

mod admitted;
mod crowd;
mod refused;
mod service;
mod tls;
mod uses;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_core::alg::{Hash, MacKey};
use countersign_core::challenge::{Multiprocessing, Protocol, scram};
use countersign_core::{Key, Secret};
use countersign_gate::{Acceptor, Connector, Counters, Gate, GateConfig, HandshakeLimits, Running};
use countersign_store::MemoryKeys;
use service::Service;

const SECRET: &[u8] = b"a secret of some length";
const ARTICLE: Protocol = Protocol::Article { digest: Hash::Md5 };

fn protocols() -> [Protocol; 5] {
    [
        ARTICLE,
        Protocol::Multiprocessing(Multiprocessing::default()),
        Protocol::Scram(scram::Rules::sha256()),
        Protocol::CramMd5,
        Protocol::CountersignV1,
    ]
}

fn keys() -> Arc<MemoryKeys> {
    Arc::new(MemoryKeys::new([Key::secret(SECRET).with_id("alice")]).unwrap())
}

fn acceptor(protocol: Protocol) -> Acceptor {
    let key_id = (!protocol.names_key()).then(|| "alice".to_owned());
    Acceptor::new(protocol, keys()).with_key_id(key_id)
}

/// A gate before a service, with what a test needs different.
struct Site {
    gate: Running,
    service: Service,
}

impl Site {
    fn start(protocol: Protocol) -> Self {
        Self::with(acceptor(protocol), |_| {})
    }

    fn with(acceptor: Acceptor, change: impl FnOnce(&mut GateConfig)) -> Self {
        let service = Service::start();
        let mut config = GateConfig::new("127.0.0.1:0".parse().unwrap(), service.addr().to_string());
        change(&mut config);
        Self { gate: Gate::new(config, acceptor).start().unwrap(), service }
    }

    fn connect(&self) -> TcpStream {
        connect(self.gate.addr())
    }

    fn counters(&self) -> Arc<Counters> {
        self.gate.counters()
    }

    /// Waits until so many were refused for a reason.
    fn refused(&self, code: &str, count: u64) {
        let counters = self.counters();
        wait_for(|| counters.refusals(code) >= count, || format!("{code}: {}", counters.text()));
        assert_eq!(counters.refusals(code), count, "{code}");
    }
}

fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Waits for what has to come; it is no measure of time.
fn wait_for(holds: impl Fn() -> bool, told: impl Fn() -> String) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(30), "it never came: {}", told());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn read_exactly<const N: usize>(stream: &mut TcpStream) -> [u8; N] {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// All until the other end closes. A reset is a closing too.
fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    all
}

/// The article's client: 32 bytes in, their HMAC out.
fn answer(stream: &mut TcpStream, secret: &[u8]) -> Vec<u8> {
    let challenge: [u8; 32] = read_exactly(stream);
    MacKey::new(Hash::Md5, secret).mac(&challenge).as_bytes().to_vec()
}

/// A client of any protocol, as a library: what it gives back, or the reason.
fn connect_as(addr: SocketAddr, protocol: Protocol, key_id: &str, secret: &[u8]) -> Result<Through, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let connector = Connector::new(protocol, key_id, Secret::new(secret));
    let stream = runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(addr).await.unwrap();
        connector.connect(stream, None).await.map_err(|refused| refused.reason.code().to_owned())
    })?;
    Ok(Through { runtime, stream })
}

struct Through {
    runtime: tokio::runtime::Runtime,
    stream: countersign_gate::Authenticated<tokio::net::TcpStream>,
}

impl Through {
    fn write(&mut self, bytes: &[u8]) {
        use tokio::io::AsyncWriteExt as _;
        // A gate that has refused may be gone.
        let _ = self.runtime.block_on(self.stream.write_all(bytes));
    }

    fn finish(&mut self) {
        use tokio::io::AsyncWriteExt as _;
        let _ = self.runtime.block_on(self.stream.shutdown());
    }

    fn read_to_end(&mut self) -> Vec<u8> {
        use tokio::io::AsyncReadExt as _;
        let mut all = Vec::new();
        let _ = self.runtime.block_on(self.stream.read_to_end(&mut all));
        all
    }
}

const fn deadline(millis: u64) -> HandshakeLimits {
    HandshakeLimits { deadline: Duration::from_millis(millis), bytes: 4096 }
}

fn write_in_bytes(stream: &mut TcpStream, bytes: &[u8]) {
    for byte in bytes {
        stream.write_all(&[*byte]).unwrap();
    }
}
