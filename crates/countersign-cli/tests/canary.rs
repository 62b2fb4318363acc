//! A secret that is planted in the key store turns up nowhere: not in the log at its most talkative, not in answers,
//! metrics, errors and lists, not in the store's files, and not in a core dump.

mod live;

use live::signing::{API, APP, Transfer, get};
use live::{Connection, Held, Site, add_key, countersign, now};
use std::path::Path;

const CANARY: &str = "canary-3f9a1c77-never-to-be-seen";

const TALKATIVE: &str = r#"ulimit -c unlimited; export RUST_LOG=trace; cd "$(dirname "$4")""#;

fn planted(options: &'static [&'static str]) -> Site {
    let site = Site::held(API, &[(APP, CANARY)], &Held { before: TALKATIVE, options });
    add_key(site.folder(), "second", &format!("{CANARY}-too"));
    site
}

/// Every file under a folder that holds the secret.
fn found_in(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(found_in(&path));
        } else if std::fs::read(&path).is_ok_and(|bytes| holds(&bytes)) {
            found.push(path.display().to_string());
        }
    }
    found
}

fn holds(bytes: &[u8]) -> bool {
    let hex = CANARY.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    [CANARY.as_bytes(), hex.as_bytes()].iter().any(|canary| bytes.windows(canary.len()).any(|part| part == *canary))
}

/// A request with the secret, signed; the article's scheme is MD5 over text that ends with it.
fn signed(nonce: &str) -> String {
    String::from_utf8(Transfer::new(nonce, now()).wire_with(CANARY)).unwrap()
}

#[test]
fn attack_35_a_planted_secret_is_in_no_log_answer_metric_error_list_or_file() {
    let site = planted(&[]);
    let mut told = Vec::new();
    let good = signed("good");
    for wire in [
        good.clone(),
        good.clone(),
        good.replace("nonce: good", "nonce: other"),
        good.replace("sign: ", "sign: 00"),
        good.replace("timestamp: ", "timestamp: x"),
        signed("stale").replace(&now().to_string(), "1700000000"),
        String::from_utf8(get("/api/none")).unwrap(),
    ] {
        let response = site.send(wire);
        told.extend([response.head.into_bytes(), response.body]);
    }
    assert!(told[0].starts_with(b"HTTP/1.1 200"), "the planted secret is in use");
    let mut console = Connection::to(site.gateway.console());
    console.write(&get("/metrics"));
    let metrics = console.read();
    assert_eq!(metrics.status(), 200);
    told.extend([metrics.head.into_bytes(), metrics.body]);
    let config = site.config();
    let config = config.to_str().unwrap();
    for arguments in [
        &["keys", "list", "-c", config][..],
        &["keys", "show", APP, "--json", "-c", config],
        &["keys", "add", APP, "--secret", CANARY, "-c", config],
        &["keys", "add", "short", "--secret", CANARY, "--alg", "nonsense", "-c", config],
        &["keys", "rotate", "nobody", "--secret", CANARY, "-c", config],
        &["keys", "add", "pem", "--public-key", "/dev/null", "-c", config],
        &["check", "-c", config],
    ] {
        let said = countersign(arguments);
        told.extend([said.stdout.into_bytes(), said.stderr.into_bytes()]);
    }
    for (at, told) in told.iter().enumerate() {
        assert!(!holds(told), "{at}: {}", String::from_utf8_lossy(told));
    }
    let log = site.gateway.log();
    assert!(log.contains("TRACE") || log.contains("DEBUG") || log.len() > 500, "it is talkative: {log}");
    assert!(!holds(log.as_bytes()), "{log}");
    assert_eq!(found_in(site.folder()), [""; 0]);
}

/// Core files that a gateway left in its folder when it was told to abort.
fn dumped(options: &'static [&'static str]) -> Vec<String> {
    let mut site = planted(options);
    assert_eq!(site.send(signed("before")).status(), 200, "the secret is in use");
    site.gateway.end_by("ABRT");
    let cores = std::fs::read_dir(site.folder()).unwrap().flatten().map(|entry| entry.path());
    let cores = cores.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("core")));
    cores
        .map(|path| format!("{} {}", path.display(), std::fs::read(&path).is_ok_and(|bytes| holds(&bytes))))
        .collect()
}

#[test]
fn attack_35_a_gateway_that_is_aborted_leaves_no_core_dump() {
    let pattern = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    assert_eq!(dumped(&[]), [""; 0], "with core_pattern {pattern}");
    if !pattern.starts_with("core") {
        eprintln!("skipped: that a core dump would hold the secret: core_pattern is {pattern}");
        return;
    }
    // The check above is worth something: where core dumps are allowed there is one, and it holds the secret.
    let dumps = dumped(&["--core-dumps"]);
    assert!(dumps.iter().any(|dump| dump.ends_with("true")), "{dumps:?}");
}

/// The limit holds for whatever makes a core dump.
#[test]
fn attack_35_a_gateway_forbids_core_dumps_whatever_it_was_started_with() {
    let limit = |options| {
        let site = planted(options);
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", site.gateway.pid())).unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap().to_owned();
        line.split_whitespace().skip(4).take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(limit(&[]), ["0", "0"]);
    assert_ne!(limit(&["--core-dumps"]), ["0", "0"]);
}
