//! CPU time per request: the gateway, verifying and with its durable journal, against nginx that only proxies.
//!
//! Both have the same upstream (an nginx that answers 128 bytes), one worker and the same requests: signed GETs over
//! kept connections, in many short rounds by turns. What the gateway refuses (unsigned, stale, malformed) is measured
//! against what nginx forwards, and must leave the journal as it was. Writes `target/bench/gateway.json`. Needs `nginx`,
//! and the release build of `countersign`, whose path is the first argument.

#![expect(clippy::print_stdout, reason = "a benchmark's whole interface is what it prints")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use countersign_core::{Freshness, Key, Plan, RequestView, Signer, Transport, UnixTime};
use countersign_schemes::{Catalogue, catalogue};

const ROUNDS: usize = 40;
const CONNECTIONS: usize = 16;
const PER_CONNECTION: usize = 250;
const SECRET: &str = "0123456789abcdef0123456789abcdef";

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let binary = std::env::args().nth(1).unwrap_or_else(|| "target/release/countersign".to_owned());
    let folder = std::env::temp_dir().join(format!("countersign-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let result = run(&binary, &folder);
    std::fs::remove_dir_all(&folder)?;
    result
}

fn run(binary: &str, folder: &Path) -> Result<(), Failure> {
    let (upstream, proxy, gateway, console) = (port()?, port()?, port()?, port()?);
    let _upstream = nginx(
        folder,
        "upstream",
        &format!("server {{ listen 127.0.0.1:{upstream}; location / {{ return 200 '{}'; }} }}", "x".repeat(128)),
    )?;
    let plain = nginx(
        folder,
        "proxy",
        &format!(
            "upstream u {{ server 127.0.0.1:{upstream}; keepalive 64; }} server {{ listen 127.0.0.1:{proxy}; \
             keepalive_requests 1000000; location / {{ proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ''; }} }}"
        ),
    )?;
    let config = folder.join("gateway.toml");
    std::fs::write(
        &config,
        format!(
            "[server]\nlisten = \"127.0.0.1:{gateway}\"\nconsole = \"127.0.0.1:{console}\"\nworkers = 1\n[store]\npath = \"store\"\n\
             [[route]]\npath = \"/*\"\nscheme = \"countersign-v1\"\nupstream = \"http://127.0.0.1:{upstream}\"\n"
        ),
    )?;
    let added =
        Command::new(binary).args(["keys", "add", "bench", "--secret", SECRET, "-c"]).arg(&config).output()?;
    if !added.status.success() {
        return Err(format!("no key: {}", String::from_utf8_lossy(&added.stderr)).into());
    }
    let log = std::fs::File::create(folder.join("gateway.log"))?;
    let ours =
        Stopped(Command::new(binary).args(["serve", "-c"]).arg(&config).stdout(Stdio::null()).stderr(log).spawn()?);
    for port in [upstream, proxy, gateway] {
        wait_for(port)?;
    }

    let plan = plan();
    let (nginx_idle, ours_idle) = (resident(&plain)?, resident(&ours)?);
    let load = Load { plan, rounds: std::cell::Cell::new(0) };
    let mut forwarded = Vec::new();
    let mut refused = REFUSED.map(|sent| (sent, Vec::new()));
    for round in 0..ROUNDS {
        let theirs = load.measure(&plain, proxy, Sent::Signed, 200)?;
        let own = load.measure(&ours, gateway, Sent::Signed, 200)?;
        forwarded.push((theirs, own));
        let journal = journal_bytes(folder)?;
        for (sent, pairs) in &mut refused {
            pairs.push((theirs, load.measure(&ours, gateway, *sent, 401)?));
        }
        if journal_bytes(folder)? != journal {
            return Err("a request that was refused reached the journal".into());
        }
        println!("round {round}: nginx {theirs:.1} µs, countersign {own:.1} µs, ratio {:.2}", own / theirs);
    }
    let nginx_best = forwarded.iter().map(|(theirs, _)| *theirs).fold(f64::INFINITY, f64::min);
    println!("CPU a request: nginx proxy_pass, best round {nginx_best:.1} µs");
    let mut report = serde_json::json!({
        "nginx_us": nginx_best, "nginx_idle_kib": nginx_idle, "countersign_idle_kib": ours_idle,
    });
    for (name, pairs) in
        std::iter::once(("forwarded", &forwarded)).chain(refused.iter().map(|(sent, pairs)| (sent.name(), pairs)))
    {
        let best = pairs.iter().map(|(_, own)| *own).fold(f64::INFINITY, f64::min);
        let median = median(pairs);
        println!("countersign, {name}: best round {best:.1} µs, median ratio {median:.2}");
        report[name] = serde_json::json!({"best_us": best, "ratio_median": median});
    }
    println!("resident, idle: nginx {nginx_idle} KiB, countersign {ours_idle} KiB");
    std::fs::create_dir_all("target/bench")?;
    std::fs::write("target/bench/gateway.json", format!("{report:#}\n"))?;
    Ok(())
}

/// What a round sends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// Signed, fresh, each with a nonce of its own.
    Signed,
    /// Without a signature.
    Unsigned,
    /// Signed an hour ago.
    Stale,
    /// With a time that is none.
    Malformed,
}

const REFUSED: [Sent; 3] = [Sent::Unsigned, Sent::Stale, Sent::Malformed];

impl Sent {
    const fn name(self) -> &'static str {
        match self {
            Self::Signed => "forwarded",
            Self::Unsigned => "refused, unsigned",
            Self::Stale => "refused, stale",
            Self::Malformed => "refused, malformed",
        }
    }
}

