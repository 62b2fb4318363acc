//! One signed request reaches the upstream once.

#[expect(dead_code, reason = "the tests of other subjects use the rest of it")]
mod support;

use std::sync::{Arc, Barrier};
use std::thread;

use support::{get, post, site};

#[test]
fn attack_22_a_thousand_identical_requests_at_once_are_one() {
    let site = Arc::new(site());
    let wire = Arc::new(post("/transfer", "amount=1").wire());
    let barrier = Arc::new(Barrier::new(50));
    let clients: Vec<_> = (0..50)
        .map(|_| {
            let (site, wire, barrier) = (Arc::clone(&site), Arc::clone(&wire), Arc::clone(&barrier));
            thread::spawn(move || {
                let mut clients: Vec<_> = (0..20).map(|_| site.connect()).collect();
                barrier.wait();
                for client in &mut clients {
                    client.write(&*wire);
                }
                clients.iter_mut().map(|client| client.read().status()).collect::<Vec<_>>()
            })
        })
        .collect();
    let statuses: Vec<u16> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
    assert_eq!(statuses.len(), 1_000);
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 999);
    assert_eq!(site.upstream.received().len(), 1);
}

#[test]
fn attack_24_a_b_a_is_refused() {
    let site = site();
    let (a, b) = (get("/a"), get("/b"));
    assert_eq!(site.send(a.wire()).status(), 200);
    assert_eq!(site.send(b.wire()).status(), 200);
    let again = site.send(a.wire());
    assert_eq!((again.status(), again.reason()), (401, "request-repeated".to_owned()));
    assert_eq!(site.upstream.received().len(), 2);
}

#[test]
fn attack_28_a_copy_with_a_damaged_body_does_not_burn_the_nonce() {
    let site = site();
    let message = post("/", "hello");
    let mut damaged = message.wire();
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(site.send(damaged).status(), 401);
    let wire = message.wire();
    let mut client = site.connect();
    client.write(&wire[..wire.len() - 1]);
    drop(client);
    assert_eq!(site.send(wire).status(), 200);
    assert_eq!(site.upstream.received().len(), 1);
}
