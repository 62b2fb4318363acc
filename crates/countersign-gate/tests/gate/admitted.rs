//! Who proves to have the key gets through, however the bytes come.

use std::io::Write as _;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::*;
use countersign_gate::{Dialer, Tunnel};

#[test]
fn every_protocol_carries_both_ways_and_keeps_the_half_close() {
    for protocol in protocols() {
        let site = Site::start(protocol);
        let mut through = connect_as(site.gate.addr(), protocol, "alice", SECRET).unwrap();
        through.write(b"hello");
        through.finish();
        assert_eq!(through.read_to_end(), b"hello|5 bytes", "{protocol}");
        wait_for(|| site.counters().open() == 0, || site.counters().text());
        assert_eq!((site.service.accepted(), site.counters().admissions()), (1, 1));
        let text = site.counters().text();
        assert!(text.contains("countersign_gate_relayed_bytes_total{to=\"service\"} 5\n"), "{text}");
    }
}

#[test]
fn the_articles_client_one_byte_at_a_time_with_data_right_behind() {
    let site = Site::start(ARTICLE);
    let mut stream = site.connect();
    let mut wire = answer(&mut stream, SECRET);
    wire.extend_from_slice(b"and at once the first words");
    write_in_bytes(&mut stream, &wire);
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_end(&mut stream), b"and at once the first words|27 bytes");

    // And all in one piece.
    let mut stream = site.connect();
    let mut wire = answer(&mut stream, SECRET);
    wire.resize(wire.len() + 100_000, b'x');
    stream.write_all(&wire).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(read_to_end(&mut stream).ends_with(b"|100000 bytes"));
}

#[test]
fn fifty_at_once() {
    let site = Arc::new(Site::start(ARTICLE));
    let clients: Vec<_> = (0..50)
        .map(|number| {
            let site = Arc::clone(&site);
            thread::spawn(move || {
                let mut stream = site.connect();
                let mut wire = answer(&mut stream, SECRET);
                wire.extend_from_slice(format!("client {number}").as_bytes());
                write_in_bytes(&mut stream, &wire);
                stream.shutdown(Shutdown::Write).unwrap();
                let said = String::from_utf8(read_to_end(&mut stream)).unwrap();
                assert!(said.starts_with(&format!("client {number}|")), "{said}");
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    assert_eq!(site.service.accepted(), 50);
}

#[test]
fn a_service_that_does_not_read_makes_the_client_wait() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = GateConfig::new("127.0.0.1:0".parse().unwrap(), silent.local_addr().unwrap().to_string());
    let gate = Gate::new(config, acceptor(ARTICLE)).start().unwrap();
    let mut stream = connect(gate.addr());
    let wire = answer(&mut stream, SECRET);
    stream.write_all(&wire).unwrap();
    let (service, _) = silent.accept().unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut sent = 0;
    let block = vec![0; 1 << 20];
    // The kernel's buffers, and the gate's one.
    while let Ok(count) = stream.write(&block) {
        sent += count;
        assert!(sent < 256 << 20, "the gate takes whatever comes");
    }
    drop(service);
}

#[test]
fn the_service_is_told_about_the_client_by_the_proxy_protocol() {
    let site = Site::with(acceptor(Protocol::CountersignV1), |config| config.proxy_protocol = true);
    let mut through = connect_as(site.gate.addr(), Protocol::CountersignV1, "alice", SECRET).unwrap();
    through.write(b"hello");
    through.finish();
    let said = through.read_to_end();
    // Twelve bytes of signature, version and command, family, length; two addresses and ports; the key id.
    assert_eq!(&said[..16], b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x14");
    assert_eq!(&said[16..24], [127, 0, 0, 1, 127, 0, 0, 1]);
    assert_eq!(&said[26..28], site.gate.addr().port().to_be_bytes());
    assert_eq!(&said[28..36], b"\xe0\0\x05alice");
    assert_eq!(&said[36..], b"hello|41 bytes");
}

#[test]
fn two_gates_make_a_tunnel() {
    let site = Site::start(Protocol::CountersignV1);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let dialer = Dialer {
        address: site.gate.addr().to_string(),
        connector: Connector::new(Protocol::CountersignV1, "alice", Secret::new(SECRET)),
        tls: None,
        connect_timeout: Duration::from_secs(5),
    };
    let tunnel = runtime.block_on(Tunnel::bind("127.0.0.1:0".parse().unwrap(), dialer)).unwrap();
    let addr = tunnel.addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = runtime.spawn(tunnel.run(
        async {
            let _ = stopped.await;
        },
        Duration::from_secs(5),
    ));
    // A program that knows nothing of gates.
    for _ in 0..3 {
        let mut stream = connect(addr);
        stream.write_all(b"plain").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_to_end(&mut stream), b"plain|5 bytes");
    }
    stop.send(()).unwrap();
    runtime.block_on(running).unwrap();
    assert!(TcpStream::connect(addr).is_err());
}

#[test]
fn a_stop_lets_what_is_open_go_on() {
    let site = Site::with(acceptor(ARTICLE), |config| config.grace = Duration::from_secs(30));
    let mut open = site.connect();
    let wire = answer(&mut open, SECRET);
    open.write_all(&wire).unwrap();
    wait_for(|| site.counters().open() == 1, || site.counters().text());
    let mut waiting = site.connect();
    let _: [u8; 32] = read_exactly(&mut waiting);
    site.gate.stop();
    assert!(read_to_end(&mut waiting).is_empty(), "who has not proved anything is sent away");
    wait_for(|| TcpStream::connect(site.gate.addr()).is_err(), String::new);
    open.write_all(b"still here").unwrap();
    open.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_end(&mut open), b"still here|10 bytes");
    site.gate.wait();
}

#[test]
fn a_gate_with_a_key_of_its_own_proves_that() {
    let both = MemoryKeys::new([
        Key::secret(SECRET).with_id("alice"),
        Key::secret(*b"the gate's own secret").with_id("gate"),
    ]);
    let acceptor = Acceptor::new(Protocol::CountersignV1, Arc::new(both.unwrap()))
        .allowing(vec!["alice".to_owned()])
        .with_own_key_id(Some("gate".to_owned()));
    let site = Site::with(acceptor, |_| {});
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let meet = |own: &[u8]| {
        let connector = Connector::new(Protocol::CountersignV1, "alice", Secret::new(SECRET))
            .with_server("gate", Secret::new(own));
        runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(site.gate.addr()).await.unwrap();
            connector.connect(stream, None).await.map(|_| ()).map_err(|refused| refused.reason.code())
        })
    };
    assert_eq!(meet(b"the gate's own secret"), Ok(()));
    assert_eq!(meet(b"somebody else's secret"), Err("gate-answer-wrong"));
    // The gate's own key lets nobody in.
    let as_gate = connect_as(site.gate.addr(), Protocol::CountersignV1, "gate", b"the gate's own secret");
    assert!(as_gate.is_err());
    site.refused("gate-key-not-allowed", 1);
}
