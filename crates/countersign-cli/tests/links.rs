//! Links that may be followed once, against the running program: after a restart, and after `kill -9`, they are still
//! spent.

mod live;

use std::sync::Barrier;

use live::{Connection, Held, Site, countersign};

const ROUTE: &str = r#"
[[route]]
path     = "/*"
link     = { keys = ["links"] }
upstream = "{upstream}"
"#;
const KEY: &str = "a key of links, long enough";

/// The target of a link.
fn link(target: &str, uses: &str) -> String {
    let url = format!("http://a.example{target}");
    let made = countersign(["link", "make", &url, "--expires-in", "600", "--uses", uses, "--key", KEY]);
    assert_eq!(made.status, 0, "{made}");
    made.stdout.trim_end().strip_prefix("http://a.example").unwrap().to_owned()
}

#[test]
fn attack_29_a_link_that_was_followed_is_spent_after_a_restart_too() {
    let mut site = Site::start(ROUTE, &[("links", KEY)]);
    let targets: Vec<String> = (0..20).map(|n| link(&format!("/reset?user={n}"), "1")).collect();
    let twice = link("/twice", "2");
    let status = |site: &Site, target: &str| site.send(live::signing::get(target)).verdict();
    for (round, target) in targets.iter().enumerate() {
        assert_eq!(status(&site, target).0, 200);
        assert_eq!(status(&site, target), (401, "request-repeated".to_owned()));
        if round == 0 {
            assert_eq!(status(&site, &twice).0, 200);
        }
        if round % 5 == 4 {
            if round % 2 == 0 {
                site.gateway.kill();
            } else {
                site.gateway.stop();
            }
            site.restart(&Held::default());
        }
        for spent in &targets[..=round] {
            assert_eq!(status(&site, spent), (401, "request-repeated".to_owned()), "round {round}");
        }
    }
    assert_eq!(status(&site, &twice).0, 200, "one of two uses was left");
    assert_eq!(status(&site, &twice).0, 401);
    assert_eq!(site.upstream.received().len(), targets.len() + 2);
}

#[test]
fn attack_22_of_a_thousand_at_once_one_follows_it_and_none_after_a_crash() {
    let mut site = Site::start(ROUTE, &[("links", KEY)]);
    let wire = live::signing::get(&link("/reset?user=7", "1"));
    let barrier = Barrier::new(50);
    let addr = site.gateway.addr();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let follow = || {
            let mut connections: Vec<_> = (0..20).map(|_| Connection::to(addr)).collect();
            barrier.wait();
            for connection in &mut connections {
                connection.write(&wire);
            }
            connections.iter_mut().map(|connection| connection.read().status()).collect::<Vec<_>>()
        };
        let clients: Vec<_> = (0..50).map(|_| scope.spawn(follow)).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(statuses.len(), 1_000);
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 999);
    site.gateway.kill();
    site.restart(&Held::default());
    assert_eq!(site.send(&wire).verdict(), (401, "request-repeated".to_owned()));
    assert_eq!(site.upstream.received().len(), 1);
}
