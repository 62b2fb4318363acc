//! What the options say, and what is an error among them.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;

use super::live::{add_key, countersign};
use super::process::{Gate, with_input};
use super::{Echo, live};

const SECRET: &str = "a secret of some length";

fn connect(arguments: &[&str], input: &[u8]) -> live::Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    with_input(command.args(["gate", "connect"]).args(arguments), input)
}

/// Free a moment ago: nobody listens there.
fn nowhere() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn standard_input_and_output_go_through_a_gate() {
    let echo = Echo::start();
    for protocol in ["countersign-v1", "scram-sha-256", "multiprocessing", "article", "cram-md5"] {
        let gate = Gate::serve(echo.addr, protocol, &["--secret", SECRET]);
        let addr = gate.addr().to_string();
        let own = [addr.as_str(), "--protocol", protocol, "--key-id", "alice"];
        let through = connect(&[&own[..], &["--secret", SECRET]].concat(), b"hello\n");
        assert_eq!((through.status, through.stdout.as_str()), (0, "hello\n"), "{protocol}: {through}");
        let refused = connect(&[&own[..], &["--secret", "another secret of some length"]].concat(), b"hello\n");
        if matches!(protocol, "article" | "cram-md5") {
            assert_eq!((refused.status, refused.stdout.as_str()), (0, ""), "{protocol}: {refused}");
        } else {
            assert_eq!(refused.status, 1, "{protocol}: {refused}");
            assert!(
                refused.stderr.contains("gate-refused-by-peer") && refused.stderr.contains("hint: "),
                "{refused}"
            );
        }
        assert_eq!(gate.reasons(1), ["gate-answer-wrong"], "{protocol}");
        gate.stop();
    }
    assert_eq!(echo.received(), vec![b"hello\n".to_vec(); 5]);
}

#[test]
fn keys_by_id_from_the_store_while_the_gate_runs() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gateway.toml");
    // Nothing but the store: who has no gateway needs no more.
    std::fs::write(&config, "[store]\npath = \"store\"\n").unwrap();
    let file = config.to_str().unwrap();
    add_key(folder.path(), "alice", SECRET);
    let echo = Echo::start();
    let gate = Gate::serve(echo.addr, "countersign-v1", &["-c", file, "--proxy-protocol"]);
    let addr = gate.addr().to_string();
    let as_key =
        |id: &str| connect(&[&addr, "--protocol", "countersign-v1", "--key-id", id, "--secret", SECRET], b"");
    assert_eq!(as_key("alice").status, 0);
    assert_eq!(as_key("bob").status, 1);
    // Added, and revoked, by way of the gate that has the store open.
    add_key(folder.path(), "bob", SECRET);
    assert_eq!(as_key("bob").status, 0);
    let revoked = countersign(["keys", "revoke", "alice", "-c", file]);
    assert_eq!(revoked.status, 0, "{revoked}");
    assert_eq!(as_key("alice").status, 1);
    let refused = gate.logged("not verified", 2);
    let told: Vec<_> =
        refused.iter().map(|entry| (entry["claimed_key_id"].as_str(), entry["reason"].as_str())).collect();
    assert_eq!(told[0], (Some("bob"), Some("gate-key-unknown")));
    assert_eq!(told[1].0, Some("alice"));
    // The service learns who it was.
    let received = echo.received();
    assert_eq!(received.len(), 2);
    assert!(received[0].ends_with(b"\xe0\0\x05alice") && received[1].ends_with(b"\xe0\0\x03bob"));
    gate.stop();
}

