//! Uses of keys: several gateways add up, an outage loses nothing, and what is nobody's is not kept.

use super::support::Cluster;
use countersign_core::key::{KeyQuery, KeyResolver, Secret};
use countersign_core::{Answer, UnixTime};
use countersign_store_embedded::{KeyTable as _, KeyUses, NewKey, SealKey, SealKeys, SharedKeys};
use countersign_store_postgres::{PostgresKeyTable, PostgresKeys, PostgresOptions, Tls};
use std::time::{Duration, Instant};

fn options(cluster: &Cluster, schema: &str) -> PostgresOptions {
    let mut options = PostgresOptions::at(&cluster.url(), Tls::Off).unwrap().with_schema(schema).unwrap();
    // What is written and not answered in time would be written again.
    options.deadline = Duration::from_secs(30);
    options
}

fn table(cluster: &Cluster, schema: &str) -> PostgresKeyTable {
    PostgresKeyTable::open(&options(cluster, schema)).unwrap()
}

fn seal() -> SealKeys {
    SealKeys { current: SealKey::parse(&"0a".repeat(32)).unwrap(), former: None }
}

/// Stores a key under each id.
fn add(cluster: &Cluster, schema: &str, ids: &[&str]) {
    let keys = SharedKeys::new(Box::new(table(cluster, schema)), seal());
    for id in ids {
        let secret = Secret::new(*b"a secret of the tests");
        keys.add(NewKey::secret(*id, secret), UnixTime::from_secs(1)).unwrap();
    }
}

fn uses(id: &str, version: u32, uses: u64, last_used_at: i64) -> KeyUses {
    KeyUses { id: id.to_owned(), version, uses, last_used_at }
}

#[test]
fn what_many_write_at_once_adds_up_and_the_latest_time_stays() {
    let (cluster, schema) = (Cluster::shared(), Cluster::new_schema());
    add(&cluster, &schema, &["a", "b", "ä"]);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let table = table(&cluster, &schema);
            scope.spawn(move || {
                for round in 0..25 {
                    let last = 1_000 + thread * 100 + round;
                    let both = [uses("a", 1, 1, last), uses("b", 1, 2, last), uses("ä", 1, 3, last)];
                    table.add_uses(&both).unwrap();
                }
            });
        }
    });
    let expected = [uses("a", 1, 100, 1_324), uses("b", 1, 200, 1_324), uses("ä", 1, 300, 1_324)];
    assert_eq!(table(&cluster, &schema).uses().unwrap(), expected);
}

#[test]
fn uses_of_a_key_that_is_not_there_are_nobodys_and_end_with_it() {
    let (cluster, schema) = (Cluster::shared(), Cluster::new_schema());
    add(&cluster, &schema, &["a"]);
    let table = table(&cluster, &schema);
    table.add_uses(&[uses("a", 1, 1, 5), uses("a", 2, 1, 5), uses("nobody", 1, 1, 5)]).unwrap();
    assert_eq!(table.uses().unwrap(), [uses("a", 1, 1, 5)]);
    cluster.sql(&format!("DELETE FROM {schema}.key"));
    assert_eq!(table.uses().unwrap(), []);
}

#[test]
fn an_outage_loses_no_count_and_keeps_no_request_waiting() {
    let cluster = Cluster::start(&[]);
    add(&cluster, "countersign", &["a"]);
    let options = options(&cluster, "countersign");
    let keys = PostgresKeys::open(&options, seal(), Duration::from_hours(1)).unwrap();
    let writer = keys.use_writer(&options, Duration::from_millis(20)).unwrap();
    let count = || match keys.resolve(&KeyQuery::new("scheme", Some(b"a"))) {
        Answer::Ready(found) => found.unwrap().keys()[0].count_use(UnixTime::from_secs(7)),
        Answer::Later(_) => panic!("answers come from memory"),
    };
    let table = table(&cluster, "countersign");
    let written = |expected: u64| {
        let until = Instant::now() + Duration::from_mins(1);
        loop {
            let found = table.uses().unwrap_or_default();
            if found == [uses("a", 1, expected, 7)] {
                return;
            }
            assert!(Instant::now() < until && found.iter().all(|found| found.uses < expected), "{found:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    count();
    written(1);
    cluster.stop("immediate");
    count();
    count();
    // Long enough for it to fail; what is tested does not hang on that it does.
    std::thread::sleep(Duration::from_millis(200));
    cluster.run();
    written(3);
    count();
    drop(writer);
    assert_eq!(table.uses().unwrap(), [uses("a", 1, 4, 7)], "written at the end");
}

#[test]
fn a_schema_from_before_there_were_uses_is_brought_up_to_date() {
    let (cluster, schema) = (Cluster::shared(), Cluster::new_schema());
    add(&cluster, &schema, &["a"]);
    cluster.sql(&format!("DROP TABLE {schema}.key_use; DELETE FROM {schema}.migration WHERE version > 2"));
    let table = table(&cluster, &schema);
    table.add_uses(&[uses("a", 1, 1, 5)]).unwrap();
    assert_eq!(table.uses().unwrap(), [uses("a", 1, 1, 5)]);
}