fn median(pairs: &[(f64, f64)]) -> f64 {
    let mut ratios: Vec<f64> = pairs.iter().map(|(theirs, own)| own / theirs).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The memory of a process that is resident, in KiB.
fn resident(process: &Stopped) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.0.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// How long the files of the replay journal are, all together.
fn journal_bytes(folder: &Path) -> Result<u64, Failure> {
    let mut bytes = 0;
    for file in std::fs::read_dir(folder.join("store/replay"))? {
        bytes += file?.metadata()?.len();
    }
    Ok(bytes)
}

/// A process that is stopped when it goes out of scope.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn nginx(folder: &Path, name: &str, http: &str) -> Result<Stopped, Failure> {
    let file = folder.join(format!("{name}.conf"));
    let pid = folder.join(format!("{name}.pid"));
    std::fs::write(
        &file,
        format!(
            "daemon off; master_process off; worker_processes 1; pid {}; error_log /dev/null;\n\
             events {{ worker_connections 1024; }}\nhttp {{ access_log {f}/{name}.log; keepalive_requests 1000000; client_body_temp_path {f}/b; \
             proxy_temp_path {f}/p; fastcgi_temp_path {f}/f; uwsgi_temp_path {f}/u; scgi_temp_path {f}/s; {http} }}\n",
            pid.display(),
            f = folder.display()
        ),
    )?;
    Ok(Stopped(Command::new("nginx").arg("-c").arg(&file).stderr(Stdio::null()).spawn()?))
}

/// Makes requests and sends them.
struct Load {
    plan: Arc<Plan>,
    rounds: std::cell::Cell<usize>,
}

impl Load {
    /// Sends one round; answers the CPU time that the process spent on a request, in microseconds.
    fn measure(&self, process: &Stopped, port: u16, sent: Sent, expected: u16) -> Result<f64, Failure> {
        let requests = self.requests(port, sent);
        let before = cpu(process.0.id())?;
        std::thread::scope(|scope| -> Result<(), Failure> {
            let threads: Vec<_> = requests
                .chunks(PER_CONNECTION)
                .map(|chunk| scope.spawn(move || send(port, chunk, expected)))
                .collect();
            for thread in threads {
                thread.join().map_err(|_| "a connection's thread failed")??;
            }
            Ok(())
        })?;
        let spent = cpu(process.0.id())? - before;
        Ok(spent * 1e6 / f64::from(u32::try_from(requests.len())?))
    }

    /// The requests of a round, no two of all rounds with the same nonce.
    fn requests(&self, port: u16, sent: Sent) -> Vec<Vec<u8>> {
        let round = self.rounds.replace(self.rounds.get() + 1);
        let signer = Signer::new(Arc::clone(&self.plan));
        let key = Key::secret(SECRET.as_bytes()).with_id("bench");
        let authority = format!("127.0.0.1:{port}");
        let fields = vec![("Host".to_owned(), authority.clone()), ("Accept".to_owned(), "*/*".to_owned())];
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let age = if sent == Sent::Stale { 3600 } else { 0 };
        let now = UnixTime::from_secs(i64::try_from(seconds).unwrap_or(0) - age);
        let request = |number: usize| {
            let nonce = format!("bench-{}-{round:04}-{number:012}", std::process::id());
            let view = RequestView {
                method: "GET",
                target: b"/orders/17/items?page=2",
                authority: &authority,
                transport: Transport::Http,
                fields: &fields,
                body: None,
                peer: None,
                status: None,
                trailers: None,
                answers: None,
            };
            let mut text = format!("GET /orders/17/items?page=2 HTTP/1.1\r\nHost: {authority}\r\nAccept: */*\r\n");
            if sent != Sent::Unsigned {
                let signed =
                    signer.sign(view, &key, &Freshness { now, nonce: Some(&nonce) }).expect("it can be signed");
                for (name, value) in &signed.fields {
                    let value = String::from_utf8_lossy(value);
                    let value = if sent == Sent::Malformed {
                        value.replace("timestamp=", "timestamp=x")
                    } else {
                        value.into_owned()
                    };
                    text.extend([name.as_str(), ": ", &value, "\r\n"]);
                }
            }
            text.push_str("\r\n");
            text.into_bytes()
        };
        (0..CONNECTIONS * PER_CONNECTION).map(request).collect()
    }
}

fn send(port: u16, requests: &[Vec<u8>], expected: u16) -> Result<(), String> {
    let exchange = || -> Result<(), std::io::Error> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        let status = format!("HTTP/1.1 {expected}");
        for request in requests {
            stream.write_all(request)?;
            let mut length = 0;
            line.clear();
            reader.read_line(&mut line)?;
            if !line.starts_with(&status) {
                return Err(std::io::Error::other(format!("answered {line}")));
            }
            loop {
                line.clear();
                reader.read_line(&mut line)?;
                if line == "\r\n" {
                    break;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().map_err(std::io::Error::other)?;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
        }
        Ok(())
    };
    exchange().map_err(|error| error.to_string())
}

fn plan() -> Arc<Plan> {
    let text = catalogue::text("countersign-v1").expect("a scheme of the catalogue");
    Plan::compile(&countersign_schemes::load("countersign-v1", text, &Catalogue).expect("the catalogue is in order"))
}

/// The CPU time of all threads of a process, in seconds (`/proc/PID/task/*/schedstat`, nanoseconds).
fn cpu(pid: u32) -> Result<f64, Failure> {
    let mut nanoseconds: u64 = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += text.split_whitespace().next().unwrap_or("0").parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds).as_secs_f64())
}

fn port() -> Result<u16, Failure> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn wait_for(port: u16) -> Result<(), Failure> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > deadline {
            return Err(format!("nothing listens on {port}").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
