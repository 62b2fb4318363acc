//! What the gateway's tests share: an upstream that remembers every byte, a client that sends any, and a scheme.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use countersign_core::alg::Hash;
use countersign_core::key::Key;
use countersign_gateway::config::Config;
use countersign_gateway::{Gateway, Running, Stores};
use countersign_store::{Limits, MemoryKeys, MemoryReplay};

pub(crate) const SECRET: &str = "a secret of the tests, long enough";
pub(crate) const OTHER_SECRET: &str = "zoe's secret of the tests, long enough";

/// A scheme that covers everything, with a plain digest so that the tests can sign.
pub(crate) const SCHEME: &str = r#"
title = "For tests"
kind  = "request"
[header]
X-Key   = "{key-id}"
X-Time  = "{timestamp:unix}"
X-Nonce = "{nonce:word}"
X-Sign  = "{signature:hex}"
[sign]
base = '''
{secret}
{method}
{host}
{target}
{key-id}
{timestamp}
{nonce}
{body | sha256 | hex}'''
signature = "{base | sha256 | hex}"
[fresh]
timestamp = "5m"
nonce     = "once per key"
[errors]
status       = 200
content-type = "text/x-own"
body         = "no: {reason}"
"#;

/// A gateway in front of an upstream.
pub(crate) struct Site {
    pub(crate) running: Option<Running>,
    pub(crate) upstream: Upstream,
    _folder: tempfile::TempDir,
}

/// What to set up; the rest is as usual.
pub(crate) struct Setup<'a> {
    /// Lines of `[server]`, `[upstream]` being possible after them.
    pub(crate) server: &'a str,
    /// Lines of the one route, which covers `/*`.
    pub(crate) route: &'a str,
    pub(crate) scheme: &'a str,
    pub(crate) stores: Stores,
    pub(crate) respond: Respond,
}

pub(crate) type Respond = Arc<dyn Fn(&Received, &mut TcpStream) -> io::Result<()> + Send + Sync>;

impl Default for Setup<'_> {
    fn default() -> Self {
        Self { server: "", route: "", scheme: SCHEME, stores: stores(), respond: plainly("ok") }
    }
}

impl Setup<'_> {
    pub(crate) fn start(self) -> Site {
        let upstream = Upstream::start(self.respond);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("all.toml"), self.scheme).unwrap();
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nconsole = \"127.0.0.1:0\"\nworkers = 2\ngrace = \"3s\"\n{}\n\
             [[route]]\npath = \"/*\"\nscheme = \"all.toml\"\nupstream = \"http://{}\"\n{}\n",
            self.server, upstream.addr, self.route
        );
        let running = gateway(&text, folder.path(), &self.stores);
        Site { running: Some(running), upstream, _folder: folder }
    }
}

/// Starts a gateway by its configuration's text.
pub(crate) fn gateway(text: &str, folder: &Path, stores: &Stores) -> Running {
    let config = Config::parse("test.toml", text.to_owned(), folder).unwrap_or_else(|faults| panic!("{faults}"));
    Gateway::build(&config, stores).start().unwrap()
}

/// A gateway with everything as usual.
pub(crate) fn site() -> Site {
    Setup::default().start()
}

/// Stores in memory that know `alice` and `zoe`.
pub(crate) fn stores() -> Stores {
    let keys =
        [("alice", SECRET), ("zoe", OTHER_SECRET)].map(|(id, secret)| Key::secret(secret.as_bytes()).with_id(id));
    let keys = MemoryKeys::new(keys).unwrap();
    Stores { keys: Arc::new(keys), replay: Arc::new(MemoryReplay::new(Limits::default())) }
}

