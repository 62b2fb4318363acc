//! Three gateways, one database: what one accepted the others refuse, and a key that is revoked is refused by all of
//! them within a second.

mod live;
#[expect(dead_code, reason = "these tests use a part of it")]
#[path = "../../countersign-store-postgres/tests/postgres/support/mod.rs"]
mod postgres;

use live::signing::{APP, SHARED, Transfer};
use live::{Connection, Gateway, Held, Response, Upstream, countersign, now, write_secret};
use postgres::Cluster;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const SEAL_KEY: &str = "8f1d4c0b6a2e95737a51fe0c9d24b86813e07f5a4bc6d2913e8a70f52cd1b694";

/// So that a busy machine keeps nobody from being served: these tests are of something else.
const LATE: &str = "keys-stale-after = \"1m\"\ndeadline = \"30s\"";

struct Site {
    gateways: Vec<Gateway>,
    upstream: Upstream,
    folders: Vec<tempfile::TempDir>,
}

impl Site {
    fn start(cluster: &Cluster, schema: &str, gateways: usize, more: &str) -> Self {
        let upstream = Upstream::start();
        let folders: Vec<_> = (0..gateways).map(|_| tempfile::tempdir().unwrap()).collect();
        for folder in &folders {
            write_secret(&folder.path().join("seal-key"), SEAL_KEY);
            let text = format!(
                "[server]\nlisten = \"127.0.0.1:0\"\nworkers = 2\n[store]\nkind = \"postgres\"\n[store.postgres]\n\
                 url = \"{}\"\nschema = \"{schema}\"\nseal-key-file = \"seal-key\"\n{more}\n\
                 [[route]]\npath = \"/api/*\"\nscheme = \"spring-sign\"\nkey = \"{APP}\"\nupstream = \"{}\"\n",
                cluster.url(),
                upstream.url()
            );
            std::fs::write(folder.path().join("gateway.toml"), text).unwrap();
        }
        let site = Self { gateways: Vec::new(), upstream, folders };
        let added = site.keys(&["add", APP, "--secret", SHARED]);
        assert_eq!(added.status, 0, "{added}");
        let gateways = site.folders.iter().map(|folder| Gateway::start(folder.path(), &Held::default())).collect();
        Self { gateways, ..site }
    }

    fn config(&self) -> PathBuf {
        self.folders[0].path().join("gateway.toml")
    }

    fn keys(&self, arguments: &[&str]) -> live::Finished {
        let config = self.config();
        let mut all = vec!["keys"];
        all.extend_from_slice(arguments);
        all.extend(["-c", config.to_str().unwrap()]);
        countersign(all)
    }

    fn send(&self, gateway: usize, wire: &[u8]) -> Response {
        let mut connection = Connection::to(self.gateways[gateway].addr());
        connection.write(wire);
        connection.read()
    }
}

#[test]
fn attack_27_what_one_gateway_accepted_the_others_refuse() {
    let cluster = Cluster::shared();
    let site = Site::start(&cluster, &Cluster::new_schema(), 3, LATE);
    for round in 0..10 {
        let wire = Transfer::new(&format!("shared-{round}"), now()).wire();
        assert_eq!(site.send(round % 3, &wire).status(), 200, "round {round}");
        for other in 0..3 {
            assert_eq!(site.send(other, &wire).verdict(), (401, "request-repeated".to_owned()), "round {round}");
        }
    }
    assert_eq!(site.upstream.count(), 10);
}

