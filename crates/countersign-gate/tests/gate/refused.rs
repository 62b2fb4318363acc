//! What does not hold reaches nothing.

use std::io::Write as _;
use std::net::Shutdown;

use super::*;
use countersign_core::{Answer, KeyQuery, KeyResolver, KeySet, StoreError};

/// Sends these pieces to a gate and gives back everything that it says.
fn said(site: &Site, pieces: &[&[u8]], finish: bool) -> Vec<u8> {
    let mut stream = site.connect();
    for piece in pieces {
        // A gate that has refused may be gone.
        let _ = stream.write_all(piece);
    }
    if finish {
        let _ = stream.shutdown(Shutdown::Write);
    }
    read_to_end(&mut stream)
}

#[test]
fn attack_39_refused_handshakes_reach_nothing() {
    for protocol in protocols() {
        let site = Site::with(acceptor(protocol).with_limits(deadline(1000)), |_| {});
        // A wrong key, and a name that nobody has.
        for (id, secret) in [("alice", &b"another secret"[..]), ("nobody", SECRET)] {
            match connect_as(site.gate.addr(), protocol, id, secret) {
                // Where the server proves nothing the client learns it by the end.
                Ok(mut through) => {
                    through.write(b"hello");
                    if id == "alice" || protocol.names_key() {
                        assert_eq!(through.read_to_end(), b"", "{protocol}");
                    } else {
                        // Without a name it is the right secret.
                        through.finish();
                        assert!(through.read_to_end().starts_with(b"hello"));
                    }
                }
                Err(code) => assert_eq!(code, "gate-refused-by-peer", "{protocol}"),
            }
        }
        let through = site.service.accepted();
        // Nothing, little, too much, and no sense.
        let parting = |said: &[u8]| said.ends_with(protocol.parting());
        assert!(parting(&said(&site, &[], true)), "{protocol}");
        assert!(parting(&said(&site, &[b"\0"], true)), "{protocol}");
        assert!(parting(&said(&site, &[&[0xff; 5000]], false)), "{protocol}");
        assert!(parting(&said(&site, &[&[b'\n'; 5000]], false)), "{protocol}");
        assert!(parting(&said(&site, &[&[0; 5000]], false)), "{protocol}");
        assert!(parting(&said(&site, &[b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"], false)), "{protocol}");
        // Nothing at all, and open: the deadline.
        assert!(parting(&said(&site, &[], false)), "{protocol}");
        site.refused("gate-deadline", site.counters().refusals("gate-deadline").max(1));
        assert_eq!(site.service.accepted(), through, "{protocol}");
        wait_for(|| site.counters().waiting() == 0, || site.counters().text());
    }
}

#[test]
fn attack_39_a_reflected_challenge_and_a_recorded_answer_reach_nothing() {
    let site = Site::start(ARTICLE);
    let mut stream = site.connect();
    let challenge: [u8; 32] = read_exactly(&mut stream);
    stream.write_all(&challenge).unwrap();
    assert!(read_to_end(&mut stream).is_empty());

    // A genuine answer of one session, in another.
    let mut first = site.connect();
    let recorded = answer(&mut first, SECRET);
    let mut second = site.connect();
    let _: [u8; 32] = read_exactly(&mut second);
    second.write_all(&recorded).unwrap();
    assert!(read_to_end(&mut second).is_empty());
    assert_eq!(site.service.accepted(), 0);

    // In its own session it holds, once.
    first.write_all(&recorded).unwrap();
    first.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_to_end(&mut first), b"|0 bytes");
    assert_eq!(site.service.accepted(), 1);
    site.refused("gate-answer-wrong", 2);
}

/// Somebody in the middle of two sessions of two gates with one key.
#[test]
fn attack_39_what_is_relayed_from_another_session_reaches_nothing() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    for protocol in protocols() {
        let (site, other) = (Site::start(protocol), Site::start(protocol));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (victim, target) = (other.gate.addr(), site.gate.addr());
        runtime.block_on(async {
            // The client talks to one gate by way of us, and what it says goes to the other gate as well.
            let (client, mut middle) = tokio::io::duplex(4096);
            let connector = Connector::new(protocol, "alice", Secret::new(SECRET));
            let client = tokio::spawn(async move { connector.connect(client, None).await.is_ok() });
            let mut honest = tokio::net::TcpStream::connect(victim).await.unwrap();
            let mut attacked = tokio::net::TcpStream::connect(target).await.unwrap();
            let (mut up, mut down) = ([0; 4096], [0; 4096]);
            loop {
                tokio::select! {
                    said = middle.read(&mut up) => match said {
                        Ok(0) | Err(_) => break,
                        Ok(count) => {
                            honest.write_all(&up[..count]).await.unwrap();
                            let _ = attacked.write_all(&up[..count]).await;
                        }
                    },
                    said = honest.read(&mut down) => match said {
                        Ok(0) | Err(_) => break,
                        Ok(count) => if middle.write_all(&down[..count]).await.is_err() { break },
                    },
                }
            }
            assert!(client.await.unwrap(), "{protocol}: the honest session holds");
            let _ = attacked.shutdown().await;
            let mut rest = Vec::new();
            let _ = attacked.read_to_end(&mut rest).await;
            assert!(rest.ends_with(protocol.parting()), "{protocol}");
        });
        assert_eq!(site.service.accepted(), 0, "{protocol}");
        site.refused("gate-answer-wrong", 1);
    }
}

#[test]
fn attack_36_an_unknown_id_and_a_wrong_secret_see_the_same_bytes() {
    for protocol in protocols().into_iter().filter(Protocol::names_key) {
        let lengths: Vec<_> = ["alice", "bobby"]
            .map(|id| {
                // The same lengths and the same frames; the contents are random.
                let site = Site::start(protocol);
                let seen = seen(&site, protocol, id);
                assert_eq!(site.service.accepted(), 0);
                seen
            })
            .into();
        assert_eq!(lengths[0], lengths[1], "{protocol}");
    }
}

/// How many bytes the gate says at each turn to somebody with the wrong secret, and what it says last.
fn seen(site: &Site, protocol: Protocol, id: &str) -> (Vec<usize>, Vec<u8>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let addr = site.gate.addr();
    let id = id.to_owned();
    runtime.block_on(async {
        let (client, mut middle) = tokio::io::duplex(4096);
        let connector = Connector::new(protocol, id, Secret::new(*b"a wrong secret of some length"));
        tokio::spawn(async move { connector.connect(client, None).await.map(|_| ()) });
        let mut gate = tokio::net::TcpStream::connect(addr).await.unwrap();
        let (mut up, mut down) = ([0; 4096], [0; 4096]);
        let (mut turns, mut last) = (Vec::new(), Vec::new());
        let mut open = true;
        loop {
            tokio::select! {
                said = middle.read(&mut up), if open => match said {
                    Ok(0) | Err(_) => open = false,
                    Ok(count) => gate.write_all(&up[..count]).await.unwrap(),
                },
                said = gate.read(&mut down) => match said {
                    Ok(0) | Err(_) => return (turns, last),
                    Ok(count) => {
                        turns.push(count);
                        last = down[..count].to_vec();
                        if protocol.parting() != last {
                            last.clear();
                        }
                        let _ = middle.write_all(&down[..count]).await;
                    }
                },
            }
        }
    })
}

struct Broken;

impl KeyResolver for Broken {
    fn resolve<'a>(&'a self, _: &'a KeyQuery<'a>) -> Answer<'a, Result<KeySet, StoreError>> {
        Answer::Ready(Err(StoreError::Unavailable("the disk is gone".to_owned())))
    }
}