#[test]
fn the_console_has_health_and_metrics() {
    let echo = Echo::start();
    let console = nowhere();
    let gate = Gate::serve(echo.addr, "article", &["--secret", "egg", "--console", &console]);
    assert_eq!(
        gate.logged("the secret has fewer than 16 bytes: whoever hears one handshake can guess it", 1).len(),
        1
    );
    let mut stranger = TcpStream::connect(gate.addr()).unwrap();
    stranger.write_all(&[0; 16]).unwrap();
    let _ = stranger.read_to_end(&mut Vec::new());
    gate.reasons(1);
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(&console).unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        said
    };
    assert!(ask("/healthz").ends_with("\r\n\r\nok\n"));
    let metrics = ask("/metrics");
    assert!(metrics.contains("countersign_gate_refused_total{reason=\"gate-answer-wrong\"} 1\n"), "{metrics}");
    gate.stop();
    assert!(TcpStream::connect(&console).is_err());
}

#[test]
fn a_tunnel_for_programs_that_cannot_do_it_themselves() {
    let echo = Echo::start();
    let gate = Gate::serve(echo.addr, "scram-sha-256", &["--secret", SECRET, "--key-id", "alice"]);
    let tunnel = Gate::tunnel(gate.addr(), "scram-sha-256", &["--secret", SECRET, "--key-id", "alice"]);
    let mut stream = TcpStream::connect(tunnel.addr()).unwrap();
    stream.write_all(b"plain").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    assert_eq!(said, "plain");
    tunnel.stop();
    gate.stop();
}

#[test]
fn what_cannot_be_is_an_error_with_a_hint() {
    let serve = |options: &[&str]| {
        let own = ["gate", "serve", "--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:1"];
        countersign(own.iter().chain(options))
    };
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gate.toml");
    std::fs::write(&config, "[store]\npath = \"store\"\n").unwrap();
    let odd = folder.path().join("odd.toml");
    std::fs::write(&odd, "[stroe]\npath = \"store\"\n").unwrap();
    let (config, odd) = (config.to_str().unwrap(), odd.to_str().unwrap());
    for (options, told) in [
        (&["--protocol", "article"][..], "there is no key"),
        (&["--protocol", "article", "-c", config], "says nothing about which key"),
        (&["--protocol", "article", "--secret", "egg", "-c", config], "cannot be used with"),
        (&["--protocol", "article", "--secret", "egg", "--allow-md5"], "for `multiprocessing` only"),
        (&["--protocol", "article", "--secret", "egg", "--digest", "sha3_256"], "not a digest of this protocol"),
        (&["--protocol", "multiprocessing", "--secret", "egg", "--digest", "md5"], "needs --allow-md5"),
        (&["--protocol", "cram-md5", "--secret", "egg", "--digest", "md5"], "--digest is for"),
        (&["--protocol", "countersign-v1", "--secret", "egg", "--require-binding"], "for `scram-sha-256` only"),
        (&["--protocol", "article", "--secret", "egg", "--deadline", "0s"], "too short"),
        (&["--protocol", "article", "--secret", "egg", "--deadline", "10"], "invalid value"),
        (&["--protocol", "nonsense", "--secret", "egg"], "invalid value"),
        (&["--protocol", "countersign-v1", "-c", odd], "`stroe` is not a section"),
        (&["--protocol", "countersign-v1", "-c", "missing.toml"], "cannot be read"),
        (
            &["--protocol", "countersign-v1", "--secret", "egg", "--tls-cert", config, "--tls-key", config],
            "no certificate",
        ),
        (&["--protocol", "scram-sha-256", "-c", config, "--own-key-id", "gate"], "--own-key-id is for"),
    ] {
        let finished = serve(options);
        assert_eq!(finished.status, 2, "{options:?}: {finished}");
        assert!(finished.stderr.contains("error") && finished.stderr.contains(told), "{options:?}: {finished}");
    }
    let gate = nowhere();
    let to_nobody = connect(&[&gate, "--protocol", "article", "--secret", "egg"], b"");
    assert!(to_nobody.status == 2 && to_nobody.stderr.contains("there is no connection"), "{to_nobody}");
    let nameless = connect(&[&gate, "--protocol", "countersign-v1", "--secret", "egg"], b"");
    assert!(nameless.status == 2 && nameless.stderr.contains("--key-id"), "{nameless}");
}
