//! Servers that are stopped, paused, full, emptied, cut off, misconfigured: whatever happens, nothing accepted is
//! accepted again, an answer comes within the deadline, and the store recovers by itself.

mod support;

use std::time::{Duration, Instant};

use countersign_core::replay::{FirstUse, StoreError};
use countersign_core::time::UnixTime;
use countersign_store::conformance::{ask, entry};
use countersign_store_redis::{Address, Beginning, Limits, RedisError, RedisOptions, RedisReplay, Servers};
use support::{Relay, Server, eventually, now, options, request, store};

/// A request of a scheme that accepts nothing before its time, so that a quarantine is over once its margin is.
fn exact(number: u32) -> countersign_core::replay::ReplayEntry {
    let mut entry = request(number, 0);
    entry.since = entry.now;
    entry
}

fn quick(port: u16) -> RedisOptions {
    RedisOptions { clock_margin: Duration::from_secs(1), ..options(port) }
}

/// Asks, and sees to it that the answer comes in time; the slack is the machine's, which others use too.
fn in_time(store: &RedisReplay, entry: &countersign_core::replay::ReplayEntry) -> Result<FirstUse, StoreError> {
    let begun = Instant::now();
    let answer = ask(store, entry);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(10), "an answer took {took:?}: {answer:?}");
    answer
}

/// None of these may be accepted; at least that they are undecided.
fn none_is_first(store: &RedisReplay, numbers: std::ops::Range<u32>, what: &str) {
    for number in numbers {
        let again = in_time(store, &request(number, 1));
        assert_ne!(again, Ok(FirstUse::First), "{what}: request {number} was accepted again");
    }
}

fn all_are_first(store: &RedisReplay, numbers: std::ops::Range<u32>) {
    for number in numbers {
        assert_eq!(in_time(store, &request(number, 0)), Ok(FirstUse::First), "request {number}");
    }
}

fn recovers(store: &RedisReplay, first: u32) {
    let mut number = first;
    eventually("a new request is accepted", || {
        number += 1;
        in_time(store, &exact(number)) == Ok(FirstUse::First)
    });
}

#[test]
fn attack_26_a_server_restarted_empty_accepts_nothing_again() {
    let mut server = Server::start();
    let store = store(&quick(server.port));
    all_are_first(&store, 0..50);
    server.restart();
    none_is_first(&store, 0..50, "restarted empty");
    assert_eq!(
        in_time(&store, &request(1_000, 0)),
        Err(StoreError::Quarantined),
        "signed before the restart, for all we know"
    );
    recovers(&store, 2_000);
    none_is_first(&store, 0..50, "recovered");
}

#[test]
fn attack_26_a_server_restarted_with_its_data_still_knows_it_and_doubts_the_rest() {
    let mut server = Server::durable();
    let store = store(&quick(server.port));
    all_are_first(&store, 0..50);
    server.restart();
    eventually("it is there again", || {
        !matches!(in_time(&store, &request(0, 1)), Err(StoreError::Unavailable(_) | StoreError::TimedOut))
    });
    for number in 0..50 {
        assert_eq!(in_time(&store, &request(number, 1)), Ok(FirstUse::Seen), "request {number}");
    }
    assert_eq!(in_time(&store, &request(1_000, 0)), Err(StoreError::Quarantined));
    recovers(&store, 2_000);
}

#[test]
fn attack_26_an_emptied_server_accepts_nothing_again() {
    let server = Server::start();
    let store = store(&quick(server.port));
    assert_eq!(in_time(&store, &request(99, 0)), Ok(FirstUse::First), "it was vouched for");
    for (round, how) in (0..).zip([
        &["FLUSHALL"][..],
        &["DEL", "countersign:{countersign0}"],
        &["DEL", "countersign:{countersign0}:e"],
    ]) {
        let first = 100 * round;
        recovers(&store, 10_000 * (round + 1));
        for number in first..first + 20 {
            assert_eq!(in_time(&store, &exact(number)), Ok(FirstUse::First));
        }
        server.ask(how);
        for number in first..first + 20 {
            let mut again = exact(number);
            again.since = UnixTime::from_secs(now() - 60);
            assert_ne!(in_time(&store, &again), Ok(FirstUse::First), "{how:?}: request {number}");
        }
    }
}

#[test]
fn attack_26_who_starts_over_an_empty_server_does_not_believe_that_it_is_new() {
    let server = Server::start();
    let store = store(&RedisOptions { vouched_new: false, ..quick(server.port) });
    assert_eq!(in_time(&store, &request(1, 0)), Err(StoreError::Quarantined));
    recovers(&store, 100);
}

