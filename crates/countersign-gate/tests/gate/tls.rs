//! TLS, and somebody who ends it in the middle.

use std::time::Duration;

use super::*;
use countersign_core::challenge::Protocol;
use countersign_gate::{ClientTls, Dialer, ServerTls, relay};

/// An authority, and certificates of `gate.test` that it issued.
struct Authority {
    certificate: String,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { certificate, issuer: rcgen::Issuer::new(params, key) }
    }

    fn server(&self) -> ServerTls {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["gate.test".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        ServerTls::from_pem(certificate.as_bytes(), key.serialize_pem().as_bytes()).unwrap()
    }

    fn client(&self) -> ClientTls {
        ClientTls::from_pem(self.certificate.as_bytes(), "gate.test").unwrap()
    }
}

fn dial(addr: SocketAddr, protocol: Protocol, tls: Option<ClientTls>) -> Result<Vec<u8>, String> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let dialer = Dialer {
            address: addr.to_string(),
            connector: Connector::new(protocol, "alice", Secret::new(SECRET)),
            tls,
            connect_timeout: Duration::from_secs(5),
        };
        let mut stream = dialer.dial().await.map_err(|refused| refused.reason.code().to_owned())?;
        stream.write_all(b"hello").await.map_err(|error| error.to_string())?;
        stream.shutdown().await.map_err(|error| error.to_string())?;
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all).await;
        Ok(all)
    })
}

#[test]
fn every_protocol_runs_in_tls_and_keeps_the_half_close() {
    let authority = Authority::new();
    for protocol in protocols() {
        let tls = authority.server();
        let acceptor = acceptor(protocol).with_limits(deadline(2000));
        let site = Site::with(acceptor, |config| config.tls = Some(tls));
        assert_eq!(dial(site.gate.addr(), protocol, Some(authority.client())), Ok(b"hello|5 bytes".to_vec()));
        let stranger = Authority::new();
        assert_eq!(dial(site.gate.addr(), protocol, Some(stranger.client())), Err("gate-tls".to_owned()));
        // Without TLS it is no client.
        assert_ne!(dial(site.gate.addr(), protocol, None).unwrap_or_default(), b"hello|5 bytes");
        // Where the server speaks first, both would wait for ever.
        let counters = site.counters();
        let refused = || counters.refusals("gate-tls") + counters.refusals("gate-deadline");
        wait_for(|| refused() == 2, || counters.text());
        assert_eq!(site.service.accepted(), 1);
    }
}

/// Ends TLS with a certificate that the client trusts, and speaks TLS with the gate: as a proxy would, or a thief.
fn middle(gate: SocketAddr, towards_client: &ServerTls, towards_gate: ClientTls) -> SocketAddr {
    // A gate that lets everybody in is not to be had; so it is made of the same parts.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let server = towards_client.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((client, _)) = listener.accept().await {
                let (mut client, _) = server.accept(client).await.unwrap();
                let stream = tokio::net::TcpStream::connect(gate).await.unwrap();
                let (mut gate, _) = towards_gate.connect(stream).await.unwrap();
                let _ = relay(&mut client, &mut gate).await;
            }
        });
    });
    addr
}

#[test]
fn attack_39_whoever_ends_tls_in_the_middle_reaches_nothing() {
    let authority = Authority::new();
    let binding = Protocol::Scram(scram::Rules::sha256().requiring_binding(true));
    for (protocol, code) in [
        (Protocol::CountersignV1, "gate-answer-wrong"),
        (binding, "gate-binding-mismatch"),
        (Protocol::Scram(scram::Rules::sha256()), "gate-binding-mismatch"),
    ] {
        let tls = authority.server();
        let site = Site::with(acceptor(protocol), |config| config.tls = Some(tls));
        let between = middle(site.gate.addr(), &authority.server(), authority.client());
        assert!(dial(between, protocol, Some(authority.client())).is_err(), "{protocol}");
        site.refused(code, 1);
        assert_eq!(site.service.accepted(), 0, "{protocol}");
        // By itself the gate is fine.
        assert_eq!(dial(site.gate.addr(), protocol, Some(authority.client())), Ok(b"hello|5 bytes".to_vec()));
    }
    // What the others do not resist, so that this test is known to find it.
    let tls = authority.server();
    let site = Site::with(acceptor(ARTICLE), |config| config.tls = Some(tls));
    let between = middle(site.gate.addr(), &authority.server(), authority.client());
    assert_eq!(dial(between, ARTICLE, Some(authority.client())), Ok(b"hello|5 bytes".to_vec()));
}
