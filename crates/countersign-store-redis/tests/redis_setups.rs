//! The ways in which servers are set up: sentinels, a cluster, TLS, ACL users, Valkey.

mod support;

use std::time::Duration;

use countersign_core::key::Secret;
use countersign_core::replay::{FirstUse, StoreError};
use countersign_store::conformance::ask;
use countersign_store_redis::{Address, Login, RedisError, RedisOptions, RedisReplay, Servers, Tls};
use support::{Cluster, Server, cluster, eventually, options, request, store};

fn at(port: u16) -> Address {
    Address::new("127.0.0.1", port)
}

fn login(user: &str, password: &str) -> Login {
    Login { user: Some(user.to_owned()), password: Secret::new(password.as_bytes()) }
}

/// A request that no quarantine holds back for longer than the margin.
fn exact(number: u32) -> countersign_core::replay::ReplayEntry {
    let mut entry = request(number, 0);
    entry.since = entry.now;
    entry
}

fn recovers(store: &RedisReplay, first: u32) -> Duration {
    let mut number = first;
    eventually("a new request is accepted", || {
        number += 1;
        ask(store, &exact(number)) == Ok(FirstUse::First)
    })
}

#[test]
fn attack_26_sentinels_name_the_new_master_and_nothing_is_accepted_again() {
    let mut master = Server::start();
    let replica = Server::replica_of(master.port);
    eventually("the replica follows", || {
        replica.info("master_link_status") == "up" && master.info("slave0").contains("state=online")
    });
    let sentinels: Vec<Server> = (0..3).map(|_| Server::with(&["--sentinel"])).collect();
    let master_port = master.port.to_string();
    for sentinel in &sentinels {
        assert_eq!(sentinel.ask(&["SENTINEL", "MONITOR", "replay", "127.0.0.1", &master_port, "2"]), "OK");
        for (name, value) in [("down-after-milliseconds", "500"), ("failover-timeout", "3000")] {
            assert_eq!(sentinel.ask(&["SENTINEL", "SET", "replay", name, value]), "OK");
        }
    }
    eventually("the sentinels know each other and the replica", || {
        sentinels.iter().all(|sentinel| {
            let said = sentinel.info("master0");
            said.contains("slaves=1") && said.contains("sentinels=3")
        })
    });
    let servers = Servers::Sentinel {
        sentinels: sentinels.iter().map(|sentinel| at(sentinel.port)).collect(),
        master: "replay".to_owned(),
        login: None,
    };
    let options = RedisOptions { servers, clock_margin: Duration::from_secs(1), ..options(0) };
    let gateways: Vec<RedisReplay> = (0..2).map(|_| store(&options)).collect();
    for number in 0..100 {
        assert_eq!(ask(&gateways[0], &request(number, 0)), Ok(FirstUse::First));
    }
    master.kill();
    let mut undecided = 0;
    eventually("the replica is the master", || {
        let answer = ask(&gateways[1], &request(1, 1));
        assert_ne!(answer, Ok(FirstUse::First));
        undecided += u32::from(matches!(answer, Err(StoreError::Unavailable(_) | StoreError::TimedOut)));
        replica.info("role") == "master"
    });
    let away = recovers(&gateways[1], 1_000);
    for number in 0..100 {
        assert_ne!(ask(&gateways[0], &request(number, 1)), Ok(FirstUse::First), "request {number}");
    }
    eprintln!(
        "sentinel: {undecided} requests not decided until the promotion, {away:.2?} from then to the first accepted"
    );
}

#[test]
fn attack_26_a_cluster_shares_the_work_and_a_failover_accepts_nothing_again() {
    let cluster = Cluster::with_replicas();
    let servers = cluster.servers();
    let mut nodes = cluster.nodes;
    let options = RedisOptions { servers, clock_margin: Duration::from_secs(1), ..options(0) };
    let gateways: Vec<RedisReplay> = (0..2).map(|_| store(&options)).collect();
    for number in 0..300 {
        assert_eq!(ask(&gateways[number as usize % 2], &request(number, 0)), Ok(FirstUse::First), "request {number}");
    }
    for number in 0..300 {
        assert_eq!(ask(&gateways[(number as usize + 1) % 2], &request(number, 0)), Ok(FirstUse::Seen));
    }
    let busy = nodes[..3].iter().filter(|node| node.ask(&["DBSIZE"]) != "0").count();
    assert_eq!(busy, 3, "each master has some of the shards");
    nodes[0].kill();
    let (mut decided, mut undecided) = (0, 0);
    eventually("another has its slots", || {
        for number in 0..20 {
            let answer = ask(&gateways[0], &request(number, 1));
            assert_ne!(answer, Ok(FirstUse::First));
            match answer {
                Ok(_) => decided += 1,
                Err(_) => undecided += 1,
            }
        }
        nodes[3].info("role") == "master" && cluster::says(&nodes[3], "cluster_state:ok")
    });
    assert!(decided > 0, "the shards of the other masters were decided meanwhile");
    let mut accepted = 0;
    eventually("all shards accept", || {
        accepted += 50;
        (0..50).all(|number| ask(&gateways[1], &exact(10_000 + accepted + number)) == Ok(FirstUse::First))
    });
    for number in 0..300 {
        assert_ne!(ask(&gateways[0], &request(number, 1)), Ok(FirstUse::First), "request {number}");
    }
    eprintln!("cluster: while a master was away {decided} decided, {undecided} not");
}