#[test]
fn whoever_vouches_for_a_store_is_told_what_was_found() {
    let mut server = Server::durable();
    let vouched = || store(&quick(server.port)).beginning();
    assert_eq!(vouched(), Some(Beginning::New));
    assert_eq!(vouched(), Some(Beginning::Known));
    let not_vouched = RedisOptions { vouched_new: false, ..quick(server.port) };
    assert_eq!(store(&not_vouched).beginning(), None);
    let before = now();
    server.restart();
    let again = store(&quick(server.port)).beginning();
    assert!(matches!(again, Some(Beginning::Doubted(until)) if until.secs() > before), "{again:?}");
    server.kill();
    assert_eq!(store(&quick(server.port)).beginning(), None);
}

/// With its first replica a server begins another history, which would make the new store a doubted one.
#[test]
fn a_store_does_not_begin_before_its_replicas_are_there() {
    let master = Server::start();
    let options = RedisOptions { replicas: 1, deadline: Duration::from_secs(10), ..quick(master.port) };
    let refused = RedisReplay::start(options.clone()).unwrap_err();
    assert!(matches!(refused, RedisError::Replicas { has: 0, wanted: 1, .. }), "{refused}");
    let _replica = Server::replica_of(master.port);
    eventually("the replica follows", || master.info("slave0").contains("state=online"));
    let begun = store(&options);
    assert_eq!(begun.beginning(), Some(Beginning::New), "nothing was written when it was refused");
    assert_eq!(ask(&begun, &request(1, 0)), Ok(FirstUse::First));
}

#[test]
fn attack_26_a_server_with_its_first_replica_is_doubted() {
    let server = Server::start();
    let store = store(&RedisOptions { deadline: Duration::from_secs(5), ..quick(server.port) });
    all_are_first(&store, 0..20);
    let _replica = Server::replica_of(server.port);
    eventually("the replica follows", || server.info("slave0").contains("state=online"));
    assert_eq!(in_time(&store, &request(1_000, 0)), Err(StoreError::Quarantined), "another history");
    for number in 0..20 {
        assert_eq!(in_time(&store, &request(number, 1)), Ok(FirstUse::Seen), "request {number}");
    }
    recovers(&store, 2_000);
}

/// It begins another history once its last replica has been gone for `repl-backlog-ttl`, and keeps nothing by which that
/// could be told from a promotion. Where that is 0 it never does.
#[test]
fn a_server_whose_replicas_are_long_gone_is_doubted_unless_it_keeps_its_backlog() {
    let begin = |ttl: &str| {
        let server = Server::with(&["--save", "", "--repl-backlog-ttl", ttl]);
        let replica = Server::replica_of(server.port);
        eventually("the replica follows", || server.info("slave0").contains("state=online"));
        let store = store(&RedisOptions { deadline: Duration::from_secs(5), ..quick(server.port) });
        assert_eq!(in_time(&store, &request(1, 0)), Ok(FirstUse::First));
        let history = server.info("master_replid");
        drop(replica);
        (server, store, history)
    };
    let (kept, of_kept, its_history) = begin("0");
    let (freed, of_freed, history) = begin("1");
    eventually("it begins another history", || freed.info("master_replid") != history);
    assert_eq!(freed.info("master_replid2").trim_matches('0'), "", "the old one is forgotten");
    assert_eq!(in_time(&of_freed, &request(2, 0)), Err(StoreError::Quarantined));
    assert_eq!(kept.info("master_replid"), its_history);
    assert_eq!(in_time(&of_kept, &request(2, 0)), Ok(FirstUse::First));
}

#[test]
fn a_stopped_server_is_undecided_in_time_and_back_when_it_is_back() {
    let mut server = Server::durable();
    let store = store(&quick(server.port));
    all_are_first(&store, 0..50);
    server.kill();
    for number in 0..200 {
        let answer = in_time(&store, &request(number, 1));
        assert!(matches!(answer, Err(StoreError::Unavailable(_) | StoreError::TimedOut)), "{answer:?}");
    }
    server.restart();
    recovers(&store, 1_000);
    none_is_first(&store, 0..50, "back");
}

