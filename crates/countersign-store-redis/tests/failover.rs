//! A replica that is cut off from its master is promoted, under load from three gateways: nothing that was accepted is
//! accepted again. What that costs in availability is printed.
//!
//! `COUNTERSIGN_ROUNDS=100 cargo test -p countersign-store-redis --test failover -- --nocapture` prints the tally.

mod support;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use countersign_core::replay::{FirstUse, ReplayEntry, StoreError};
use countersign_core::time::UnixTime;
use countersign_store::conformance::ask;
use countersign_store_redis::{RedisOptions, RedisReplay};
use support::{Relay, Server, eventually, now, options, request, rounds, store};

/// What a round, or all of them, came to.
#[derive(Debug, Default)]
struct Tally {
    accepted: usize,
    undecided: usize,
    replays: usize,
    accepted_again: usize,
    seen: usize,
    doubted: usize,
    /// From the promotion to the first request that was accepted.
    away: Vec<Duration>,
}

/// A master, a replica that reaches it through a network of the test's, and gateways that reach whoever is the master.
struct Setup {
    master: Server,
    replica: Server,
    between: Relay,
    to_master: Relay,
    gateways: Vec<RedisReplay>,
    waits: bool,
}

impl Setup {
    fn new(replicas: u32) -> Self {
        let master = Server::start();
        let between = Relay::to(master.port);
        let replica = Server::replica_of(between.port);
        eventually("the replica follows", || {
            replica.info("master_link_status") == "up" && master.info("slave0").contains("state=online")
        });
        let to_master = Relay::to(master.port);
        let options = RedisOptions {
            replicas,
            clock_margin: Duration::from_secs(1),
            deadline: Duration::from_millis(500),
            ..options(to_master.port)
        };
        let gateways = (0..3).map(|_| store(&options)).collect();
        Self { master, replica, between, to_master, gateways, waits: replicas > 0 }
    }

    /// One failover. Whoever was accepted at any time is tried again at each gateway.
    fn fail_over(mut self, kill: bool, tally: &mut Tally) {
        let (stop, next) = (AtomicBool::new(false), AtomicU32::new(0));
        let mut accepted = Vec::new();
        let mut promoted = Instant::now();
        std::thread::scope(|scope| {
            let load: Vec<_> =
                self.gateways.iter().map(|gateway| scope.spawn(|| load(gateway, &stop, &next))).collect();
            let until_accepted = |count: u32| {
                while next.load(Ordering::Relaxed) < count {
                    std::thread::yield_now();
                }
            };
            until_accepted(300);
            self.between.drop_everything();
            // Where replicas have to have each entry, each of these waits for its deadline.
            until_accepted(next.load(Ordering::Relaxed) + if self.waits { 9 } else { 100 });
            if kill {
                self.master.kill();
            }
            self.replica.ask(&["REPLICAOF", "NO", "ONE"]);
            promoted = Instant::now();
            self.to_master.point_to(self.replica.port);
            std::thread::sleep(Duration::from_millis(50));
            stop.store(true, Ordering::Relaxed);
            for gateway in load {
                let (firsts, undecided) = gateway.join().expect("the load ran");
                tally.undecided += undecided;
                accepted.extend(firsts);
            }
        });
        tally.accepted += accepted.len();
        self.try_again(&accepted, tally);
        // With a replica of its own the new master can promise what the old one did.
        let _second = Server::replica_of(self.replica.port);
        let mut number = 3_000_000;
        eventually("a new request is accepted", || {
            number += 1;
            let mut new = request(number, 0);
            new.since = new.now;
            ask(&self.gateways[0], &new) == Ok(FirstUse::First)
        });
        tally.away.push(promoted.elapsed());
        self.try_again(&accepted, tally);
    }