#[test]
fn attack_37_a_key_revoked_under_load_is_refused_by_all_gateways_within_a_second() {
    let cluster = Cluster::shared();
    // With the default, which is the second.
    let site = Site::start(&cluster, &Cluster::new_schema(), 3, "");
    let began = Instant::now();
    let (stop, accepted) = (AtomicBool::new(false), [0; 3].map(AtomicU64::new));
    let last_accepted = [0; 3].map(AtomicU64::new);
    let millis = || u64::try_from(began.elapsed().as_millis()).unwrap();
    let revoked = std::thread::scope(|scope| {
        for gateway in 0..3 {
            let (site, stop, accepted, last) = (&site, &stop, &accepted[gateway], &last_accepted[gateway]);
            scope.spawn(move || {
                let mut number = 0;
                while !stop.load(Ordering::Relaxed) {
                    number += 1;
                    let wire = Transfer::new(&format!("load-{gateway}-{number}"), now()).wire();
                    // When it was sent: how long its answer takes after its key was found is the load's matter.
                    let sent = millis();
                    if site.send(gateway, &wire).status() == 200 {
                        accepted.fetch_add(1, Ordering::Relaxed);
                        last.store(sent, Ordering::Relaxed);
                    }
                }
            });
        }
        while accepted.iter().any(|accepted| accepted.load(Ordering::Relaxed) < 20) {
            assert!(began.elapsed() < Duration::from_mins(1), "all gateways accept");
            std::thread::sleep(Duration::from_millis(10));
        }
        let done = site.keys(&["revoke", APP]);
        let revoked = millis();
        std::thread::sleep(Duration::from_secs(3));
        stop.store(true, Ordering::Relaxed);
        assert_eq!(done.status, 0, "{done}");
        revoked
    });
    let late = last_accepted.each_ref().map(|last| last.load(Ordering::Relaxed).saturating_sub(revoked));
    let total: u64 = accepted.iter().map(|accepted| accepted.load(Ordering::Relaxed)).sum();
    eprintln!("torture: {total} accepted by three gateways; last sent after the revocation: {late:?} ms");
    assert!(late.iter().all(|late| *late <= 1_000), "{late:?} ms");
}

#[test]
fn attack_37_a_gateway_that_is_cut_off_from_its_keys_decides_nothing_after_a_while_and_recovers() {
    let cluster = Cluster::start(&[]);
    let site = Site::start(&cluster, "countersign", 1, "");
    let served = |what: &str| {
        let until = Instant::now() + Duration::from_mins(1);
        let mut number = 0;
        while site.send(0, &Transfer::new(&format!("{what}-{number}"), now()).wire()).status() != 200 {
            assert!(Instant::now() < until, "nothing is served {what}");
            std::thread::sleep(Duration::from_millis(100));
            number += 1;
        }
    };
    served("before");
    cluster.stop("immediate");
    let until = Instant::now() + Duration::from_secs(20);
    // Unsigned: what is wrong without a key is still refused. Signed: not even that it is wrong can be said.
    let forged = || {
        let wire = String::from_utf8(Transfer::new("forged", now()).wire()).unwrap();
        site.send(0, wire.replace("nonce: forged", "nonce: other").as_bytes()).verdict()
    };
    while forged() != (503, "not-decided".to_owned()) {
        assert!(Instant::now() < until, "{:?}", forged());
        std::thread::sleep(Duration::from_millis(100));
    }
    cluster.run();
    served("after");
}

/// Uses of each version, by all gateways together.
fn uses(site: &Site) -> Vec<u64> {
    let listed = site.keys(&["list", "--json"]);
    assert_eq!(listed.status, 0, "{listed}");
    listed.json().as_array().unwrap().iter().map(|row| row["uses"].as_u64().unwrap()).collect()
}

#[test]
fn what_several_gateways_counted_adds_up_when_they_stop_and_nothing_of_it_is_secret() {
    let (cluster, schema) = (Cluster::shared(), Cluster::new_schema());
    let mut site = Site::start(&cluster, &schema, 2, LATE);
    assert_eq!(uses(&site), [0]);
    let before = now();
    for round in 0..6 {
        let wire = Transfer::new(&format!("counted-{round}"), now()).wire();
        assert_eq!(site.send(usize::from(round > 3), &wire).status(), 200);
        // The other one refuses it, and counts nothing.
        assert_eq!(site.send(usize::from(round <= 3), &wire).status(), 401);
    }
    site.gateways[0].stop();
    assert_eq!(uses(&site), [4]);
    site.gateways[1].stop();
    assert_eq!(uses(&site), [6]);
    let stored = cluster.sql(&format!("SELECT * FROM {schema}.key_use"));
    let last = stored.strip_prefix(&format!("{APP}|1|6|")).and_then(|last| last.parse().ok());
    assert!(last.is_some_and(|last| (before..=now()).contains(&last)), "{stored}");
}