#[test]
fn a_paused_server_is_undecided_in_time_and_decides_each_request_once() {
    let server = Server::start();
    let store = store(&quick(server.port));
    all_are_first(&store, 0..50);
    server.signal("STOP");
    let mut firsts = [0; 100];
    for number in 0..100 {
        let answer = in_time(&store, &request(number, 1));
        assert!(matches!(answer, Err(StoreError::Unavailable(_) | StoreError::TimedOut)), "{answer:?}");
    }
    server.signal("CONT");
    recovers(&store, 1_000);
    none_is_first(&store, 0..50, "continued");
    for _ in 0..3 {
        for number in 50..100 {
            firsts[number as usize] += u32::from(in_time(&store, &request(number, 1)) == Ok(FirstUse::First));
        }
    }
    assert!(firsts.iter().all(|firsts| *firsts <= 1), "{firsts:?}");
}

/// Asks until there is no room any more, and says how many were accepted. A server may have room for one more when its
/// buffers have shrunk, so it has to say so several times.
fn fill(store: &RedisReplay, request: impl Fn(u32) -> countersign_core::replay::ReplayEntry) -> u32 {
    let (mut accepted, mut refused) = (0, 0);
    while refused < 5 {
        match in_time(store, &request(accepted)) {
            Ok(FirstUse::First) => accepted += 1,
            Err(StoreError::Full) => refused += 1,
            other => panic!("request {accepted}: {other:?}"),
        }
    }
    accepted
}

#[test]
fn attack_25_a_server_out_of_memory_is_full_and_forgets_nothing() {
    let server = Server::start();
    let store = store(&quick(server.port));
    let used: usize = server.info("used_memory").parse().unwrap();
    server.ask(&["CONFIG", "SET", "maxmemory", &(used + 1_000_000).to_string()]);
    let accepted = fill(&store, |number| request(number, 0));
    assert!((1_000..100_000).contains(&accepted), "{accepted}");
    none_is_first(&store, 0..accepted, "full");
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(
        in_time(&store, &request(accepted, 0)),
        Ok(FirstUse::First),
        "what could not be decided burns nothing"
    );
    for number in 0..accepted {
        assert_eq!(in_time(&store, &request(number, 1)), Ok(FirstUse::Seen), "request {number}");
    }
}

#[test]
fn memory_full_of_what_is_over_is_freed_when_it_is_needed() {
    let server = Server::start();
    let store = store(&quick(server.port));
    let used: usize = server.info("used_memory").parse().unwrap();
    server.ask(&["CONFIG", "SET", "maxmemory", &(used + 1_500_000).to_string()]);
    let held = fill(&store, |number| entry(1, number, 1_000, 1_100));
    let more = fill(&store, |number| entry(3, number, 1_100, 1_200));
    assert!(more < held / 10, "{more} of {held} were freed while they lived");
    for later in 0..1_000 {
        assert_eq!(ask(&store, &entry(2, later, 1_101, 1_200)), Ok(FirstUse::First), "request {later}");
    }
}

#[test]
fn what_is_over_does_not_stay() {
    let server = Server::start();
    let store = store(&quick(server.port));
    for round in 0..20 {
        for number in 0..200 {
            let now = 1_000 + 10 * i64::from(round);
            assert_eq!(ask(&store, &entry(number % 3, round * 200 + number, now, now + 5)), Ok(FirstUse::First));
        }
    }
    let kept: u32 = server.ask(&["HLEN", "countersign:{countersign0}:e"]).parse().unwrap();
    assert!((200..=600).contains(&kept), "{kept} entries are kept of 200 that live");
    let keys: u32 = server.ask(&["DBSIZE"]).parse().unwrap();
    assert!(keys < 15, "{keys}");
    assert_eq!(server.ask(&["HGET", "countersign:{countersign0}", "live"]), "200");
}

#[test]
fn attack_25_a_server_that_may_evict_is_refused() {
    for policy in ["allkeys-lru", "volatile-lru", "allkeys-random", "volatile-ttl"] {
        for memory in ["0", "100mb"] {
            let server = Server::with(&["--save", "", "--maxmemory-policy", policy, "--maxmemory", memory]);
            let refused = RedisReplay::start(options(server.port)).unwrap_err();
            assert!(matches!(&refused, RedisError::Evicts { policy: told, .. } if told == policy), "{refused}");
        }
    }
}