#[test]
fn a_node_of_a_cluster_is_told_from_a_server_of_its_own() {
    let node = cluster::node();
    let refused = RedisReplay::start(options(node.port)).unwrap_err();
    assert!(matches!(refused, RedisError::Cluster { clustered: true, .. }), "{refused}");
}

/// The commands that docs/redis.md lists, and no others.
#[test]
fn a_user_with_the_documented_rights_and_no_others_is_enough() {
    let documentation = include_str!("../../../docs/redis.md");
    let rule =
        documentation.lines().find_map(|line| line.strip_prefix("ACL SETUSER countersign ")).expect("the rule");
    let server = Server::start();
    let words: Vec<&str> = ["ACL", "SETUSER", "countersign"].into_iter().chain(rule.split(' ')).collect();
    assert_eq!(server.ask(&words), "OK");
    server.ask(&["ACL", "SETUSER", "default", "off"]);
    let password = rule.split(' ').find_map(|word| word.strip_prefix('>')).expect("a password");
    let right = RedisOptions { login: Some(login("countersign", password)), ..options(server.port) };
    let store = store(&RedisOptions { replicas: 0, ..right.clone() });
    assert_eq!(ask(&store, &request(1, 0)), Ok(FirstUse::First));
    assert_eq!(ask(&store, &request(1, 0)), Ok(FirstUse::Seen));
    for login in [Some(login("countersign", "wrong")), None] {
        let refused = RedisReplay::start(RedisOptions { login, ..right.clone() }).unwrap_err();
        assert!(matches!(refused, RedisError::Forbidden { .. }), "{refused}");
        assert!(!refused.to_string().contains(password));
    }
    let elsewhere = RedisOptions { prefix: "elsewhere".to_owned(), ..right };
    let refused = RedisReplay::start(elsewhere).unwrap_err();
    assert!(matches!(refused, RedisError::Forbidden { .. }), "{refused}");
}

#[test]
fn attack_35_a_password_is_in_no_message_about_options() {
    let options = RedisOptions { login: Some(login("countersign", "canary-canary")), ..options(1) };
    assert!(!format!("{options:?}").contains("canary"));
}

/// An authority and a certificate for 127.0.0.1, as PEM: authority, certificate, key.
fn certificates() -> (String, String, String) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "authority");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(params, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, "server");
    let certificate = params.signed_by(&key, &issuer).unwrap();
    (authority.pem(), certificate.pem(), key.serialize_pem())
}

#[test]
fn tls_with_the_right_authority_works_and_with_another_does_not() {
    if !Server::speaks_tls() {
        eprintln!("skipped: the server that COUNTERSIGN_REDIS_SERVER names was built without TLS");
        return;
    }
    let (authority, certificate, key) = certificates();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (ca, crt, pem) = (file("ca", &authority), file("crt", &certificate), file("key", &key));
    let files = ["--tls-ca-cert-file", &ca, "--tls-cert-file", &crt, "--tls-key-file", &pem];
    let server = Server::with(&[&["--save", "", "--tls-port", "PORT"][..], &files[..]].concat());
    let client = Some((certificate.into_bytes(), Secret::new(key.into_bytes())));
    let tls = Tls { authorities: Some(authority.into_bytes()), client };
    let with = |tls: Tls| RedisOptions { tls: Some(tls), deadline: Duration::from_secs(5), ..options(server.port) };
    let trusted = store(&with(tls.clone()));
    assert_eq!(ask(&trusted, &request(1, 0)), Ok(FirstUse::First));
    assert_eq!(ask(&trusted, &request(1, 0)), Ok(FirstUse::Seen));
    let (other, ..) = certificates();
    for wrong in [
        Tls { authorities: Some(other.into_bytes()), ..tls.clone() },
        Tls { client: None, ..tls.clone() },
        Tls { authorities: None, ..tls },
    ] {
        let store = store(&with(wrong));
        let answer = ask(&store, &request(2, 0));
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    }
    let plain = store(&options(server.port));
    assert!(matches!(ask(&plain, &request(2, 0)), Err(StoreError::Unavailable(_))), "TLS is not left out by itself");
    let nonsense = Tls {
        authorities: Some(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----".to_vec()),
        client: None,
    };
    assert!(matches!(RedisReplay::start(with(nonsense)), Err(RedisError::Tls(_))));
}