    /// Sends everything once more, until there is an answer that is not about the connection.
    fn try_again(&self, accepted: &[ReplayEntry], tally: &mut Tally) {
        for (turn, entry) in (0..).zip(accepted) {
            tally.replays += 1;
            let mut answer = Err(StoreError::TimedOut);
            eventually("a replay is judged", || {
                answer = ask(&self.gateways[turn % 3], &again(entry));
                !matches!(answer, Err(StoreError::TimedOut | StoreError::Unavailable(_)))
            });
            match answer {
                Ok(FirstUse::First) => tally.accepted_again += 1,
                Ok(FirstUse::Seen) => tally.seen += 1,
                Err(StoreError::Quarantined) => tally.doubted += 1,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// The same request, sent once more now.
fn again(entry: &ReplayEntry) -> ReplayEntry {
    ReplayEntry { now: UnixTime::from_secs(now()), ..*entry }
}

/// Sends new requests, and says which were accepted and how many were not decided.
fn load(gateway: &RedisReplay, stop: &AtomicBool, next: &AtomicU32) -> (Vec<ReplayEntry>, usize) {
    let (mut accepted, mut undecided) = (Vec::new(), 0);
    while !stop.load(Ordering::Relaxed) {
        let entry = request(next.fetch_add(1, Ordering::Relaxed), 0);
        match ask(gateway, &entry) {
            Ok(FirstUse::First) => accepted.push(entry),
            Ok(FirstUse::Seen) => panic!("a new request was taken for a replay"),
            Err(_) => {
                undecided += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
    (accepted, undecided)
}

fn fail_over(replicas: u32, few: u32) -> Tally {
    let mut tally = Tally::default();
    for round in 0..rounds(few) {
        Setup::new(replicas).fail_over(round % 2 == 0, &mut tally);
    }
    let mean = tally.away.iter().sum::<Duration>() / u32::try_from(tally.away.len()).unwrap_or(1).max(1);
    let longest = tally.away.iter().max().copied().unwrap_or_default();
    eprintln!(
        "torture: WAIT {replicas}: {} rounds, {} accepted, {} not decided meanwhile; {} replays: {} accepted again, {} \
         seen, {} not decided; until a new request was accepted: {mean:.2?} on average, {longest:.2?} at most",
        tally.away.len(),
        tally.accepted,
        tally.undecided,
        tally.replays,
        tally.accepted_again,
        tally.seen,
        tally.doubted,
    );
    tally
}

#[test]
fn attack_26_a_promoted_replica_that_was_cut_off_accepts_nothing_again() {
    let tally = fail_over(0, 4);
    assert_eq!(tally.accepted_again, 0);
    assert!(tally.doubted > 0, "nothing was lost, so this shows nothing");
}

#[test]
fn attack_26_with_wait_nothing_accepted_is_lost_in_a_failover() {
    let tally = fail_over(1, 4);
    assert_eq!(tally.accepted_again, 0);
    assert_eq!(tally.doubted, 0, "all that was accepted is on the replica");
    assert!(tally.undecided > 0, "the partition stopped nothing, so this shows nothing");
}

/// What these tests are for: a plain `SET NX` is accepted again.
#[test]
fn attack_26_a_plain_set_nx_is_accepted_again() {
    let setup = Setup::new(0);
    setup.between.drop_everything();
    assert_eq!(setup.master.ask(&["SET", "nonce", "1", "NX", "PX", "60000"]), "OK");
    setup.replica.ask(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(setup.replica.ask(&["SET", "nonce", "1", "NX", "PX", "60000"]), "OK", "the partition dropped nothing");
}

/// A master that is cut off from all of its replicas, and that gateways still reach, accepts nothing where replicas have
/// to have each entry.
#[test]
fn attack_26_a_master_without_its_replicas_accepts_nothing() {
    let setup = Setup::new(1);
    let mut known = 0;
    eventually("a request is accepted", || {
        known += 1;
        ask(&setup.gateways[0], &request(known, 0)) == Ok(FirstUse::First)
    });
    setup.between.drop_everything();
    for number in 1_000..1_004 {
        let answer = ask(&setup.gateways[0], &request(number, 0));
        assert!(matches!(answer, Err(StoreError::Unavailable(_) | StoreError::TimedOut)), "{answer:?}");
    }
    eventually("what was seen is known all the same", || {
        let answer = ask(&setup.gateways[0], &request(known, 0));
        assert_ne!(answer, Ok(FirstUse::First));
        answer == Ok(FirstUse::Seen)
    });
}
