//! `countersign dev`: what it says to paste works once, what it says of that is so, and nothing of it stays.

mod live;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use live::{Connection, Response, run, signal};
use serde_json::Value;

/// `countersign dev`, which is killed when this is dropped.
struct Dev {
    process: Child,
    lines: mpsc::Receiver<String>,
    /// Where it makes its own folder, which it cannot remove once it was killed.
    folder: tempfile::TempDir,
}

impl Dev {
    fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .arg("dev")
            .args(arguments)
            .env("TMPDIR", folder.path())
            .env("NO_COLOR", "1")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { process, lines, folder }
    }

    /// The next line that it prints.
    fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(30)).expect("a line")
    }

    /// Stops it as Ctrl-C does. Nothing of it stays.
    fn stop(mut self) {
        signal("INT", self.process.id());
        let status = self.process.wait().unwrap();
        assert!(status.success(), "{status}");
        let left: Vec<_> = std::fs::read_dir(self.folder.path()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // Where it has ended already there is nothing left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn has_curl() -> bool {
    Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok()
}

/// Pastes a command into a shell, and reads what the demo upstream answered with.
fn paste(command: &str) -> Value {
    let pasted = run(Command::new("bash").args(["-c", command]));
    let answer = pasted.stdout.strip_prefix("HTTP/1.1 200 OK\r\n").unwrap_or(&pasted.stdout);
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or(("", answer));
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {command}\n{pasted}"))
}

/// Sends what a curl command would send, by the few options that it uses: the shell splits the words, and this reads
/// them.
fn send(command: &str) -> Response {
    let split = run(Command::new("bash").args(["-c", &format!(r#"curl() {{ printf '%s\0' "$@"; }}; {command}"#)]));
    let mut words = split.stdout.split_terminator('\0');
    let (mut url, mut fields, mut body) = (None, Vec::new(), None);
    while let Some(word) = words.next() {
        match word {
            "-i" => {}
            "-H" => fields.push(words.next().unwrap()),
            "--data-raw" => body = words.next(),
            _ if word.starts_with("http://") => url = word.strip_prefix("http://"),
            _ => panic!("{word}: {command}"),
        }
    }
    let (authority, path) = url.unwrap().split_once('/').unwrap();
    let (method, body) = (if body.is_some() { "POST" } else { "GET" }, body.unwrap_or_default());
    let mut connection = Connection::to(authority.parse().unwrap());
    let length = body.len();
    let fields = fields.join("\r\n");
    let head =
        format!("{method} /{path} HTTP/1.1\r\nHost: {authority}\r\n{fields}\r\nContent-Length: {length}\r\n\r\n");
    connection.write(format!("{head}{body}").as_bytes());
    connection.read()
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_else(|| panic!("{name}: {row}"))
}

#[test]
fn what_it_says_to_paste_works_the_first_time_and_not_the_second() {
    let curl = has_curl();
    for arguments in [
        &["--json"][..],
        &["--json", "--scheme", "md5-token"],
        &["--json", "--scheme", "spring-sign"],
        &["--json", "--scheme", "spring-sign-rsa"],
    ] {
        let dev = Dev::start(arguments);
        let row: Value = serde_json::from_str(&dev.line()).unwrap();
        let pasted = text(&row, "curl");
        if curl {
            assert_eq!(paste(pasted)["method"], "POST", "{pasted}");
        } else {
            assert_eq!(send(pasted).status(), 200, "{pasted}");
        }
        assert_eq!(send(pasted).verdict(), (401, "request-repeated".to_owned()), "{pasted}");
        dev.stop();
    }
}

#[test]
fn what_it_says_to_run_signs_anew_each_time() {
    if !has_curl() {
        eprintln!("skipped: there is no curl");
        return;
    }
    let dev = Dev::start(&["--json"]);
    let row: Value = serde_json::from_str(&dev.line()).unwrap();
    for _ in 0..2 {
        assert_eq!(paste(text(&row, "fresh"))["method"], "POST", "{row}");
    }
    dev.stop();
}

#[test]
fn what_it_started_answers_and_is_gone_when_it_ends() {
    let dev = Dev::start(&["--json"]);
    let row: Value = serde_json::from_str(&dev.line()).unwrap();
    let addr = |name| -> SocketAddr { text(&row, name).strip_prefix("http://").unwrap().parse().unwrap() };
    let get = |addr, path: &str| {
        let mut connection = Connection::to(addr);
        connection.write(format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\n\r\n").as_bytes());
        connection.read()
    };
    assert_eq!(get(addr("gateway"), "/").verdict(), (401, "signature-missing".to_owned()));
    assert_eq!(get(addr("upstream"), "/").status(), 200);
    assert_eq!(get(addr("console"), "/metrics").status(), 200);
    let config = Path::new(text(&row, "config"));
    assert!(config.is_file() && config.starts_with(dev.folder.path()), "{}", config.display());
    dev.stop();
}

#[test]
fn what_a_person_is_shown_has_happened() {
    let dev = Dev::start(&[]);
    let mut shown = Vec::new();
    let pasted = loop {
        let line = dev.line();
        shown.push(line.clone());
        if line.starts_with("curl ") && line.contains(" -H ") {
            break line;
        }
    };
    assert_eq!(send(&pasted).status(), 200, "it is still unused: {pasted}");
    assert_eq!(send(&pasted).status(), 401);
    let has = |shown: &[String], text| shown.iter().any(|line| line.contains(text));
    while !(has(&shown, " 200 ") && has(&shown, " 401 ") && has(&shown, "request-repeated")) {
        shown.push(dev.line());
    }
    dev.stop();
}