#[test]
fn attack_25_a_server_that_begins_to_evict_is_not_used_any_more() {
    let server = Server::start();
    let store = store(&quick(server.port));
    all_are_first(&store, 0..20);
    server.ask(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    let mut number = 1_000;
    eventually("it is noticed", || {
        number += 1;
        matches!(in_time(&store, &request(number, 0)), Err(StoreError::Unavailable(why)) if why.contains("evicts"))
    });
    server.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    recovers(&store, 10_000);
    none_is_first(&store, 0..20, "evicting");
}

#[test]
fn a_server_that_is_away_at_the_start_may_come_later() {
    let mut server = Server::start();
    server.kill();
    for _ in 0..50 {
        let refusal = store(&quick(server.port)).refusal();
        assert!(matches!(refusal, Some(StoreError::Unavailable(_))), "known as soon as it is started: {refusal:?}");
    }
    let store = store(&quick(server.port));
    let answer = in_time(&store, &request(1, 0));
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    server.restart();
    recovers(&store, 100);
}

#[test]
fn a_silent_network_is_undecided_in_time_and_heals() {
    let server = Server::start();
    let relay = Relay::to(server.port);
    let store = store(&quick(relay.port));
    all_are_first(&store, 0..20);
    relay.drop_everything();
    for number in 0..100 {
        let answer = in_time(&store, &request(number, 1));
        assert!(matches!(answer, Err(StoreError::Unavailable(_) | StoreError::TimedOut)), "{answer:?}");
    }
    relay.heal();
    recovers(&store, 1_000);
    none_is_first(&store, 0..20, "healed");
}

#[test]
fn a_question_whose_answer_was_lost_is_put_again_and_is_no_replay() {
    let server = Server::start();
    let relay = Relay::to(server.port);
    let store = store(&RedisOptions { deadline: Duration::from_secs(30), ..options(relay.port) });
    for number in 0..20 {
        relay.drop_answers();
        let answer = std::thread::scope(|scope| {
            let asking = scope.spawn(|| ask(&store, &request(number, 0)));
            eventually("the entry is there", || {
                server.ask(&["HLEN", "countersign:{countersign0}:e"]) == (number + 1).to_string()
            });
            relay.heal();
            asking.join().unwrap()
        });
        assert_eq!(answer, Ok(FirstUse::First), "a genuine request was taken for a replay, or given up");
        assert_eq!(ask(&store, &request(number, 0)), Ok(FirstUse::Seen));
    }
}

#[test]
fn a_server_that_forgot_the_scripts_is_told_them_again() {
    let server = Server::start();
    let store = store(&options(server.port));
    for number in 0..10 {
        assert_eq!(ask(&store, &request(number, 0)), Ok(FirstUse::First));
        server.ask(&["SCRIPT", "FLUSH"]);
    }
    none_is_first(&store, 0..10, "flushed");
}

#[test]
fn a_replica_is_not_written_to_and_not_believed() {
    let master = Server::start();
    let replica = Server::replica_of(master.port);
    let store = store(&options(replica.port));
    let answer = in_time(&store, &request(1, 0));
    assert!(matches!(&answer, Err(StoreError::Unavailable(why)) if why.contains("replica")), "{answer:?}");
}

#[test]
fn attack_26_a_master_that_becomes_a_replica_and_a_master_again_is_doubted() {
    let (server, other) = (Server::start(), Server::start());
    let store = store(&quick(server.port));
    all_are_first(&store, 0..20);
    server.ask(&["REPLICAOF", "127.0.0.1", &other.port.to_string()]);
    eventually("it has the other's data", || server.info("master_link_status") == "up");
    server.ask(&["REPLICAOF", "NO", "ONE"]);
    none_is_first(&store, 0..20, "promoted");
    recovers(&store, 1_000);
    none_is_first(&store, 0..20, "recovered");
}

#[test]
fn prefixes_are_stores_of_their_own_and_one_prefix_is_one_store() {
    let server = Server::start();
    let with = |prefix: &str| store(&RedisOptions { prefix: prefix.to_owned(), ..options(server.port) });
    let (a, b, a_too) = (with("a"), with("b"), with("a"));
    assert_eq!(ask(&a, &request(1, 0)), Ok(FirstUse::First));
    assert_eq!(ask(&b, &request(1, 0)), Ok(FirstUse::First));
    assert_eq!(ask(&a_too, &request(1, 0)), Ok(FirstUse::Seen));
}

#[test]
fn limits_hold_over_all_gateways() {
    let server = Server::start();
    let limits = Limits { entries: 100, entries_per_key: 10 };
    let gateways: Vec<_> = (0..3).map(|_| store(&RedisOptions { limits, ..options(server.port) })).collect();
    for number in 0..10 {
        assert_eq!(ask(&gateways[number as usize % 3], &request(number, 0)), Ok(FirstUse::First));
    }
    for gateway in &gateways {
        assert_eq!(ask(gateway, &request(10, 0)), Err(StoreError::KeyQuota));
    }
}

#[test]
fn what_is_not_a_server_is_away() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let store = store(&RedisOptions::at(Servers::Single(Address::new("127.0.0.1", port))));
    let answer = in_time(&store, &request(1, 0));
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
}
