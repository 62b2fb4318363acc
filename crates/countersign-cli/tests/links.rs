//! Links that may be followed once, against the running program: after a restart, and after `kill -9`, they are still
//! spent.

mod live;

use live::{Held, Site, countersign};

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
