//! A gateway as a process: started, stopped, killed.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How a gateway's process is held.
#[derive(Debug, Clone, Default)]
pub struct Held {
    /// Further options of `countersign serve`.
    pub options: &'static [&'static str],
    /// What the shell does before it becomes the gateway.
    pub before: &'static str,
}

/// A gateway that runs. It is killed when this is dropped.
pub struct Gateway {
    process: Child,
    addr: SocketAddr,
    log: Arc<Mutex<Vec<Value>>>,
}

impl Gateway {
    /// Starts the gateway of a folder's `gateway.toml`, and waits until it listens.
    pub fn start(folder: &Path, held: &Held) -> Self {
        let program = env!("CARGO_BIN_EXE_countersign");
        let script = format!(r#"{}; exec "$@""#, if held.before.is_empty() { ":" } else { held.before });
        let mut process = Command::new("bash")
            .args(["-c", &script, "serve", program, "serve", "-c"])
            .arg(folder.join("gateway.toml"))
            .args(["--log", "json"])
            .args(held.options)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (send, listening) = mpsc::channel();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let kept = Arc::clone(&log);
        thread::spawn(move || {
            for line in lines {
                let entry: Value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if let Some(addr) = field(&entry, "listen").and_then(|addr| addr.as_str()?.parse().ok()) {
                    let _ = send.send(addr);
                }
                kept.lock().unwrap().push(entry);
            }
        });
        let Ok(addr) = listening.recv_timeout(Duration::from_secs(30)) else {
            let _ = process.kill();
            panic!("the gateway does not listen: {:#?}", log.lock().unwrap());
        };
        Self { process, addr, log }
    }

    /// Where clients connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// All that was logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    /// The reasons of the refusals in the log, in its order, as soon as there are so many.
    pub fn reasons(&self, count: usize) -> Vec<String> {
        let started = Instant::now();
        loop {
            let log = self.log.lock().unwrap().clone();
            let refusals =
                log.iter().filter(|entry| field(entry, "message").is_some_and(|message| message == "not verified"));
            let reasons: Vec<_> = refusals.filter_map(|entry| field(entry, "reason")?.as_str()).collect();
            if reasons.len() >= count {
                return reasons.into_iter().map(str::to_owned).collect();
            }
            assert!(started.elapsed() < Duration::from_secs(10), "{log:#?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Where health and metrics are.
    pub fn console(&self) -> SocketAddr {
        let log = self.log.lock().unwrap();
        log.iter().find_map(|entry| field(entry, "console")?.as_str()?.parse().ok()).expect("it has a console")
    }

    /// Has it end by a signal, and waits.
    pub fn end_by(&mut self, signal: &str) {
        super::signal(signal, self.pid());
        self.process.wait().unwrap();
    }

    /// Ends it as `kill -9` does: nothing in it gets to run again.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Ends it in good order.
    pub fn stop(&mut self) {
        super::signal("TERM", self.pid());
        let status = self.process.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Where it has ended already there is nothing left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A field of a line of the log, wherever the format puts it.
fn field<'a>(entry: &'a Value, name: &str) -> Option<&'a Value> {
    entry.get(name).or_else(|| entry.get("fields")?.get(name))
}
