//! Three gateways and one Redis, as processes: each request is accepted once by all of them together, and an outage is
//! an answer of its own that ends by itself.
//!
//! `COUNTERSIGN_ROUNDS=100 cargo test -p countersign-cli --test shared` makes a hundred rounds of ten thousand identical
//! requests.

mod live;
#[path = "../../countersign-store-redis/tests/support/mod.rs"]
mod redis;

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use live::signing::{API, APP, SHARED, Transfer};
use live::{Connection, Finished, Gateway, Held, Response, Upstream, add_key, countersign, now};
use redis::{Server, eventually, rounds};

/// Gateways, each with a folder of its own, in front of one upstream.
struct Sites {
    upstream: Upstream,
    gateways: Vec<Gateway>,
    folders: Vec<tempfile::TempDir>,
}

impl Sites {
    /// `store` is the rest of `[store]`, `route` the rest of the route.
    fn start(count: usize, store: &str, route: &str, held: &Held) -> Self {
        let upstream = Upstream::start();
        let routes = API.replace("{upstream}", &upstream.url());
        let folders: Vec<_> = (0..count).map(|_| tempfile::tempdir().unwrap()).collect();
        for folder in &folders {
            let text = format!(
                "[server]\nlisten = \"127.0.0.1:0\"\nworkers = 2\nheader-timeout = \"10m\"\nbody-timeout = \"10m\"\n\
                 gateways = {count}\n[store]\n\
                 path = \"store\"\nkind = \"redis\"\n[store.redis]\n{store}\n{routes}{route}"
            );
            std::fs::write(folder.path().join("gateway.toml"), text).unwrap();
            add_key(folder.path(), APP, SHARED);
        }
        let gateways = folders.iter().map(|folder| Gateway::start(folder.path(), held)).collect();
        Self { upstream, gateways, folders }
    }

    fn send(&self, gateway: usize, wire: &[u8]) -> Response {
        let mut connection = Connection::to(self.gateways[gateway % self.gateways.len()].addr());
        connection.write(wire);
        connection.read()
    }
}

/// A store in which a request waits for as long as this machine may take.
fn patient(port: u16) -> String {
    format!("addresses = [\"127.0.0.1:{port}\"]\ndeadline = \"50s\"")
}

fn quick(port: u16) -> String {
    format!("addresses = [\"127.0.0.1:{port}\"]\nclock-margin = \"1s\"")
}

/// Vouches that a server is new, with whatever is needed to reach it.
fn init(store: &str) {
    let done = try_init(store);
    assert_eq!(done.status, 0, "{done}");
}

fn try_init(store: &str) -> Finished {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gateway.toml");
    let server = "[server]\nlisten = \"127.0.0.1:0\"\n[store]\nkind = \"redis\"\n[store.redis]\n";
    std::fs::write(&config, format!("{server}{store}\n{}", API.replace("{upstream}", "http://127.0.0.1:1"))).unwrap();
    countersign(["store", "init", "-c", config.to_str().unwrap()])
}

const REQUESTS: usize = 10_000;
const CONNECTIONS: usize = 300;
const THREADS: usize = 10;

/// Sends one request ten thousand times, over three gateways at once, and counts the answers.
fn flood(sites: &Sites, wire: &[u8]) -> BTreeMap<(u16, String), usize> {
    let (most, last) = wire.split_at(wire.len() - 1);
    let ready = Barrier::new(THREADS);
    let answers = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let ready = &ready;
                scope.spawn(move || {
                    let numbers = (thread * CONNECTIONS / THREADS..).take(CONNECTIONS / THREADS);
                    let mut connections: Vec<_> = numbers
                        .map(|number| {
                            let copies = REQUESTS / CONNECTIONS + usize::from(number < REQUESTS % CONNECTIONS);
                            (Connection::to(sites.gateways[number % sites.gateways.len()].addr()), copies)
                        })
                        .collect();
                    for (connection, _) in &mut connections {
                        connection.write(most);
                    }
                    ready.wait();
                    for (connection, copies) in &mut connections {
                        connection.write(&[last, &wire.repeat(*copies - 1)].concat());
                    }
                    let read = |(mut connection, copies): (Connection, usize)| {
                        (0..copies).map(move |_| connection.read().verdict())
                    };
                    connections.into_iter().flat_map(read).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer).or_insert(0) += 1;
    }
    counts
}