impl Site {
    pub(crate) fn addr(&self) -> SocketAddr {
        self.running.as_ref().unwrap().addr()
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.addr())
    }

    /// Sends on a connection of its own and reads one response.
    pub(crate) fn send(&self, wire: impl AsRef<[u8]>) -> Response {
        let mut client = self.connect();
        client.write(wire);
        client.read()
    }

    /// The gateway's numbers.
    pub(crate) fn metrics(&self) -> String {
        let addr = self.running.as_ref().unwrap().console_addr().unwrap();
        let mut client = Client::connect(addr);
        client.write("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
        client.read().text()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
            running.wait();
        }
    }
}

/// A request, which can be signed.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) key_id: String,
    pub(crate) secret: String,
    pub(crate) nonce: String,
    pub(crate) time: i64,
}

static NONCE: AtomicUsize = AtomicUsize::new(0);

impl Message {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            fields: Vec::new(),
            body: Vec::new(),
            key_id: "alice".to_owned(),
            secret: SECRET.to_owned(),
            nonce: format!("n{}", NONCE.fetch_add(1, Ordering::Relaxed)),
            time: now(),
        }
    }

    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn signature(&self) -> String {
        let base = format!(
            "{}\n{}\na.example\n{}\n{}\n{}\n{}\n{}",
            self.secret,
            self.method,
            self.target,
            self.key_id,
            self.time,
            self.nonce,
            hex(Hash::Sha256.digest(&self.body).as_bytes())
        );
        hex(Hash::Sha256.digest(base.as_bytes()).as_bytes())
    }

    /// The head without its last empty line, signed, framing left open.
    pub(crate) fn head(&self) -> String {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: a.example\r\n", self.method, self.target);
        let own = [("X-Key", &self.key_id), ("X-Time", &self.time.to_string()), ("X-Nonce", &self.nonce)];
        let given = self.fields.iter().map(|(name, value)| (name.as_str(), value));
        for (name, value) in given.chain(own).chain([("X-Sign", &self.signature())]) {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head
    }

    /// Signed, with its length.
    pub(crate) fn wire(&self) -> Vec<u8> {
        let length =
            if self.body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", self.body.len()) };
        [format!("{}{length}\r\n", self.head()).as_bytes(), &self.body].concat()
    }

    /// Signed, in chunks.
    pub(crate) fn chunked(&self, size: usize) -> Vec<u8> {
        let mut wire = format!("{}Transfer-Encoding: chunked\r\n\r\n", self.head()).into_bytes();
        for chunk in self.body.chunks(size) {
            wire.extend(format!("{:x}\r\n", chunk.len()).bytes());
            wire.extend(chunk);
            wire.extend(b"\r\n");
        }
        wire.extend(b"0\r\n\r\n");
        wire
    }
}

pub(crate) fn get(target: &str) -> Message {
    Message::new("GET", target)
}

pub(crate) fn post(target: &str, body: impl Into<Vec<u8>>) -> Message {
    Message::new("POST", target).body(body)
}

pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Bytes of no pattern that compresses or repeats.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

/// A client's connection.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    unread: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, unread: Vec::new() }
    }

    /// Sends; a gateway that has already closed is no failure of the test.
    pub(crate) fn write(&mut self, wire: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(wire.as_ref());
    }

    /// Reads one final response.
    pub(crate) fn read(&mut self) -> Response {
        self.try_read(false).expect("a response")
    }

    /// Reads the response to HEAD.
    pub(crate) fn read_head_only(&mut self) -> Response {
        self.try_read(true).expect("a response")
    }

    pub(crate) fn try_read(&mut self, head_only: bool) -> io::Result<Response> {
        loop {
            let (head, body) = read_message(&mut self.stream, &mut self.unread, head_only)?;
            let response = Response { head, body };
            if response.status() != 100 {
                return Ok(response);
            }
        }
    }

    /// Whether the gateway closes the connection without sending anything more.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.unread.is_empty() && matches!(self.stream.read(&mut [0]), Ok(0))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line")
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        field(&self.head, name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The problem's `reason`.
    pub(crate) fn reason(&self) -> String {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).expect("a problem");
        problem["reason"].as_str().expect("a reason").to_owned()
    }
}