#[test]
fn a_store_that_cannot_answer_admits_nobody() {
    for protocol in protocols() {
        let site = Site::with(Acceptor::new(protocol, Arc::new(Broken)), |_| {});
        if let Ok(mut through) = connect_as(site.gate.addr(), protocol, "alice", SECRET) {
            assert_eq!(through.read_to_end(), b"", "{protocol}");
        }
        site.refused("gate-undecided", 1);
        assert_eq!(site.service.accepted(), 0, "{protocol}");
    }
}

#[test]
fn a_service_that_is_not_there_closes_the_connection() {
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let site = Site::with(acceptor(ARTICLE), |config| config.upstream = nowhere.to_string());
    let mut stream = site.connect();
    let wire = answer(&mut stream, SECRET);
    stream.write_all(&wire).unwrap();
    assert!(read_to_end(&mut stream).is_empty());
    site.refused("gate-service-unreachable", 1);
    assert_eq!(site.counters().admissions(), 1);
}

#[test]
fn a_key_that_may_not_pass_is_refused_like_one_that_nobody_has() {
    let site = Site::with(acceptor(Protocol::CountersignV1).allowing(vec!["bob".to_owned()]), |_| {});
    let refused = connect_as(site.gate.addr(), Protocol::CountersignV1, "alice", SECRET).map(|_| ());
    assert_eq!(refused.unwrap_err(), "gate-refused-by-peer");
    site.refused("gate-key-not-allowed", 1);
    assert_eq!(site.service.accepted(), 0);
}
