//! Servers and networks of the tests' own: `redis-server` on free ports in temporary folders, and a relay that can drop
//! what passes through it. What was started is stopped when it is dropped.
#![expect(dead_code, unused_imports, reason = "each test uses its part")]

pub(crate) mod cluster;
mod relay;
mod server;

pub(crate) use cluster::Cluster;
pub(crate) use relay::Relay;
pub(crate) use server::{Server, free_port};

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use countersign_core::replay::ReplayEntry;
use countersign_store::conformance;
use countersign_store_redis::{Address, RedisOptions, RedisReplay, Servers};

/// Options for a server that nothing was ever written to. A busy machine is no outage: the deadline is a long one.
pub(crate) fn options(port: u16) -> RedisOptions {
    let server = Servers::Single(Address::new("127.0.0.1", port));
    RedisOptions { vouched_new: true, deadline: Duration::from_secs(2), ..RedisOptions::at(server) }
}

/// A store that starts, or the reason why not.
pub(crate) fn store(options: &RedisOptions) -> RedisReplay {
    RedisReplay::start(options.clone()).unwrap_or_else(|error| panic!("{error}; {}", error.hint()))
}

/// What the clock says.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(since.as_secs()).expect("a clock before the end of time")
}

/// A request signed `age` seconds ago, under a scheme that takes requests of up to `WINDOW` seconds, and `AHEAD` seconds
/// before their time.
pub(crate) fn request(number: u32, age: i64) -> ReplayEntry {
    let (now, signed) = (now(), now() - age);
    let mut entry = conformance::entry(1, number, now, signed + WINDOW);
    entry.since = countersign_core::time::UnixTime::from_secs(signed - AHEAD);
    entry
}

pub(crate) const WINDOW: i64 = 300;
pub(crate) const AHEAD: i64 = 60;

/// How many rounds to make: a few, or as many as `COUNTERSIGN_ROUNDS` says.
pub(crate) fn rounds(few: u32) -> u32 {
    match std::env::var("COUNTERSIGN_ROUNDS") {
        Ok(rounds) => rounds.parse().expect("COUNTERSIGN_ROUNDS is a number"),
        Err(_) => few,
    }
}

/// Tries until it holds, for as long as anything may reasonably take.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_mins(1), "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
    begun.elapsed()
}
