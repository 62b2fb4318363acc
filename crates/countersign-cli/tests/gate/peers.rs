//! Peers that were written by others.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Echo;
use super::live::{Finished, root, run};
use super::process::Gate;

const SECRET: &str = "a secret of some length";

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gate").join(name)
}

/// The Pythons that are here: `python3`, and each other version under its own name.
fn pythons() -> Vec<(String, (u32, u32))> {
    let names = ["python3".to_owned()].into_iter().chain((8..16).map(|minor| format!("python3.{minor}")));
    let homes = std::env::var_os("PYENV_ROOT").map(PathBuf::from).into_iter();
    let homes = homes.chain(std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv")));
    let installed = homes.flat_map(|home| std::fs::read_dir(home.join("versions")).into_iter().flatten().flatten());
    let installed = installed.map(|entry| entry.path().join("bin/python3").display().to_string());
    let mut found: Vec<(String, (u32, u32))> = Vec::new();
    for name in names.chain(installed) {
        let asked = Command::new(&name)
            .args(["-c", "import sys; print(sys.version_info[0], sys.version_info[1])"])
            .stderr(Stdio::null())
            .output();
        let Ok(output) = asked else { continue };
        let text = String::from_utf8_lossy(&output.stdout);
        let mut numbers = text.split_whitespace().map(str::parse);
        if let (true, Some(Ok(major)), Some(Ok(minor))) = (output.status.success(), numbers.next(), numbers.next())
            && major == 3
            && minor >= 8
            && found.iter().all(|(_, known)| *known != (major, minor))
        {
            found.push((name, (major, minor)));
        }
    }
    assert!(!found.is_empty(), "error: there is no python3\nhint: apt-get install python3");
    found
}

fn python(name: &str, file: &str, arguments: &[&str]) -> Finished {
    run(Command::new(name).arg(script(file)).args(arguments).env("PYTHONPATH", packages()))
}

/// Where `./test` installs scramp.
fn packages() -> PathBuf {
    root().join("target/tools/python")
}

/// Every `CPython` here: its `Client` to the gate, its `Client` through tunnel and gate to its `Listener`.
#[test]
fn multiprocessing_connection_through_the_gate_and_to_it() {
    for (name, version) in pythons() {
        let old = version < (3, 12);
        let md5 = if old { &["--allow-md5"][..] } else { &[] };
        // A Listener of Python's is the service; the gate stands before it and speaks the same protocol.
        let listener = Command::new(&name)
            .args([script("listener.py").to_str().unwrap(), SECRET])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut listener = Killed(listener);
        let service = first_line(&mut listener.0).parse::<SocketAddr>().unwrap();

        // To it: `gate connect` is the Client of Python's Listener.
        let towards = Gate::tunnel(service, "multiprocessing", &[&["--secret", SECRET], md5].concat());
        // Before it: a Client of Python's proves itself to the gate, which carries it on.
        let gate = Gate::serve(towards.addr(), "multiprocessing", &[&["--secret", SECRET], md5].concat());
        let addr = gate.addr().to_string();
        let said = python(&name, "client.py", &[&addr, SECRET]);
        assert_eq!((said.status, said.stdout.trim()), (0, "['hello', {'n': 1}]"), "{version:?}: {said}");
        let refused = python(&name, "client.py", &[&addr, "another secret"]);
        assert_eq!((refused.status, refused.stdout.trim()), (1, "AuthenticationError"), "{version:?}: {refused}");
        assert_eq!(gate.reasons(1), ["gate-answer-wrong"]);

        // The downgrade that an old Python needs is refused where it was not allowed.
        if old {
            let strict = Gate::serve(towards.addr(), "multiprocessing", &["--secret", SECRET]);
            let refused = python(&name, "client.py", &[&strict.addr().to_string(), SECRET]);
            assert_eq!((refused.status, refused.stdout.trim()), (1, "AuthenticationError"), "{version:?}");
            assert_eq!(strict.reasons(1), ["gate-md5"]);
        }
    }
}

#[test]
fn scramp_as_client_and_as_server() {
    let has = Command::new("python3").args(["-c", "import scramp"]).env("PYTHONPATH", packages()).output().unwrap();
    assert!(
        has.status.success(),
        "error: there is no scramp\nhint: python3 -m pip install --target target/tools/python --requirement .ci/python-peers.txt"
    );
    let echo = Echo::start();
    let gate = Gate::serve(echo.addr, "scram-sha-256", &["--secret", "pencil"]);
    let addr = gate.addr().to_string();
    let said = python("python3", "scramp_client.py", &[&addr, "user", "pencil"]);
    assert_eq!((said.status, said.stdout.trim()), (0, "hello"), "{said}");
    let refused = python("python3", "scramp_client.py", &[&addr, "user", "pen"]);
    assert_eq!(refused.status, 1, "{refused}");
    assert_eq!(gate.reasons(1), ["gate-answer-wrong"]);

    // The other way round: scramp is the server, and `gate connect` the client.
    for (secret, status) in [("pencil", 0), ("pen", 1)] {
        let server = Command::new("python3")
            .args([script("scramp_server.py").to_str().unwrap(), "user", "pencil"])
            .env("PYTHONPATH", packages())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut server = Killed(server);
        let addr = first_line(&mut server.0);
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        let options = ["--protocol", "scram-sha-256", "--key-id", "user", "--secret", secret];
        let said = super::process::with_input(command.args(["gate", "connect", &addr]).args(options), b"");
        assert_eq!(said.status, status, "{said}");
        assert_eq!(said.stdout, if status == 0 { "let in\n" } else { "" });
    }
}

/// GNU SASL's command speaks in lines of base64 on its own standard input and output; `sasl_bridge.py` carries them.
#[test]
fn gnu_sasl_as_client() {
    let has = Command::new("gsasl").arg("--version").stdout(Stdio::null()).status();
    assert!(has.is_ok(), "error: there is no gsasl\nhint: apt-get install gsasl");
    for (protocol, mechanism) in [("scram-sha-256", "SCRAM-SHA-256"), ("cram-md5", "CRAM-MD5")] {
        let echo = Echo::start();
        let gate = Gate::serve(echo.addr, protocol, &["--secret", "pencil"]);
        let addr = gate.addr().to_string();
        let said = python("python3", "sasl_bridge.py", &[&addr, mechanism, "user", "pencil"]);
        assert_eq!((said.status, said.stdout.trim()), (0, "hello"), "{said}");
        let refused = python("python3", "sasl_bridge.py", &[&addr, mechanism, "user", "pen"]);
        assert_eq!(refused.status, 1, "{refused}");
        assert_eq!(gate.reasons(1), ["gate-answer-wrong"]);
        assert_eq!(echo.received(), [b"hello".to_vec()]);
    }
}

/// A process that ends with the test.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn first_line(process: &mut std::process::Child) -> String {
    use std::io::BufRead as _;
    let mut line = String::new();
    std::io::BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

/// The examples run as they are printed.
#[test]
fn the_examples_run() {
    for (example, last) in [("chat", "refused: wrong secret"), ("redis", "without the gate's client: refused")] {
        let folder = root().join("examples/gate").join(example);
        let mut command = Command::new(folder.join("run"));
        let finished = run(command.env("COUNTERSIGN", env!("CARGO_BIN_EXE_countersign")));
        assert_eq!(finished.status, 0, "{example}: {finished}");
        assert!(finished.stdout.trim_end().ends_with(last), "{example}: {finished}");
    }
}
