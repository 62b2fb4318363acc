//! What becomes of decisions when the server is stopped, paused, crashed, set up to forget, or replaced by a copy.

use crate::support::Cluster;
use countersign_core::replay::{FirstUse, StoreError};
use countersign_store::conformance::{ask, entry};
use countersign_store_postgres::{PostgresError, PostgresOptions, PostgresReplay, Tls};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn options(cluster: &Cluster, schema: &str) -> PostgresOptions {
    PostgresOptions::at(&cluster.url(), Tls::Off).unwrap().with_schema(schema).unwrap()
}

fn open(cluster: &Cluster, schema: &str) -> PostgresReplay {
    PostgresReplay::open(options(cluster, schema)).unwrap()
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

fn decide(store: &PostgresReplay, number: u32) -> Result<FirstUse, StoreError> {
    ask(store, &entry(1, number, now(), now() + 300))
}

/// Waits until a new request is decided.
fn recovers(store: &PostgresReplay, mut number: u32) {
    let started = Instant::now();
    while decide(store, number) != Ok(FirstUse::First) {
        assert!(started.elapsed() < Duration::from_mins(1), "it recovers: {:?}", decide(store, number));
        std::thread::sleep(Duration::from_millis(50));
        number += 1;
    }
}

#[test]
fn attack_29_a_server_that_is_down_decides_nothing_within_the_deadline_and_comes_back_knowing_all() {
    let cluster = Cluster::start(&[]);
    let store = open(&cluster, "countersign");
    for number in 0..100 {
        assert_eq!(decide(&store, number), Ok(FirstUse::First));
    }
    for mode in ["fast", "immediate"] {
        cluster.stop(mode);
        for number in 0..20 {
            let asked = Instant::now();
            let answer = decide(&store, number);
            assert!(matches!(answer, Err(StoreError::Unavailable(_) | StoreError::TimedOut)), "{answer:?}");
            assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        }
        cluster.run();
        recovers(&store, if mode == "fast" { 1_000_000 } else { 2_000_000 });
        for number in 0..100 {
            assert_eq!(decide(&store, number), Ok(FirstUse::Seen), "{number} after {mode}");
        }
    }
}

#[test]
fn a_server_that_does_not_answer_is_an_outage_within_the_deadline() {
    let cluster = Cluster::start(&[]);
    let store = open(&cluster, "countersign");
    assert_eq!(decide(&store, 1), Ok(FirstUse::First));
    let processes = |signal: &str| {
        let master = cluster.sql_pid();
        let script = format!("kill -s {signal} {master} $(cat /proc/{master}/task/*/children)");
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    };
    processes("STOP");
    let asked = Instant::now();
    let answer = decide(&store, 2);
    let took = asked.elapsed();
    processes("CONT");
    assert_eq!(answer, Err(StoreError::TimedOut));
    assert!(took < Duration::from_secs(5), "{took:?}");
    recovers(&store, 1_000_000);
    assert_eq!(decide(&store, 1), Ok(FirstUse::Seen));
}

#[test]
fn attack_29_a_server_that_would_forget_is_refused() {
    let refused = |result: Result<PostgresReplay, PostgresError>, expected: &str| {
        let error = result.unwrap_err();
        assert!(matches!(&error, PostgresError::NotDurable(why) if why.contains(expected)), "{error}");
    };
    for setting in ["fsync", "full_page_writes"] {
        let cluster = Cluster::start(&[&format!("{setting}=off")]);
        refused(PostgresReplay::open(options(&cluster, "countersign")), setting);
    }
    let cluster = Cluster::shared();
    let schema = Cluster::new_schema();
    drop(open(&cluster, &schema));
    cluster.sql(&format!("ALTER TABLE {schema}.replay SET UNLOGGED"));
    refused(PostgresReplay::open(options(&cluster, &schema)), "UNLOGGED");
}

/// A session that is set up not to wait for the disk waits all the same.
#[test]
fn attack_29_synchronous_commit_off_is_overridden() {
    let cluster = Cluster::start(&["synchronous_commit=off", "wal_writer_delay=10000"]);
    let store = open(&cluster, "countersign");
    for round in 0..5 {
        for number in round * 100..round * 100 + 100 {
            assert_eq!(decide(&store, number), Ok(FirstUse::First));
        }
        cluster.stop("immediate");
        cluster.run();
        recovers(&store, 1_000_000 * (round + 1));
        for number in 0..round * 100 + 100 {
            assert_eq!(decide(&store, number), Ok(FirstUse::Seen), "{number} in round {round}");
        }
    }
}

#[test]
fn a_newer_schema_is_refused_and_an_older_one_is_brought_up_to_date_once() {
    let (cluster, schema) = (Cluster::shared(), Cluster::new_schema());
    let opened: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(|| open(&cluster, &schema))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(decide(&opened[0], 1), Ok(FirstUse::First));
    assert_eq!(decide(&opened[5], 1), Ok(FirstUse::Seen));
    drop(opened);
    cluster.sql(&format!("INSERT INTO {schema}.migration (version) VALUES (999)"));
    let error = PostgresReplay::open(options(&cluster, &schema)).unwrap_err();
    assert!(matches!(error, PostgresError::SchemaNewer { found: 999, .. }), "{error}");
}

#[test]
fn a_user_who_may_only_use_the_schema_serves() {
    let (cluster, schema) = (Cluster::shared(), Cluster::new_schema());
    drop(open(&cluster, &schema));
    let user = format!("user_{schema}");
    cluster.sql(&format!(
        "CREATE ROLE {user} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {user};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {user}"
    ));
    let url = cluster.url().replace("countersign@", &format!("{user}@"));
    let options = PostgresOptions::at(&url, Tls::Off).unwrap().with_schema(&schema).unwrap();
    assert_eq!(decide(&PostgresReplay::open(options).unwrap(), 1), Ok(FirstUse::First));
}

/// A copy that lags behind takes over, and lacks what was decided last.
#[test]
fn attack_26_when_a_copy_takes_over_what_it_may_lack_is_not_decided() {
    let first = Cluster::start(&["wal_level=replica", "max_wal_senders=3"]);
    let store = open(&first, "countersign");
    assert_eq!(decide(&store, 1), Ok(FirstUse::First));
    let copy = Cluster::made(&[]);
    let source = format!("host=127.0.0.1 port={} user=countersign", first.port);
    let made = copy.tool("pg_basebackup", &["-d", &source, "-R", "-X", "stream", "-c", "fast"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    // It never hears of what follows: its source is another port.
    let lost = entry(1, 2, now(), now() + 300);
    assert_eq!(ask(&store, &lost), Ok(FirstUse::First));
    drop(store);
    first.stop("fast");
    copy.run();
    copy.tool("pg_ctl", &["promote", "-w"]);
    let store = open(&copy, "countersign");
    assert_eq!(ask(&store, &lost), Err(StoreError::Quarantined), "it is not there, and not accepted again");
    assert_eq!(decide(&store, 1), Ok(FirstUse::Seen), "what the copy has is known");
    assert_eq!(decide(&store, 3), Err(StoreError::Quarantined), "signed before it took over, as far as is known");
    let later = entry(1, 4, now() + 30, now() + 330);
    assert_eq!(ask(&store, &later), Ok(FirstUse::First), "what is signed later is decided");
    assert_eq!(ask(&store, &later), Ok(FirstUse::Seen));
}

#[test]
fn tls_is_checked_against_the_authorities_that_were_given() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("localhost");
    let cluster = Cluster::start(&[]);
    cluster.stop("fast");
    for (name, text) in [("server.crt", &certificate), ("server.key", &key)] {
        let path = cluster.data().join(name);
        std::fs::write(&path, text).unwrap();
        let script = r#"chmod 600 "$0"; [ "$(id -u)" != 0 ] || chown postgres "$0" "#;
        assert!(Command::new("sh").arg("-c").arg(script).arg(&path).status().unwrap().success());
    }
    let rules = "local all all trust\nhostssl all all all trust\n";
    std::fs::write(cluster.data().join("pg_hba.conf"), rules).unwrap();
    let config = cluster.data().join("postgresql.conf");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}\nssl = on\n")).unwrap();
    cluster.run();

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let good = file("good.pem", &authority.pem());
    let other = file("other.pem", &Authority::new().pem());
    let by = |host: &str, tls: Tls| {
        let url = cluster.url().replace("127.0.0.1", host);
        PostgresReplay::open(PostgresOptions::at(&url, tls).unwrap())
    };
    assert_eq!(decide(&by("localhost", Tls::Authorities(good.clone())).unwrap(), 1), Ok(FirstUse::First));
    let wrong = [
        ("another authority", by("localhost", Tls::Authorities(other))),
        ("another name", by("127.0.0.1", Tls::Authorities(good))),
        ("no TLS", by("localhost", Tls::Off)),
    ];
    for (what, result) in wrong {
        assert!(matches!(result, Err(PostgresError::Database(_))), "{what}: {result:?}");
    }
    let empty = file("empty.pem", "");
    assert!(matches!(by("localhost", Tls::Authorities(empty)), Err(PostgresError::Certificates { .. })));
}

#[test]
fn what_is_over_is_deleted_and_what_lives_is_not() {
    let (cluster, schema) = (Cluster::shared(), Cluster::new_schema());
    let store = open(&cluster, &schema);
    for number in 0..500 {
        assert_eq!(ask(&store, &entry(1, number, 900, 1000 + i64::from(number % 2))), Ok(FirstUse::First));
    }
    assert_eq!(ask(&store, &entry(2, 1, 1001, 1100)), Ok(FirstUse::First));
    let count = || cluster.sql(&format!("SELECT count(*) FROM {schema}.replay"));
    let started = Instant::now();
    while count() != "251" {
        assert!(started.elapsed() < Duration::from_mins(1), "{} rows", count());
        std::thread::sleep(Duration::from_millis(100));
    }
    for number in (1..500).step_by(2) {
        assert_eq!(ask(&store, &entry(1, number, 1001, 1001)), Ok(FirstUse::Seen), "{number}");
    }
}

/// Three gateways, ten thousand times the same request.
#[test]
fn attack_22_many_gateways_one_request_one_first() {
    let (cluster, schema) = (Cluster::shared(), Cluster::new_schema());
    let stores: Vec<_> = (0..3)
        .map(|_| {
            let mut options = options(&cluster, &schema);
            options.deadline = Duration::from_mins(1);
            Arc::new(PostgresReplay::open(options).unwrap())
        })
        .collect();
    for round in 0..3 {
        let firsts: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..30)
                .map(|thread| {
                    let store = Arc::clone(&stores[thread % 3]);
                    scope.spawn(move || {
                        let asked = entry(1, round, 900, 1000);
                        (0..100).filter(|_| ask(&*store, &asked) == Ok(FirstUse::First)).count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(firsts, 1, "round {round}");
    }
}

/// An authority that exists for a test.
struct Authority {
    issuer: rcgen::CertifiedIssuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        Self { issuer: rcgen::CertifiedIssuer::self_signed(params, key).unwrap() }
    }

    fn pem(&self) -> String {
        self.issuer.pem()
    }

    fn issue(&self, name: &str) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}