/// Who has the database alone has no secret.
#[test]
fn attack_35_the_database_holds_no_secret_and_another_seal_key_opens_nothing() {
    let (cluster, schema) = (Cluster::shared(), Cluster::new_schema());
    let site = Site::start(&cluster, &schema, 1, LATE);
    let stored = cluster.sql(&format!("SELECT encode(record, 'escape') FROM {schema}.key"));
    assert!(stored.contains(APP) && !stored.contains(SHARED), "{stored}");
    let rotated = site.keys(&["rotate", APP, "--overlap", "1h"]);
    assert_eq!(rotated.status, 0, "{rotated}");
    let listed = site.keys(&["list", "--json"]);
    assert!(listed.stdout.contains("\"version\":2"), "{listed}");
    write_secret(&Path::new(site.folders[0].path()).join("seal-key"), &SEAL_KEY.replace('8', "9"));
    let wrong = site.keys(&["add", "other", "--generate"]);
    assert_eq!(wrong.status, 2, "{wrong}");
    assert!(wrong.stderr.contains("seal key"), "{wrong}");
    let wrong = site.keys(&["reseal"]);
    assert_eq!(wrong.status, 2, "{wrong}");
    assert!(wrong.stderr.contains("former-seal-key-file"), "{wrong}");
}

/// Gateways that know the old key and the new one serve before, while and after the keys are sealed anew.
#[test]
fn attack_35_keys_in_the_database_are_sealed_anew_while_gateways_serve() {
    let (cluster, schema) = (Cluster::shared(), Cluster::new_schema());
    let site = Site::start(&cluster, &schema, 1, LATE);
    let record = || cluster.sql(&format!("SELECT encode(record, 'hex') FROM {schema}.key ORDER BY id, version"));
    let check = || cluster.sql(&format!("SELECT encode(seal_check, 'hex') FROM {schema}.key_state"));
    assert_eq!(site.send(0, &Transfer::new("before", now()).wire()).status(), 200);
    let unchanged = (record(), check());
    let none = site.keys(&["reseal", "--json"]);
    assert_eq!((none.status, none.stdout.trim()), (0, "{\"keys\":0}"), "{none}");
    assert_eq!((record(), check()), unchanged);
    // A gateway that knows the next key and this one, and who changes keys with the same configuration.
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(site.config()).unwrap();
    let both = "seal-key-file = \"seal-key\"\nformer-seal-key-file = \"former\"";
    std::fs::write(folder.path().join("gateway.toml"), text.replace("seal-key-file = \"seal-key\"", both)).unwrap();
    write_secret(&folder.path().join("former"), SEAL_KEY);
    write_secret(&folder.path().join("seal-key"), &SEAL_KEY.replace('8', "9"));
    let next = Gateway::start(folder.path(), &Held::default());
    let serves = |name: &str| {
        let mut connection = Connection::to(next.addr());
        connection.write(&Transfer::new(name, now()).wire());
        assert_eq!(connection.read().status(), 200, "{name}");
    };
    serves("between");
    let config = folder.path().join("gateway.toml");
    let keys = |arguments: &[&str]| countersign([&["keys"], arguments, &["-c", config.to_str().unwrap()]].concat());
    let done = keys(&["reseal", "--json"]);
    assert_eq!((done.status, done.stdout.trim()), (0, "{\"keys\":1}"), "{done}");
    assert!(record() != unchanged.0 && check() != unchanged.1);
    // It has looked by the time that it knows of a later change.
    assert_eq!(keys(&["rotate", APP, "--overlap", "1h"]).status, 0);
    serves("after");
    let revoked = keys(&["revoke", APP]);
    assert_eq!(revoked.status, 0, "{revoked}");
    let began = Instant::now();
    let mut number = 0;
    // With the default staleness of a second a gateway that could not look would decide nothing; with a minute it would
    // go on accepting.
    loop {
        number += 1;
        let mut connection = Connection::to(next.addr());
        connection.write(&Transfer::new(&format!("revoked-{number}"), now()).wire());
        match connection.read().status() {
            401 => break,
            status => assert_eq!(status, 200),
        }
        assert!(began.elapsed() < Duration::from_secs(30), "it reads what was sealed anew");
        std::thread::sleep(Duration::from_millis(20));
    }
    // Who knows the old key alone opens nothing any more.
    let old = site.keys(&["export"]);
    assert_eq!((old.status, old.stdout.as_str()), (2, ""), "{old}");
}

