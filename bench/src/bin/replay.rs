//! What remembering a request costs: in this process, in the embedded journal, in Redis as this project uses it, and in
//! Redis as everybody does (`SET NX PX`), all in one run. Prints a table and writes `target/bench/replay.json`.
//!
//! `replay [ENTRIES…]`, a million unless stated. Processor time is that of all threads, in user and kernel mode; the
//! server's own is beside it.

#![expect(clippy::print_stdout, reason = "a benchmark's whole interface is what it prints")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::pin::pin;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use countersign_core::UnixTime;
use countersign_core::replay::{FirstUse, ReplayEntry, ReplayGuard};
use countersign_store::conformance::{ask, entry};
use countersign_store::{Limits, MemoryReplay};
use countersign_store_embedded::{Durability, Journal, JournalOptions};
use countersign_store_redis::{Address, RedisOptions, RedisReplay, Servers};
use serde_json::{Value, json};

const NOW: i64 = 1_714_566_896;
/// Entries that are asked for without waiting for each, where that is what is measured.
const TOGETHER: u32 = 256;

fn main() -> std::io::Result<()> {
    let counts = std::env::args().skip(1).map(|count| count.parse().expect("a number of entries"));
    let mut counts: Vec<u32> = counts.collect();
    if counts.is_empty() {
        counts.push(1_000_000);
    }
    println!(
        "{:<34} {:>9} {:>11} {:>9} {:>10} {:>9}",
        "store", "entries", "inserts/s", "CPU, µs", "server, µs", "bytes"
    );
    let mut rows = Vec::new();
    for entries in counts {
        compare(entries, &mut rows)?;
    }
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/replay.json", format!("{:#}\n", Value::Array(rows)))
}

/// All stores, with so many entries each.
fn compare(entries: u32, rows: &mut Vec<Value>) -> std::io::Result<()> {
    // Waiting for each answer takes so much longer that a part has to do.
    let part = entries.min(100_000);
    let limits = Limits { entries: usize::MAX, entries_per_key: usize::MAX };

    let memory = MemoryReplay::new(limits);
    rows.push(measure("memory", entries, None, || all(&memory, 0..entries, 1), || memory.bytes().unwrap_or(0)));
    drop(memory);

    let folder = tempfile::tempdir()?;
    let options = JournalOptions { limits, durability: Durability::Os };
    let journal = Journal::open(folder.path(), options, UnixTime::from_secs(NOW)).expect("a journal");
    let on_disk = || size(&folder.path().join("replay"));
    rows.push(measure("embedded journal (bytes on disk)", entries, None, || all(&journal, 0..entries, 1), on_disk));
    drop(journal);

    for (name, entries, together) in [("Redis, 256 at a time", entries, TOGETHER), ("Redis, one at a time", part, 1)]
    {
        let server = Server::start()?;
        let options = RedisOptions {
            limits: Limits { entries: 1 << 40, entries_per_key: 1 << 40 },
            deadline: Duration::from_mins(1),
            vouched_new: true,
            ..RedisOptions::at(Servers::Single(Address::new("127.0.0.1", server.port)))
        };
        let store = RedisReplay::start(options).expect("a server that will do");
        let empty = server.info("used_memory");
        let used = || server.info("used_memory") - empty;
        rows.push(measure(name, entries, Some(&server), || all(&store, 0..entries, together), used));
    }
    for (name, entries, together) in
        [("SET NX PX, 256 at a time", entries, TOGETHER), ("SET NX PX, one at a time", part, 1)]
    {
        let server = Server::start()?;
        let empty = server.info("used_memory");
        let used = || server.info("used_memory") - empty;
        rows.push(measure(name, entries, Some(&server), || set_nx(server.port, entries, together), used));
    }
    Ok(())
}

fn measure(
    name: &str,
    entries: u32,
    server: Option<&Server>,
    run: impl FnOnce(),
    bytes: impl FnOnce() -> usize,
) -> Value {
    let (cpu, at_server, begun) = (processor_time(), server.map(Server::cpu), Instant::now());
    run();
    let (took, cpu) = (begun.elapsed(), processor_time().saturating_sub(cpu));
    let at_server = server.zip(at_server).map(|(server, before)| server.cpu().saturating_sub(before));
    let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(entries);
    let per_second = f64::from(entries) / took.as_secs_f64();
    let bytes = f64::from(u32::try_from(bytes()).unwrap_or(u32::MAX)) / f64::from(entries);
    let served = at_server.map(each);
    let told = served.map_or("–".to_owned(), |served| format!("{served:.2}"));
    println!("{name:<34} {entries:>9} {per_second:>11.0} {:>9.2} {told:>10} {bytes:>9.1}", each(cpu));
    json!({
        "store": name, "entries": entries, "inserts_per_second": per_second, "cpu_us": each(cpu), "server_us": served,
        "bytes": bytes,
    })
}

/// Inserts entries of a hundred keys that end within ten minutes, so many at a time.
fn all(store: &dyn ReplayGuard, numbers: std::ops::Range<u32>, together: u32) {
    let numbered = |number: u32| entry(number % 100, number, NOW, NOW + i64::from(number % 600));
    if together == 1 {
        for number in numbers {
            assert_eq!(ask(store, &numbered(number)), Ok(FirstUse::First));
        }
        return;
    }
    let mut number = numbers.start;
    while number < numbers.end {
        let next = number.saturating_add(together).min(numbers.end);
        let entries: Vec<ReplayEntry> = (number..next).map(numbered).collect();
        let answers: Vec<_> = entries.iter().map(|entry| store.admit(entry)).collect();
        for answer in answers {
            assert_eq!(wait_for(answer.wait()), Ok(FirstUse::First));
        }
        number = next;
    }
}

/// What everybody does, in as few bytes as it takes.
fn set_nx(port: u16, entries: u32, together: u32) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let (mut questions, mut number) = (Vec::new(), 0);
    while number < entries {
        let next = number.saturating_add(together).min(entries);
        questions.clear();
        for number in number..next {
            let digest = entry(number % 100, number, NOW, NOW).digest;
            questions.extend_from_slice(b"*6\r\n$3\r\nSET\r\n$16\r\n");
            questions.extend_from_slice(&digest[..16]);
            questions.extend_from_slice(b"\r\n$1\r\n1\r\n$2\r\nNX\r\n$2\r\nPX\r\n$6\r\n600000\r\n");
        }
        stream.write_all(&questions).expect("sent");
        let mut answers = vec![0; 5 * (next - number) as usize];
        stream.read_exact(&mut answers).expect("answers");
        assert!(answers.chunks(5).all(|answer| answer == b"+OK\r\n"));
        number = next;
    }
}

fn wait_for<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// That of all threads of this process, as the scheduler counts it.
fn processor_time() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let spent = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(spent.sum())
}

fn size(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| usize::try_from(file.metadata().ok()?.len()).ok()).sum()
}

/// A server of its own.
struct Server {
    port: u16,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start() -> std::io::Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let folder = tempfile::tempdir()?;
        let mut command = Command::new("redis-server");
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"]).arg(folder.path());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Self { port, child, _folder: folder })
    }

    fn line(&self, name: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("a connection");
        stream.write_all(b"INFO\r\n").expect("sent");
        let lines = BufReader::new(stream).lines().map_while(Result::ok);
        let mut named = lines.filter_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_owned()));
        named.next().unwrap_or_default()
    }

    fn info(&self, name: &str) -> usize {
        self.line(name).parse().unwrap_or(0)
    }

    fn cpu(&self) -> Duration {
        let seconds = |name: &str| self.line(name).parse::<f64>().unwrap_or(0.0);
        Duration::from_secs_f64(seconds("used_cpu_user") + seconds("used_cpu_sys"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
