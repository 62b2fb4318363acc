//! The commands around the gateway: its keys, itself, and the whole of it on one screen.

use crate::support::{countersign, run};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

/// A process that is ended, whatever becomes of the test.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// Asks it to stop, as an operator would, and waits.
    pub(crate) fn stop(mut self) -> i32 {
        let pid = self.0.id().to_string();
        // The shell's own `kill`: a bare machine has no program of that name.
        let mut kill = std::process::Command::new("sh");
        assert!(kill.args(["-c", "kill \"$1\"", "kill", &pid]).status().unwrap().success());
        self.0.wait().unwrap().code().unwrap_or(-1)
    }
}

pub(crate) struct Site {
    pub(crate) folder: tempfile::TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(
            site.config(),
            "[server]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"data\"\n[[route]]\npath = \"/*\"\n\
             scheme = \"md5-token\"\nupstream = \"http://127.0.0.1:1\"\n",
        )
        .unwrap();
        site
    }

    pub(crate) fn config(&self) -> String {
        self.folder.path().join("gateway.toml").to_str().unwrap().to_owned()
    }

    pub(crate) fn keys(&self, arguments: &[&str]) -> crate::support::Done {
        run(&[&["keys"], arguments, &["-c", &self.config()]].concat(), "")
    }

    /// Starts the gateway, and waits until it says where it listens.
    pub(crate) fn serve(&self) -> (Running, String) {
        let mut running = countersign()
            .args(["serve", "--log", "json", "-c", &self.config()])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(running.stderr.take().unwrap());
        // What it remembers from before it says first.
        let listen = loop {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "it listens");
            let line: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if let Some(listen) = line["listen"].as_str() {
                break listen.to_owned();
            }
        };
        // Somebody has to read what follows, or the gateway would wait.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        (Running(running), listen)
    }
}