/// However far it got: every key opens, with one of the two seal keys and with none of them mixed.
#[test]
fn attack_35_killed_while_sealing_anew_all_keys_open_with_the_old_seal_key_or_all_with_the_new_one() {
    let rounds = std::env::var("COUNTERSIGN_ROUNDS").map_or(4, |rounds| rounds.parse().expect("a number"));
    let (cluster, schema) = (Cluster::shared(), Cluster::new_schema());
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[store]\nkind = \"postgres\"\n[store.postgres]\nurl = \"{}\"\nschema = \"{schema}\"\n{LATE}\n",
        cluster.url()
    );
    let config = |name: &str, seal: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{text}{seal}")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    write_secret(&folder.path().join("a"), SEAL_KEY);
    write_secret(&folder.path().join("b"), &SEAL_KEY.replace('8', "9"));
    let alone = ["a", "b"].map(|key| config(&format!("{key}.toml"), &format!("seal-key-file = \"{key}\"")));
    let both = [("a", "b"), ("b", "a")].map(|(new, old)| {
        let seal = format!("seal-key-file = \"{new}\"\nformer-seal-key-file = \"{old}\"");
        config(&format!("to-{new}.toml"), &seal)
    });
    let keys = |arguments: &[&str], config: &str| countersign([&["keys"], arguments, &["-c", config]].concat());
    let imported: Vec<_> = (0..300)
        .map(|number| serde_json::json!({"id": format!("key-{number}"), "material": format!("a secret of {number:05}")}))
        .collect();
    let file = folder.path().join("keys.json");
    write_secret(&file, &serde_json::json!({"countersign_keys": 1, "keys": imported}).to_string());
    let done = keys(&["import", file.to_str().unwrap()], &alone[0]);
    assert_eq!(done.status, 0, "{done}");
    let exported = keys(&["export"], &alone[0]).stdout;
    let began = Instant::now();
    let done = keys(&["reseal"], &both[1]);
    assert_eq!(done.status, 0, "{done}");
    let whole = began.elapsed();
    let mut sealed_with = 1;
    let (mut before, mut after) = (0, 0);
    // Any seed will do; this one is told where it fails.
    let seed = u64::from(std::process::id());
    let mut random = seed | 1;
    for round in 0..rounds {
        let to = 1 - sealed_with;
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Up to a quarter longer than it takes, so that some have just been done.
        let part = u32::try_from(random >> 33).unwrap() % 1_250;
        let mut reseal = std::process::Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["keys", "reseal", "-c", &both[to]])
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(whole * part / 1_000);
        reseal.kill().unwrap();
        reseal.wait().unwrap();
        // A server may still be at what the killed one asked for last: a look that waits for it tells what came of it.
        cluster.sql(&format!("SELECT 1 FROM {schema}.key_state FOR UPDATE"));
        let told = format!("round {round}, killed after {part} of a thousand parts of {whole:?}, seed {seed}");
        let opens = alone.each_ref().map(|config| keys(&["export"], config));
        let [a, b] = opens.each_ref().map(|done| done.status == 0);
        assert!(a != b, "{told}: {} {}", opens[0], opens[1]);
        let opened = if a { &opens[0] } else { &opens[1] };
        assert_eq!(opened.stdout, exported, "{told}");
        for config in &both {
            assert_eq!(keys(&["export"], config).stdout, exported, "{told}");
        }
        let now = usize::from(b);
        if now == sealed_with {
            before += 1;
        } else {
            after += 1;
        }
        sealed_with = now;
    }
    // And it is still to be sealed anew.
    let done = keys(&["reseal", "--json"], &both[1 - sealed_with]);
    assert_eq!((done.status, done.stdout.trim()), (0, "{\"keys\":300}"), "{done}");
    eprintln!(
        "torture: {rounds} kills while 300 keys were sealed anew: {before} as before, {after} as after, 0 mixed"
    );
}