/// A request as the upstream received it.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// To the byte, the last empty line included.
    pub(crate) head: String,
    /// Without its framing.
    pub(crate) body: Vec<u8>,
    /// On which of the upstream's connections.
    pub(crate) connection: usize,
}

impl Received {
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        field(&self.head, name)
    }
}

/// The first field of a name, in any case.
fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// An upstream that accepts anything, counts its connections, and remembers what it received.
pub(crate) struct Upstream {
    pub(crate) addr: SocketAddr,
    accepted: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Upstream {
    pub(crate) fn start(respond: Respond) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let received = Arc::new(Mutex::new(Vec::new()));
        let (count, log) = (Arc::clone(&accepted), Arc::clone(&received));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let connection = count.fetch_add(1, Ordering::SeqCst);
                let (log, respond) = (Arc::clone(&log), Arc::clone(&respond));
                thread::spawn(move || converse(stream, connection, &log, &respond));
            }
        });
        Self { addr, accepted, received }
    }

    /// How many connections were made to it.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The one request that it received.
    pub(crate) fn only(&self) -> Received {
        let mut received = self.received();
        assert_eq!(received.len(), 1, "{received:#?}");
        received.remove(0)
    }
}

fn converse(mut stream: TcpStream, connection: usize, log: &Mutex<Vec<Received>>, respond: &Respond) {
    let mut unread = Vec::new();
    while let Ok((head, body)) = read_message(&mut stream, &mut unread, false) {
        let request = Received { head, body, connection };
        log.lock().unwrap().push(request.clone());
        if respond(&request, &mut stream).is_err() {
            return;
        }
    }
}

/// Answers with 200 and a text.
pub(crate) fn plainly(text: &'static str) -> Respond {
    Arc::new(move |_, stream| {
        stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len()).as_bytes())
    })
}

/// Answers with these bytes.
pub(crate) fn exactly(wire: &'static str) -> Respond {
    Arc::new(move |_, stream| stream.write_all(wire.as_bytes()))
}

/// Reads a request or a response by its framing; one without framing has no body, but for a response that closes.
fn read_message(stream: &mut TcpStream, unread: &mut Vec<u8>, head_only: bool) -> io::Result<(String, Vec<u8>)> {
    let end = loop {
        if let Some(end) = unread.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        fill(stream, unread)?;
    };
    let head = String::from_utf8_lossy(&unread[..end]).into_owned();
    unread.drain(..end);
    let is_response = head.starts_with("HTTP/");
    let bodiless = is_response && ["100", "204", "304"].iter().any(|status| head.split(' ').nth(1) == Some(status));
    let mut body = Vec::new();
    if head_only || bodiless {
    } else if field(&head, "transfer-encoding").is_some() {
        loop {
            let size = usize::from_str_radix(&take_line(stream, unread)?, 16).map_err(io::Error::other)?;
            body.extend(take(stream, unread, size)?);
            assert_eq!(take_line(stream, unread)?, "");
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = field(&head, "content-length") {
        body = take(stream, unread, length.parse().map_err(io::Error::other)?)?;
    } else if is_response {
        while fill(stream, unread).is_ok() {}
        body = std::mem::take(unread);
    }
    Ok((head, body))
}

fn take(stream: &mut TcpStream, unread: &mut Vec<u8>, len: usize) -> io::Result<Vec<u8>> {
    while unread.len() < len {
        fill(stream, unread)?;
    }
    Ok(unread.drain(..len).collect())
}

fn take_line(stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<String> {
    loop {
        if let Some(end) = unread.windows(2).position(|window| window == b"\r\n") {
            let line = take(stream, unread, end + 2)?;
            return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
        }
        fill(stream, unread)?;
    }
}

fn fill(stream: &mut TcpStream, unread: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    match stream.read(&mut buffer)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        len => {
            unread.extend_from_slice(&buffer[..len]);
            Ok(())
        }
    }
}