#[test]
fn attack_22_of_ten_thousand_identical_requests_over_three_gateways_one_is_accepted() {
    let server = Server::start();
    init(&patient(server.port));
    let sites = Sites::start(3, &patient(server.port), "", &Held::default());
    let one = BTreeMap::from([((200, String::new()), 1), ((401, "request-repeated".to_owned()), REQUESTS - 1)]);
    let rounds = rounds(3);
    for round in 0..rounds {
        if round % 10 == 9 {
            eprintln!("{round} rounds, each accepted once");
        }
        assert_eq!(flood(&sites, &Transfer::new(&format!("flood-{round}"), now()).wire()), one, "round {round}");
    }
    assert_eq!(sites.upstream.count(), rounds as usize);
    eprintln!("torture: {rounds} rounds of {REQUESTS} identical requests over three gateways: one accepted in each");
}

#[test]
fn attack_27_what_one_gateway_accepted_the_others_refuse() {
    let server = Server::start();
    init(&quick(server.port));
    let sites = Sites::start(3, &quick(server.port), "", &Held::default());
    for first in 0..3 {
        let wire = Transfer::new(&format!("once-{first}"), now()).wire();
        assert_eq!(sites.send(first, &wire).status(), 200);
        for other in 0..3 {
            assert_eq!(sites.send(other, &wire).verdict(), (401, "request-repeated".to_owned()));
        }
    }
    assert_eq!(sites.upstream.count(), 3);
}

/// Undecided, in time, and told when to come again.
fn undecided(answer: &Response, begun: Instant) {
    assert_eq!(answer.verdict(), (503, "not-decided".to_owned()));
    assert!(answer.head.to_lowercase().contains("retry-after: 1"), "{}", answer.head);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn while_redis_is_stopped_paused_or_emptied_nothing_is_accepted_again_and_the_gateways_recover() {
    let mut server = Server::durable();
    init(&quick(server.port));
    let sites = Sites::start(2, &quick(server.port), "", &Held::default());
    let accepted: Vec<Vec<u8>> = (0..10).map(|number| Transfer::new(&format!("a-{number}"), now()).wire()).collect();
    for (gateway, wire) in accepted.iter().enumerate() {
        assert_eq!(sites.send(gateway, wire).status(), 200);
    }
    let none_again = |what: &str| {
        for (gateway, wire) in accepted.iter().enumerate() {
            assert_ne!(sites.send(gateway + 1, wire).status(), 200, "{what}");
        }
    };
    let away = |what: &str| {
        for turn in 0..6 {
            let begun = Instant::now();
            undecided(&sites.send(turn, &Transfer::new(&format!("{what}-{turn}"), now()).wire()), begun);
        }
        none_again(what);
    };
    server.signal("STOP");
    away("paused");
    server.signal("CONT");
    let mut number = 0;
    let mut accepts_again = || {
        eventually("requests are accepted", || {
            number += 1;
            (0..2).all(|gateway| {
                sites.send(gateway, &Transfer::new(&format!("n-{number}-{gateway}"), now()).wire()).status() == 200
            })
        });
    };
    accepts_again();
    none_again("continued");
    server.kill();
    away("stopped");
    server.restart();
    none_again("restarted");
    server.ask(&["FLUSHALL"]);
    none_again("emptied");
    let begun = Instant::now();
    undecided(&sites.send(0, &Transfer::new("signed before the loss, for all anybody knows", now()).wire()), begun);
}

/// Not even sometimes: the answer must not be faster than the first attempt to connect.
#[test]
fn a_store_whose_server_is_away_is_not_told_to_be_ready() {
    let mut server = Server::start();
    server.kill();
    for _ in 0..10 {
        let done = try_init(&quick(server.port));
        assert_eq!((done.status, done.stdout.as_str()), (2, ""), "{done}");
        assert!(done.stderr.contains("hint: start the server"), "{done}");
    }
}

#[test]
fn a_server_that_may_evict_keeps_the_gateway_from_starting() {
    let server = Server::with(&["--save", "", "--maxmemory-policy", "allkeys-lru"]);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gateway.toml");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[store]\nkind = \"redis\"\n[store.redis]\n{}\n",
        quick(server.port)
    );
    std::fs::write(&config, text + &API.replace("{upstream}", "http://127.0.0.1:1")).unwrap();
    let done = countersign(["serve", "-c", config.to_str().unwrap()]);
    assert_eq!(done.status, 2, "{done}");
    let told = done.to_string();
    assert!(told.contains("evicts keys") && told.contains("hint: set `maxmemory-policy noeviction`"), "{told}");
}

