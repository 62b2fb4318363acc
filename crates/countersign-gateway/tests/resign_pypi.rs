//! What the gateway signed, verified by an upstream that knows nothing of the engine: `http-message-signatures` of Python.

#[expect(dead_code, reason = "each test file uses its own part")]
mod support;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use countersign_core::key::Key;
use countersign_gateway::Stores;
use countersign_store::MemoryKeys;
use support::{SCHEME, SECRET, get, noise, post, stores};

const GATEWAY_SECRET: &str = "the gateway's own secret, long enough for anybody";

/// Ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Python with the version that the interop driver names, from where `./test` and `cargo xtask interop` install it.
fn python() -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let driver = std::fs::read_to_string(root.join("interop/drivers/rfc9421-pypi.py")).unwrap();
    let sdk =
        driver.lines().find_map(|line| line.strip_prefix("SDK = \"")?.strip_suffix('"')).expect("what it needs");
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", root.join("target/interop/pip").join(sdk.replace("==", "--")));
    python
}

fn status(verifies_with: &str) -> Option<Vec<u16>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/upstream_pypi.py");
    let has_it = python().args(["-c", "import http_message_signatures"]).stderr(Stdio::null()).status();
    if !has_it.is_ok_and(|status| status.success()) {
        return None;
    }
    let child = python().args([script, verifies_with]).stdout(Stdio::piped()).spawn().unwrap();
    let mut process = Process(child);
    let mut port = String::new();
    BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("all.toml"), SCHEME).unwrap();
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nworkers = 1\n[[route]]\npath = \"/*\"\nscheme = \"all.toml\"\n\
         upstream = \"http://127.0.0.1:{}\"\nsign = {{ scheme = \"rfc9421\", key = \"gateway\" }}\n",
        port.trim()
    );
    let keys = [("alice", SECRET), ("gateway", GATEWAY_SECRET)];
    let keys = keys.map(|(id, secret)| Key::secret(secret.as_bytes()).with_id(id));
    let stores = Stores { keys: std::sync::Arc::new(MemoryKeys::new(keys).unwrap()), ..stores() };
    let running = support::gateway(&text, folder.path(), &stores);
    let requests = [get("/a?b=c"), post("/a", ""), post("/a", "small"), post("/a", noise(200_000))];
    let statuses = requests.map(|request| {
        let mut client = support::Client::connect(running.addr());
        client.write(request.wire());
        client.read().status()
    });
    running.stop();
    running.wait();
    Some(statuses.to_vec())
}

#[test]
fn another_implementation_verifies_what_goes_upstream() {
    let Some(statuses) = status(GATEWAY_SECRET) else {
        eprintln!("skipped: PyPI's http-message-signatures is not installed; `./test` installs it");
        return;
    };
    assert_eq!(statuses, [200; 4]);
    assert_eq!(status("another secret"), Some(vec![401; 4]), "an upstream with another key says no");
}