/// The status that a target gets.
pub(crate) fn status(address: &str, target: &str) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// A target that the first article's client would ask for.
pub(crate) fn signed(address: &str, id: &str, secret: &str) -> String {
    let request = format!("GET /p HTTP/1.1\nHost: {address}\n\n");
    let done = run(&["sign", "--scheme", "md5-token", "--key-id", id, "--secret", secret], request);
    done.out.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn keys_are_added_shown_rotated_and_revoked() {
    let site = Site::new();
    let added = site.keys(&["add", "alice"]);
    assert_eq!(added.status, 0, "{added:?}");
    let secret = added.out.trim_end();
    assert!(secret.len() >= 32 && !added.err.contains(secret), "the secret is the result: {added:?}");
    assert_eq!(site.keys(&["add", "alice"]).status, 2, "twice");

    let short = site.keys(&["add", "bob", "--secret", "short"]);
    assert_eq!((short.status, short.out.as_str()), (2, ""));
    assert!(short.err.contains("--legacy") && !short.err.contains("\"short\""), "{}", short.err);
    assert_eq!(site.keys(&["add", "bob", "--secret", "short", "--legacy"]).status, 0);

    let listed = site.keys(&["list"]);
    assert!(
        listed.out.contains("alice") && listed.out.contains("bob") && !listed.out.contains(secret),
        "{}",
        listed.out
    );
    let rotated = site.keys(&["rotate", "alice", "--overlap", "1h", "--json"]).json();
    assert_eq!(rotated["version"], 2);
    assert_ne!(rotated["secret"].as_str().unwrap(), secret);
    let rows = site.keys(&["show", "alice", "--json"]).json();
    assert_eq!(rows.as_array().unwrap().iter().filter(|row| row["active"] == true).count(), 2, "{rows}");
    assert_eq!(
        site.keys(&["revoke", "alice", "--key-version", "1", "--json"]).json()["versions"],
        serde_json::json!([1])
    );
    let rows = site.keys(&["show", "alice", "--json"]).json();
    assert_eq!(rows.as_array().unwrap().iter().filter(|row| row["active"] == true).count(), 1, "{rows}");
    assert_eq!(site.keys(&["show", "nobody"]).status, 2);

    let exported = site.keys(&["export"]).out;
    assert!(exported.contains(secret), "an export has the secrets");
    let other = Site::new();
    let file = other.folder.path().join("keys.json");
    std::fs::write(&file, &exported).unwrap();
    assert_eq!(other.keys(&["import", file.to_str().unwrap()]).status, 0);
    assert_eq!(other.keys(&["list", "--json"]).json().as_array().unwrap().len(), 3);
}

#[test]
fn keys_change_under_a_running_gateway() {
    let site = Site::new();
    let (gateway, address) = site.serve();
    let target = signed(&address, "carol", "0123456789abcdef");
    assert_eq!(status(&address, &target), 401, "there is no such key yet");
    assert_eq!(site.keys(&["add", "carol", "--secret", "0123456789abcdef"]).status, 0);
    // There is no upstream: what is verified gets as far as that.
    assert_eq!(status(&address, &signed(&address, "carol", "0123456789abcdef")), 502);
    assert_eq!(status(&address, &signed(&address, "carol", "another secret...")), 401);
    assert_eq!(site.keys(&["revoke", "carol"]).status, 0);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(status(&address, &signed(&address, "carol", "0123456789abcdef")), 401);
    assert_eq!(gateway.stop(), 0);
    assert_eq!(site.keys(&["list"]).status, 0, "and afterwards in the store");
}

#[test]
fn a_gateway_that_cannot_run_says_why() {
    let site = Site::new();
    assert_eq!(run(&["serve", "-c", "/nowhere/at/all"], "").status, 2);
    let (_gateway, address) = site.serve();
    let second = run(&["serve", "-c", &site.config()], "");
    assert_eq!(second.status, 2);
    assert!(second.err.contains("error: ") && second.err.contains("hint: "), "{}", second.err);
    let other = Site::new();
    let text = std::fs::read_to_string(other.config()).unwrap();
    std::fs::write(other.config(), text.replace("127.0.0.1:0", &address)).unwrap();
    let taken = run(&["serve", "-c", &other.config()], "");
    assert_eq!(taken.status, 2);
    assert!(taken.err.contains(&address), "{}", taken.err);
}

#[test]
fn dev_runs_everything_and_says_how_to_use_it() {
    for scheme in ["countersign-v1", "md5-token", "spring-sign-rsa", "github-webhook"] {
        let mut running = countersign()
            .args(["dev", "--json", "--scheme", scheme])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(running.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let dev = Running(running);
        let row: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for name in ["gateway", "upstream", "console", "key_id", "scheme", "curl", "fresh"] {
            assert!(row[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {row}");
        }
        let config = row["config"].as_str().unwrap().to_owned();
        if std::process::Command::new("curl").arg("--version").output().is_ok() {
            let send = |command: &str| {
                let script = format!("{command} -s -o /dev/null -w '%{{http_code}}'");
                let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
                String::from_utf8(output.stdout).unwrap()
            };
            let pasted = row["curl"].as_str().unwrap();
            assert_eq!((send(pasted).as_str(), send(pasted).as_str()), ("200", "401"), "{scheme}");
        } else {
            eprintln!("skipped: curl is not there");
        }
        assert_eq!(dev.stop(), 0);
        assert!(!std::path::Path::new(&config).exists(), "all of it is gone");
    }
}

#[test]
fn the_guide_shows_what_happened() {
    let mut running = countersign().arg("dev").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut guide = BufReader::new(running.stdout.take().unwrap());
    let mut text = String::new();
    while !text.contains("curl -i http://") || !text.contains("4. ") || !text.ends_with("/orders\n") {
        assert_ne!(guide.read_line(&mut text).unwrap(), 0, "{text}");
    }
    for shown in ["200  {\"method\":\"POST\"", "401  {", "request-repeated", "within 5 minutes", " --run "] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert_eq!(Running(running).stop(), 0);
}
