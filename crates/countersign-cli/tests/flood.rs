//! Many at once: identical requests, of which one passes, and keys that change while requests come.

mod live;

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use live::signing::{API, APP, ASSET, SHARED, TOKEN, Transfer, USER, get, md5_query, md5_request};
use live::{Connection, Site, countersign, now};

/// Two requests each. Fewer than a thousand, so that the usual limit of open files is enough on both sides.
const CONNECTIONS: usize = 500;
const THREADS: usize = 10;

/// Sends one request a thousand times and counts the answers.
///
/// Every connection holds back the last byte of its first request until all of them have; then that byte and the
/// second request are let go everywhere at once.
fn flood(site: &Site, wire: &[u8]) -> BTreeMap<(u16, String), usize> {
    let (most, last) = wire.split_at(wire.len() - 1);
    let ready = Barrier::new(THREADS);
    let answers = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let mut connections: Vec<_> =
                        (0..CONNECTIONS / THREADS).map(|_| Connection::to(site.gateway.addr())).collect();
                    for connection in &mut connections {
                        connection.write(most);
                    }
                    ready.wait();
                    let rest = [last, wire].concat();
                    for connection in &mut connections {
                        connection.write(&rest);
                    }
                    let read = |connection: &mut Connection| [connection.read(), connection.read()];
                    connections.iter_mut().flat_map(read).map(|answer| answer.verdict()).collect::<Vec<_>>()
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
fn of_a_thousand_identical_requests_one_reaches_the_upstream() {
    let site = Site::start(&format!("{ASSET}{API}"), &[(USER, TOKEN), (APP, SHARED)]);
    let one = BTreeMap::from([((200, String::new()), 1), ((401, "request-repeated".to_owned()), 999)]);
    for (round, wire) in
        [md5_request(now()), Transfer::new("flood", now()).wire(), md5_request(now() - 1)].iter().enumerate()
    {
        assert_eq!(flood(&site, wire), one, "round {round}");
        assert_eq!(site.upstream.count(), round + 1);
    }
}

/// Different requests at once all pass: what makes the thousand fail is that they are the same.
#[test]
fn requests_that_differ_in_their_nonce_all_pass() {
    let site = Site::start(API, &[(APP, SHARED)]);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let site = &site;
            scope.spawn(move || {
                let mut connection = Connection::to(site.gateway.addr());
                for number in 0..20 {
                    connection.write(&Transfer::new(&format!("{thread}-{number}"), now()).wire());
                    assert_eq!(connection.read().status(), 200);
                }
            });
        }
    });
    assert_eq!(site.upstream.count(), 20 * THREADS);
}

#[test]
fn keys_that_are_added_or_revoked_while_the_gateway_runs_hold_at_once() {
    let site = Site::start(ASSET, &[]);
    let config = site.config();
    let keys = |arguments: &[&str]| {
        let done = countersign(["keys"].iter().chain(arguments).copied().chain(["-c", config.to_str().unwrap()]));
        assert_eq!(done.status, 0, "{done}");
        done
    };
    let signed = |user: &str, secret: &str, age| get(&format!("/asset/?{}", md5_query(user, secret, now() - age)));
    let wrong = || (401, "signature-wrong".to_owned());
    // The connection stays the same: what one worker knows of a key must not outlive the key.
    let mut connection = Connection::to(site.gateway.addr());
    let mut verdict = |wire: Vec<u8>| {
        connection.write(&wire);
        connection.read().verdict()
    };
    assert_eq!(verdict(signed(USER, TOKEN, 0)), wrong(), "nobody is known");

    keys(&["add", USER, "--secret", TOKEN, "--legacy"]);
    assert_eq!(verdict(signed(USER, TOKEN, 1)).0, 200, "known since the command ended");
    assert_eq!(verdict(signed(USER, "abd", 2)), wrong());

    keys(&["rotate", USER, "--secret", "abd", "--legacy", "--overlap", "1h"]);
    assert_eq!(verdict(signed(USER, "abd", 3)).0, 200, "the new secret");
    assert_eq!(verdict(signed(USER, TOKEN, 4)).0, 200, "and the old one, for an hour");

    keys(&["revoke", USER]);
    let revoked = Instant::now();
    for (age, secret) in [(5, TOKEN), (6, "abd")] {
        assert_eq!(verdict(signed(USER, secret, age)), wrong(), "revoked");
    }
    assert!(revoked.elapsed() < Duration::from_secs(1), "what was asked within a second says so");
    assert_eq!(site.upstream.count(), 3);
    assert!(keys(&["list"]).stdout.contains("revoked"));
}
