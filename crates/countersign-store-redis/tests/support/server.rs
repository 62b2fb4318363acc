//! One `redis-server`, or `valkey-server`, or sentinel.

use std::io::{BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that runs. Dropping it kills it.
pub(crate) struct Server {
    pub(crate) port: u16,
    child: Child,
    folder: tempfile::TempDir,
    settings: Vec<String>,
}

/// Names another program than `redis-server`.
const PROGRAM: &str = "COUNTERSIGN_REDIS_SERVER";

/// A port that nobody has at the moment.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("its number").port()
}

impl Server {
    /// Starts one with nothing but defaults and without persistence.
    pub(crate) fn start() -> Self {
        Self::with(&["--save", ""])
    }

    /// Starts one with these arguments, and an append-only file.
    pub(crate) fn durable() -> Self {
        Self::with(&["--appendonly", "yes", "--appendfsync", "always"])
    }

    /// Starts one with arguments of its own.
    pub(crate) fn with(settings: &[&str]) -> Self {
        let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        // Another process may take a port between our looking and the server's listening.
        (0..5).find_map(|_| Self::try_start(settings.clone())).expect("a port that stays free")
    }

    fn try_start(settings: Vec<String>) -> Option<Self> {
        let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
        let child = launch(port, folder.path(), &settings);
        let mut server = Self { port, child, folder, settings };
        if server.answers() {
            return Some(server);
        }
        let said = std::fs::read_to_string(server.file("log")).unwrap_or_default();
        assert!(said.contains("Address already in use"), "redis-server did not start:\n{said}");
        None
    }

    /// Whether the server was built with TLS. That of the system is taken to be: a test on it is not to be skipped.
    pub(crate) fn speaks_tls() -> bool {
        if std::env::var_os(PROGRAM).is_none() {
            return true;
        }
        let folder = tempfile::tempdir().expect("a folder");
        // Without certificates it does not start in either case, and says why.
        let mut child = launch(free_port(), folder.path(), &["--tls-port".to_owned(), "PORT".to_owned()]);
        let _ = child.wait();
        let said = std::fs::read_to_string(folder.path().join("log")).expect("a log file");
        assert!(said.contains("TLS"), "{said}");
        !["Failed finding TLS support", "not built with TLS"].iter().any(|absent| said.contains(absent))
    }

    /// Starts a replica of a server that is reached at a port.
    pub(crate) fn replica_of(port: u16) -> Self {
        Self::with(&["--save", "", "--replicaof", &format!("127.0.0.1 {port}"), "--repl-diskless-sync-delay", "0"])
    }

    /// A file in its folder.
    pub(crate) fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Asks one question, of a few words, over a connection of its own. Errors are answered as text.
    pub(crate) fn ask(&self, words: &[&str]) -> String {
        self.try_ask(words).unwrap_or_else(|error| format!("no answer: {error}"))
    }

    fn try_ask(&self, words: &[&str]) -> std::io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut question = format!("*{}\r\n", words.len());
        for word in words {
            question.extend([format!("${}\r\n", word.len()).as_str(), word, "\r\n"]);
        }
        stream.write_all(question.as_bytes())?;
        read_answer(&mut BufReader::new(stream))
    }

    /// One line of `INFO`.
    pub(crate) fn info(&self, name: &str) -> String {
        let info = self.ask(&["INFO"]);
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_default().trim().to_owned()
    }

    /// SIGKILL, and wait for the end.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// A signal by name, as in `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        // The shell's own: a bare machine has no other.
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.child.id())]).status();
        assert!(sent.expect("a shell").success());
    }

    /// Starts it once more, at the same port and in the same folder.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.child = launch(self.port, self.folder.path(), &self.settings);
        assert!(self.answers(), "redis-server did not start again");
    }

    fn answers(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            let tls = self.settings.iter().any(|setting| setting == "--tls-port");
            let ready = match self.try_ask(&["PING"]) {
                Ok(answer) => !answer.starts_with("-LOADING"),
                // It breaks off what is not TLS.
                Err(error) => tls && error.kind() != std::io::ErrorKind::ConnectionRefused,
            };
            if ready {
                return true;
            }
            if self.child.try_wait().ok().flatten().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn launch(port: u16, folder: &std::path::Path, settings: &[String]) -> Child {
    let program = std::env::var(PROGRAM).unwrap_or_else(|_| "redis-server".to_owned());
    let log = std::fs::File::create(folder.join("log")).expect("a log file");
    let sentinel = settings.iter().any(|setting| setting == "--sentinel");
    let mut command = Command::new(&program);
    if sentinel {
        let file = folder.join("sentinel.conf");
        if !file.exists() {
            std::fs::write(&file, "").expect("a file");
        }
        command.arg(file);
    }
    let port = port.to_string();
    let tls = settings.iter().any(|setting| setting == "--tls-port");
    command.args(["--port", if tls { "0" } else { &port }, "--bind", "127.0.0.1", "--dir"]).arg(folder);
    command.args(settings.iter().map(|setting| setting.replace("PORT", &port)));
    let started = command.stdin(Stdio::null()).stdout(log.try_clone().expect("a handle")).stderr(log).spawn();
    started.unwrap_or_else(|error| {
        panic!("{program}: {error}; run  apt-get install --yes --no-install-recommends redis-server")
    })
}

fn read_answer(from: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    let line = line.trim_end();
    match line.split_at_checked(1) {
        Some(("$", length)) => {
            let Ok(length) = length.parse::<usize>() else { return Ok(String::new()) };
            let mut bytes = vec![0; length + 2];
            from.read_exact(&mut bytes)?;
            bytes.truncate(length);
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
        Some(("*", count)) => {
            let parts = (0..count.parse::<usize>().unwrap_or(0)).map(|_| read_answer(from));
            Ok(parts.collect::<Result<Vec<_>, _>>()?.join(" "))
        }
        Some(("+" | ":", rest)) => Ok(rest.to_owned()),
        _ => Ok(line.to_owned()),
    }
}
