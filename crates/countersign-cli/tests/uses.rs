//! How keys were used, as `countersign keys list` shows it: while the gateway runs, after it has stopped, and after it was
//! killed.

mod live;

use live::signing::{API, APP, SHARED, Transfer};
use live::{Finished, Held, Site, countersign, now};
use serde_json::Value;

const NEXT: &str = "the next shared secret of some length";

fn keys(site: &Site, arguments: &[&str]) -> Finished {
    let config = site.config();
    let done = countersign([&["keys"], arguments, &["-c", config.to_str().unwrap()]].concat());
    assert_eq!(done.status, 0, "{done}");
    done
}

/// Uses and the time of the last one, of each version.
fn uses(site: &Site) -> Vec<(u64, Option<i64>)> {
    let listed = keys(site, &["list", "--json"]).json();
    let of = |row: &Value| (row["uses"].as_u64().unwrap(), row["last_used_at"].as_i64());
    listed.as_array().unwrap().iter().map(of).collect()
}

fn counts(site: &Site) -> Vec<u64> {
    uses(site).into_iter().map(|(uses, _)| uses).collect()
}

fn send(site: &Site, nonce: &str, secret: &str) -> u16 {
    site.send(Transfer::new(nonce, now()).wire_with(secret)).status()
}

#[test]
fn a_key_that_was_never_used_says_so_and_what_is_refused_leaves_it_so() {
    let site = Site::start(API, &[(APP, SHARED)]);
    assert_eq!(send(&site, "forged", "a secret that nobody has"), 401);
    assert_eq!(site.send(Transfer::new("stale", now() - 100_000).wire()).status(), 401);
    assert_eq!(uses(&site), [(0, None)]);
    let listed = keys(&site, &["list"]).stdout;
    let mut lines = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(lines.next().unwrap(), ["id", "version", "kind", "algorithm", "uses", "last", "used", "state"]);
    assert_eq!(lines.next().unwrap(), [APP, "1", "secret", "any", "0", "never", "active"], "{listed}");
}

/// What the list is for: whether the secret before the rotation can be revoked.
#[test]
fn after_a_rotation_each_secret_has_its_own_count_to_the_moment() {
    let site = Site::start(API, &[(APP, SHARED)]);
    let before = now();
    assert_eq!(send(&site, "first", SHARED), 200);
    assert_eq!(counts(&site), [1]);
    keys(&site, &["rotate", APP, "--secret", NEXT, "--overlap", "1h"]);
    assert_eq!(counts(&site), [1, 0], "the rotation is no use");
    let repeated = Transfer::new("second", now()).wire_with(NEXT);
    assert_eq!([site.send(&repeated).status(), site.send(&repeated).status()], [200, 401]);
    assert_eq!(send(&site, "third", NEXT), 200);
    let (old, new) = (uses(&site)[0], uses(&site)[1]);
    assert_eq!((old.0, new.0), (1, 2));
    assert!(before <= old.1.unwrap() && old.1 <= new.1 && new.1.unwrap() <= now(), "{old:?} {new:?}");
    let shown = keys(&site, &["show", APP, "--json"]).json();
    assert_eq!(shown[1]["uses"], 2);
    let revoked = keys(&site, &["revoke", APP, "--key-version", "1"]);
    assert!(revoked.stderr.contains("version 1"), "{revoked}");
    assert_eq!(counts(&site), [1, 2], "and it stays as long as the version is listed");
}

#[test]
fn a_stop_in_good_order_writes_and_a_kill_loses_no_more_than_the_last_minute() {
    let mut site = Site::start(API, &[(APP, SHARED)]);
    for nonce in ["a", "b", "c"] {
        assert_eq!(send(&site, nonce, SHARED), 200);
    }
    let written = uses(&site);
    site.gateway.stop();
    assert_eq!(uses(&site), written, "read from the store itself");
    site.restart(&Held::default());
    assert_eq!(uses(&site), written);
    assert_eq!(send(&site, "d", SHARED), 200);
    assert_eq!(counts(&site), [4]);
    site.gateway.kill();
    // It was killed within a minute, or the fourth was written.
    assert!([[3], [4]].iter().any(|possible| counts(&site) == possible), "{:?}", uses(&site));
    let left = counts(&site)[0];
    site.restart(&Held::default());
    assert_eq!(send(&site, "e", SHARED), 200);
    site.gateway.stop();
    assert_eq!(counts(&site), [left + 1]);
}

#[test]
fn counting_changes_no_key_and_seals_nothing_anew() {
    let mut site = Site::start(API, &[(APP, SHARED)]);
    let exported = keys(&site, &["export"]).stdout;
    assert_eq!(send(&site, "a", SHARED), 200);
    site.gateway.stop();
    assert_eq!(keys(&site, &["export"]).stdout, exported);
    keys(&site, &["reseal"]);
    assert_eq!(counts(&site), [1], "nor does sealing anew change what was counted");
}
