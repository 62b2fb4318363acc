//! Many who never speak, and those who want in.

use std::io::Write as _;
use std::net::{Shutdown, TcpStream};

use super::*;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Both ends of each connection are in this process.
fn allow_many_files() -> bool {
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).is_ok();
    raised && limit.maximum.is_none_or(|most| most >= 12_000)
}

#[test]
fn attack_39_ten_thousand_who_never_speak_keep_nobody_out() {
    let silent_ones = if allow_many_files() { 10_000 } else { 400 };
    if silent_ones < 10_000 {
        eprintln!("only {silent_ones}: a process may not have more files open here");
    }
    let site = Site::with(acceptor(ARTICLE), |config| config.max_waiting = 256);
    let mut silent: Vec<TcpStream> = Vec::with_capacity(silent_ones);
    let mut genuine = 0;
    while silent.len() < silent_ones {
        for _ in 0..100 {
            silent.push(TcpStream::connect(site.gate.addr()).unwrap());
        }
        // Whoever speaks gets in all the while.
        let mut stream = site.connect();
        let mut wire = answer(&mut stream, SECRET);
        wire.extend_from_slice(b"me");
        stream.write_all(&wire).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_to_end(&mut stream), b"me|2 bytes");
        genuine += 1;
    }
    let out = u64::try_from(silent_ones - 256).unwrap();
    wait_for(|| site.counters().refusals("gate-crowded-out") >= out, || site.counters().text());
    assert!(site.counters().waiting() <= 256, "{}", site.counters().text());
    assert_eq!(site.service.accepted(), genuine, "nothing of the silent ones reached the service");
}

#[test]
fn as_many_are_open_as_may_be() {
    let site = Site::with(acceptor(ARTICLE), |config| config.max_open = 2);
    let admitted = || {
        let mut stream = site.connect();
        let wire = answer(&mut stream, SECRET);
        stream.write_all(&wire).unwrap();
        stream
    };
    let (one, _two) = (admitted(), admitted());
    wait_for(|| site.counters().open() == 2, || site.counters().text());
    assert!(read_to_end(&mut admitted()).is_empty());
    site.refused("gate-too-many-open", 1);
    assert_eq!(site.service.accepted(), 2);
    // A place that is given back is used.
    drop(one);
    wait_for(|| site.counters().open() == 1, || site.counters().text());
    let mut third = admitted();
    third.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_end(&mut third), b"|0 bytes");
}

#[test]
fn too_many_bytes_are_refused() {
    let limits = HandshakeLimits { bytes: 64, ..HandshakeLimits::default() };
    let site = Site::with(acceptor(Protocol::CramMd5).with_limits(limits), |_| {});
    let mut stream = site.connect();
    stream.write_all(&[b'a'; 100]).unwrap();
    read_to_end(&mut stream);
    site.refused("gate-too-many-bytes", 1);
}
