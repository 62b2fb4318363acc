//! A gentle end.

#[expect(dead_code, reason = "the tests of other subjects use the rest of it")]
mod support;

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use support::{Setup, get};

fn slowly(millis: u64) -> support::Respond {
    Arc::new(move |_, stream| {
        thread::sleep(Duration::from_millis(millis));
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow")
    })
}

#[test]
fn requests_that_are_being_answered_go_on_and_nothing_else_does() {
    let mut site = Setup { respond: slowly(800), ..Setup::default() }.start();
    let addr = site.addr();
    let mut idle = site.connect();
    let mut busy = site.connect();
    busy.write(get("/").wire());
    while site.upstream.received().is_empty() {
        thread::sleep(Duration::from_millis(10));
    }
    let running = site.running.take().unwrap();
    running.stop();
    let begun = Instant::now();
    assert!(idle.is_closed());
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    // Each worker closes its share of the listener by itself.
    while TcpStream::connect(addr).is_ok() {
        assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
        thread::sleep(Duration::from_millis(5));
    }
    let response = busy.read();
    assert_eq!((response.status(), response.text()), (200, "slow".to_owned()));
    assert_eq!(response.field("connection"), Some("close"));
    assert!(busy.is_closed());
    running.wait();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[test]
fn the_grace_is_not_exceeded() {
    let mut site = Setup { respond: slowly(60_000), ..Setup::default() }.start();
    let mut busy = site.connect();
    busy.write(get("/").wire());
    while site.upstream.received().is_empty() {
        thread::sleep(Duration::from_millis(10));
    }
    let running = site.running.take().unwrap();
    let begun = Instant::now();
    running.stop();
    running.wait();
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    assert!(busy.try_read(false).is_err());
}

#[test]
fn a_gateway_that_is_dropped_stops() {
    let mut site = support::site();
    let addr = site.addr();
    drop(site.running.take());
    let begun = Instant::now();
    while TcpStream::connect(addr).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(5));
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_listener_that_is_taken_is_an_error_that_names_it() {
    let site = support::site();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("all.toml"), support::SCHEME).unwrap();
    let text = format!(
        "[server]\nlisten = \"{}\"\n[[route]]\npath = \"/*\"\nscheme = \"all.toml\"\nupstream = \"http://127.0.0.1:1\"\n",
        site.addr()
    );
    let config = countersign_gateway::config::Config::parse("x", text, folder.path()).unwrap();
    let error = countersign_gateway::Gateway::build(&config, &support::stores()).start().unwrap_err();
    assert!(error.to_string().contains(&site.addr().to_string()), "{error}");
}
