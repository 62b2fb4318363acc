//! `countersign gate` as a process: started, asked, stopped.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// A gate, or a tunnel to one, that runs. It is killed when this is dropped.
pub(crate) struct Gate {
    process: Child,
    addr: SocketAddr,
    log: Arc<Mutex<Vec<Value>>>,
}

impl Gate {
    /// Starts `countersign gate …` and waits until it listens.
    pub(crate) fn start<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .arg("gate")
            .args(arguments)
            .args(["--log", "json"])
            .env("RUST_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (send, listening) = mpsc::channel();
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let kept = Arc::clone(&log);
        thread::spawn(move || {
            for line in lines {
                let entry: Value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if let Some(addr) = entry["listen"].as_str().and_then(|addr| addr.parse().ok()) {
                    let _ = send.send(addr);
                }
                kept.lock().unwrap().push(entry);
            }
        });
        let Ok(addr) = listening.recv_timeout(Duration::from_secs(30)) else {
            let _ = process.kill();
            panic!("the gate does not listen: {:#?}", log.lock().unwrap());
        };
        Self { process, addr, log }
    }

    /// A gate before a service: `gate serve` with further options.
    pub(crate) fn serve(upstream: SocketAddr, protocol: &str, options: &[&str]) -> Self {
        let upstream = upstream.to_string();
        let own = ["serve", "--listen", "127.0.0.1:0", "--upstream", &upstream, "--protocol", protocol];
        Self::start(own.iter().chain(options))
    }

    /// A tunnel to a gate: `gate connect --listen` with further options.
    pub(crate) fn tunnel(gate: SocketAddr, protocol: &str, options: &[&str]) -> Self {
        let gate = gate.to_string();
        let own = ["connect", &gate, "--listen", "127.0.0.1:0", "--protocol", protocol];
        Self::start(own.iter().chain(options))
    }

    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The lines of the log with this message, as soon as there are so many.
    pub(crate) fn logged(&self, message: &str, count: usize) -> Vec<Value> {
        let started = Instant::now();
        loop {
            let log = self.log.lock().unwrap().clone();
            let found: Vec<_> = log.iter().filter(|entry| entry["message"] == message).cloned().collect();
            if found.len() >= count {
                return found;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "{log:#?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The reasons of the first refusals.
    pub(crate) fn reasons(&self, count: usize) -> Vec<String> {
        let found = self.logged("not verified", count);
        found.iter().filter_map(|entry| entry["reason"].as_str().map(str::to_owned)).collect()
    }

    /// Ends it in good order.
    pub(crate) fn stop(mut self) {
        super::live::signal("TERM", self.process.id());
        let status = self.process.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // Where it has ended already there is nothing left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs a program with this on its standard input, to its end.
pub(crate) fn with_input(command: &mut Command, input: &[u8]) -> super::live::Finished {
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that has ended early does not read.
    let _ = running.stdin.take().unwrap().write_all(input);
    let output = running.wait_with_output().unwrap();
    super::live::Finished {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