#[test]
fn attack_35_the_password_comes_from_a_file_the_environment_or_a_command_and_is_told_to_nobody() {
    const PASSWORD: &str = "canary-in-the-redis-store";
    let server = Server::start();
    server.ask(&["CONFIG", "SET", "requirepass", PASSWORD]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    live::write_secret(&file, &format!("{PASSWORD}\n"));
    let by_file = format!("password-file = \"{}\"", file.display());
    let by_command = format!("password-command = [\"cat\", \"{}\"]", file.display());
    let held = Held { before: "export REDIS_PASSWORD=canary-in-the-redis-store RUST_LOG=trace", ..Held::default() };
    init(&format!("{}\n{by_file}", quick(server.port)));
    for source in [by_file.as_str(), &by_command, "password-env = \"REDIS_PASSWORD\""] {
        let sites = Sites::start(1, &format!("{}\n{source}", quick(server.port)), "", &held);
        assert_eq!(sites.send(0, &Transfer::new(&format!("by {}", source.len()), now()).wire()).status(), 200);
        let log = sites.gateways[0].log();
        assert!(!log.is_empty() && !log.contains("canary"), "{log}");
    }
    std::fs::write(&file, "canary-but-wrong").unwrap();
    let config = folder.path().join("gateway.toml");
    for (source, told) in [
        (by_file.as_str(), "refuses"),
        ("password-env = \"NO_SUCH_VARIABLE\"", "NO_SUCH_VARIABLE"),
        ("password-command = [\"false\"]", "`false` failed"),
        ("password-file = \"missing\"", "missing cannot be read"),
    ] {
        let store = format!("{}\n{source}", quick(server.port));
        let text = format!("[server]\nlisten = \"127.0.0.1:0\"\n[store]\nkind = \"redis\"\n[store.redis]\n{store}\n");
        std::fs::write(&config, text + &API.replace("{upstream}", "http://127.0.0.1:1")).unwrap();
        let done = countersign(["serve", "-c", config.to_str().unwrap()]);
        let said = done.to_string();
        assert!(done.status == 2 && said.contains(told) && !said.contains("canary"), "{said}");
    }
}

#[test]
fn a_gateway_that_is_the_only_one_may_fall_back_to_its_journal() {
    let mut server = Server::start();
    init(&quick(server.port));
    let mut sites = Sites::start(1, &quick(server.port), "fallback = \"local\"\n", &Held::default());
    let wire = Transfer::new("before", now()).wire();
    assert_eq!(sites.send(0, &wire).status(), 200);
    server.kill();
    assert_eq!(sites.send(0, &wire).verdict(), (401, "request-repeated".to_owned()));
    // What was signed before the gateway began may be known to Redis alone.
    let begun = Instant::now();
    undecided(&sites.send(0, &Transfer::new("old enough", now()).wire()), begun);
    sites.gateways[0].kill();
    sites.gateways[0] = Gateway::start(sites.folders[0].path(), &Held::default());
    assert_eq!(sites.send(0, &wire).verdict(), (401, "request-repeated".to_owned()), "the journal knows it");
}

#[test]
fn attack_22_what_was_accepted_by_falling_back_is_refused_by_routes_that_do_not_fall_back() {
    let server = Server::start();
    init(&quick(server.port));
    // The scheme leaves the method unsigned, so one request serves both routes.
    let second = API.replace("[[route]]", "[[route]]\nmethods = [\"PUT\"]");
    let routes = |upstream: &str| {
        format!("methods = [\"POST\"]\nfallback = \"local\"\n{}", second.replace("{upstream}", upstream))
    };
    let mut sites = Sites::start(1, &quick(server.port), &routes("http://127.0.0.1:1"), &Held::default());
    let put = |wire: &[u8]| [b"PUT", wire.strip_prefix(b"POST").unwrap()].concat();
    server.signal("STOP");
    // As far ahead as the scheme lets clocks be, so that half a minute (the margin for clocks that step) after the gateway
    // began it could not have been accepted before.
    let mut number = 0;
    let mut wire = Vec::new();
    eventually("the gateway falls back", || {
        number += 1;
        thread::sleep(Duration::from_millis(300));
        wire = Transfer::new(&format!("alone-{number}"), now() + 598).wire();
        sites.send(0, &wire).status() == 200
    });
    let begun = Instant::now();
    undecided(&sites.send(0, &put(&Transfer::new("the other does not", now() + 598).wire())), begun);
    server.signal("CONT");
    eventually("the other route decides again", || {
        number += 1;
        sites.send(0, &put(&Transfer::new(&format!("back-{number}"), now() + 598).wire())).status() == 502
    });
    assert_eq!(sites.send(0, &put(&wire)).verdict(), (401, "request-repeated".to_owned()));
    // Nor does the journal forget it where no route falls back any more.
    let config = sites.folders[0].path().join("gateway.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("fallback = \"local\"\n", "")).unwrap();
    sites.gateways[0].stop();
    sites.gateways[0] = Gateway::start(sites.folders[0].path(), &Held::default());
    assert_eq!(sites.send(0, &put(&wire)).verdict(), (401, "request-repeated".to_owned()));
    assert_eq!(sites.send(0, &wire).verdict(), (401, "request-repeated".to_owned()));
}
