//! The articles' clients against a real gateway: what passes, what is refused, and what the upstream gets to see.
//!
//! Their own servers let some of this through. Each such case is named after what the article's server would do.

mod live;

use std::collections::BTreeSet;
use std::process::Command;
use std::thread;
use std::time::Duration;

use live::signing::{API, APP, ASSET, SHARED, TOKEN, Transfer, USER, get, md5_query, md5_request};
use live::{Finished, Site, articles, countersign, now, python, root, run};

fn asset() -> Site {
    Site::start(ASSET, &[(USER, TOKEN)])
}

fn api() -> Site {
    Site::start(API, &[(APP, SHARED)])
}

fn refused(reason: &str) -> (u16, String) {
    (401, reason.to_owned())
}

#[test]
fn a_route_whose_key_is_not_there_yet_is_told_of_at_the_start() {
    let told = |site: &Site| site.gateway.log().contains("the route's key is not in the store");
    let without = Site::start(API, &[]);
    assert!(told(&without) && without.gateway.log().contains(APP), "{}", without.gateway.log());
    assert_eq!(without.send(Transfer::new("early", now()).wire()).status(), 401);
    live::add_key(without.folder(), APP, SHARED);
    assert_eq!(without.send(Transfer::new("later", now()).wire()).status(), 200);
    assert!(!told(&api()));
}

/// The first line of each answer that a client printed.
fn statuses(client: &Finished) -> Vec<&str> {
    client.stdout.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).collect()
}

mod first {
    use super::*;

    #[test]
    fn its_client_passes_once_and_the_upstream_sees_query_and_body_unchanged() {
        let site = asset();
        let url = site.url("/asset/asset_report/?kind=a%20b&kind=%E6%9C%BA&empty=&bare");
        let client = python("md5_token.py", ["--url", &url, "--user", USER, "--secret", TOKEN, "--times", "2"]);
        let Some(client) = client else { return };
        assert_eq!((client.status, statuses(&client)), (1, vec!["200 OK", "401 Unauthorized"]), "{client}");
        assert!(client.stdout.contains(r#""reason":"request-repeated""#), "{client}");

        let received = site.upstream.only();
        let sent = client.stderr.trim().strip_prefix("POST ").unwrap();
        assert_eq!(format!("http://{}{}", site.gateway.addr(), received.target()), sent);
        assert!(
            received.target().contains("?kind=a%20b&kind=%E6%9C%BA&empty=&bare&user=123456789@qq.com&timestamp=")
        );
        let form = "asset_type=server&sn=00426-OEM-8992662&model=PowerEdge+R720&remark=%E6%9C%BA%E6%88%BF+A+%26+B";
        assert_eq!(String::from_utf8_lossy(&received.body), form);
    }

    #[test]
    fn any_byte_of_a_body_arrives() {
        let site = asset();
        let body: Vec<u8> = (0..=255).cycle().take(70_000).collect();
        let query = md5_query(USER, TOKEN, now());
        let head = format!("POST /asset/?{query} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
        assert_eq!(site.send([head.as_bytes(), &body].concat()).status(), 200);
        assert_eq!(site.upstream.only().body, body);
    }

    /// The article remembers the last token of each user: after B it has forgotten A.
    #[test]
    fn a_then_b_then_a_again_is_refused() {
        let site = asset();
        let (a, b) = (md5_request(now() - 1), md5_request(now()));
        assert_eq!(site.send(&a).status(), 200);
        assert_eq!(site.send(&b).status(), 200);
        assert_eq!(site.send(&a).verdict(), refused("request-repeated"));
        assert_eq!(site.send(&b).verdict(), refused("request-repeated"));
        assert_eq!(site.upstream.count(), 2);
    }

    /// The article remembers a token before it has compared it: any garbage makes it forget the last good one.
    #[test]
    fn garbage_between_does_not_make_it_forget() {
        let site = asset();
        let time = now();
        assert_eq!(site.send(md5_request(time)).status(), 200);
        let garbage = get(&format!("/asset/?user={USER}&timestamp={time}&token=0000000"));
        assert_eq!(site.send(garbage).verdict(), refused("signature-wrong"));
        assert_eq!(site.send(md5_request(time)).verdict(), refused("request-repeated"));
        assert_eq!(site.upstream.count(), 1);
    }

    #[test]
    fn what_proves_nothing_never_reaches_the_upstream() {
        let site = asset();
        let signed = |query: String| get(&format!("/asset/?{query}"));
        let time = now();
        let good = md5_query(USER, TOKEN, time);
        for (what, wire, reason) in [
            ("an hour old", md5_request(time - 3600), "request-stale"),
            ("two minutes and a bit old", md5_request(time - 122), "request-stale"),
            ("an hour ahead", md5_request(time + 3600), "request-stale"),
            ("wrong secret", signed(md5_query(USER, "abd", time)), "signature-wrong"),
            ("no secret", signed(md5_query(USER, "", time)), "signature-wrong"),
            ("unknown user", signed(md5_query("987654321@qq.com", TOKEN, time)), "signature-wrong"),
            ("no signature", signed(good.split("&token").next().unwrap().to_owned()), "signature-missing"),
            ("no query", get("/asset/"), "signature-missing"),
            (
                "an empty token",
                signed(good.split_inclusive("token=").next().unwrap().to_owned()),
                "request-malformed",
            ),
            ("a shorter token", signed(good[..good.len() - 1].to_owned()), "signature-wrong"),
            ("no user", signed(good.split_once('&').unwrap().1.to_owned()), "request-malformed"),
            ("another time", signed(good.replace(&time.to_string(), &(time - 1).to_string())), "signature-wrong"),
            ("a time with a sign", signed(good.replace("timestamp=", "timestamp=%2B")), "request-malformed"),
        ] {
            assert_eq!(site.send(wire).verdict(), refused(reason), "{what}");
        }
        for (what, query) in
            [("two tokens", format!("{good}&token=0000000")), ("two users", format!("{good}&user=b"))]
        {
            assert_eq!(site.send(signed(query)).verdict(), (400, "request-ambiguous".to_owned()), "{what}");
        }
        site.upstream.assert_untouched();
        assert_eq!(site.send(signed(good)).status(), 200, "and none of it used up what is good");
    }

    #[test]
    fn an_unknown_user_and_a_wrong_secret_get_the_same_bytes() {
        let site = asset();
        let time = now();
        let unknown = site.send(get(&format!("/asset/?{}", md5_query("nobody@qq.com", TOKEN, time))));
        let wrong = site.send(get(&format!("/asset/?{}", md5_query(USER, "abd", time))));
        assert_eq!(unknown.status(), 401);
        assert_eq!(unknown.dateless(), wrong.dateless());
        site.upstream.assert_untouched();
        assert_eq!(site.gateway.reasons(2), ["key-unknown", "signature-mismatch"], "the log knows");
    }

    #[test]
    fn a_route_may_refuse_in_the_articles_words() {
        let site = Site::start(&format!("{ASSET}errors = \"scheme\"\n"), &[(USER, TOKEN)]);
        let time = now();
        let signed = |user, secret, time| get(&format!("/asset/?{}", md5_query(user, secret, time)));
        assert_eq!(site.send(signed(USER, TOKEN, time)).body, b"done\n");
        let mut said = BTreeSet::new();
        for wire in [
            signed(USER, TOKEN, time),
            signed(USER, TOKEN, time - 3600),
            signed(USER, "abd", time),
            signed("nobody@qq.com", TOKEN, time),
            get("/asset/"),
        ] {
            let response = site.send(wire);
            assert_eq!(response.status(), 200);
            assert!(response.head.contains("content-type: application/json\r\n"), "{}", response.head);
            let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
            let why = body["errors"][0]["auth_failed"].as_str().unwrap().to_owned();
            assert_eq!(body, serde_json::json!({"errors": [{"auth_failed": why}]}));
            said.insert(why);
        }
        assert_eq!(said.len(), 4, "an unknown user and a wrong secret are one: {said:?}");
        assert_eq!(site.upstream.count(), 1);
    }
}

mod second {
    use super::*;

    #[test]
    fn a_transfer_that_was_changed_on_its_way_is_refused_and_the_real_one_passes_once() {
        let site = api();
        let genuine = Transfer::new("n-1", now());
        let wire = String::from_utf8(genuine.wire()).unwrap();
        let changed = wire.replace(r#""to":"b""#, r#""to":"c""#);
        assert_ne!(wire, changed);
        assert_eq!(site.send(&changed).verdict(), refused("signature-wrong"));
        let more = wire.replace("/api/transfer HTTP", "/api/transfer?to=c HTTP");
        assert_eq!(site.send(more).verdict(), refused("signature-wrong"));
        let elsewhere = wire.replace("/api/transfer HTTP", "/api/transfers HTTP");
        assert_eq!(site.send(elsewhere).verdict(), refused("signature-wrong"));
        let other_nonce = wire.replace("nonce: n-1", "nonce: n-2");
        assert_eq!(site.send(other_nonce).verdict(), refused("signature-wrong"));
        site.upstream.assert_untouched();

        assert_eq!(site.send(&wire).status(), 200, "none of that used up its nonce");
        assert_eq!(site.send(&wire).verdict(), refused("request-repeated"));
        assert_eq!(site.send(&changed).verdict(), refused("signature-wrong"));
        assert_eq!(site.upstream.only().body, genuine.body.as_bytes());
    }

    #[test]
    fn its_client_passes_once_with_sorted_parameters_and_either_case() {
        let site = api();
        let url = site.url("/api/transfer?to=b&from=a%26c&amount=100&memo=%E6%9C%BA%20x&from=a");
        for further in [&["--times", "2"][..], &["--times", "2", "--upper"], &["--times", "2", "--user", APP]] {
            let arguments = ["--url", &url, "--secret", SHARED].into_iter().chain(further.iter().copied());
            let Some(client) = python("spring_sign.py", arguments) else { return };
            assert_eq!(statuses(&client), ["200 OK", "401 Unauthorized"], "{client}");
        }
        for further in [["--tamper", r#"{"to":"c"}"#], ["--secret", "another shared secret"], ["--user", "nobody"]] {
            let arguments = ["--url", &url, "--secret", SHARED].into_iter().chain(further);
            let Some(client) = python("spring_sign.py", arguments) else { return };
            assert_eq!(statuses(&client), ["401 Unauthorized"], "{client}");
            assert!(client.stdout.contains(r#""reason":"signature-wrong""#), "{client}");
        }
        assert_eq!(site.upstream.count(), 3);
    }

    /// The window is ten minutes either way. The article remembers a nonce for five, from when it came.
    #[test]
    fn a_nonce_stays_refused_up_to_the_last_second_of_its_window() {
        let site = api();
        let mut late = Transfer::new("late", now() - 596);
        late.upper = true;
        let early = Transfer::new("early", now() + 590);
        for transfer in [&late, &early] {
            assert_eq!(site.send(transfer.wire()).status(), 200);
            assert_eq!(site.send(transfer.wire()).verdict(), refused("request-repeated"));
        }
        for (what, time) in [("too old", now() - 601), ("too far ahead", now() + 610)] {
            assert_eq!(site.send(Transfer::new("never", time).wire()).verdict(), refused("request-stale"), "{what}");
        }
        // Across the edge: refused as repeated, then as stale, and between the two never accepted.
        let mut answers = Vec::new();
        while answers.last() != Some(&refused("request-stale")) {
            assert!(now() < late.time + 620, "{answers:?}");
            answers.push(site.send(late.wire()).verdict());
            thread::sleep(Duration::from_millis(20));
        }
        answers.dedup();
        assert_eq!(answers, [refused("request-repeated"), refused("request-stale")]);
        assert!(now() >= late.time + 600, "it was accepted, and so it was remembered, for ten minutes");
        assert_eq!(site.upstream.count(), 2);
    }
}

mod fifth {
    use super::*;

    const HASH: &str = "dl3r5G/KswfQW3fxykJx92FaHSiNDFJMn4fAKjQhIP0=";
    const STRING: &str = "/V2/products?app_id=9af172d4&searchType=advancedSearch&query=itemPrimaryId:00007252147019\
                          &access_mdm=computer&TIMESTAMP=2015-10-19T09:58:37Z&geo_loc_access_latd=9.91\
                          &geo_loc_access_long=51.51";
    const ENCODED: &str = "dl3r5G%2FKswfQW3fxykJx92FaHSiNDFJMn4fAKjQhIP0%3D";
    /// 2015-10-19T09:58:37Z.
    const THEN: &str = "1445248717";
    const URL: &str = "https://marketplace.api.1worldsync.com/V2/products";

    fn line(hash_code: &str) -> String {
        let query = STRING.split_once('?').unwrap().1.replace(':', "%3A");
        serde_json::json!({
            "id": "1", "method": "GET", "url": format!("{URL}?{query}{hash_code}"), "headers": [],
            "scheme": "1worldsync", "key_id": "9af172d4", "secret": "XXXXX", "now": THEN.parse::<i64>().unwrap(),
        })
        .to_string()
    }

    fn jsonl(command: &str, line: &str) -> Finished {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("line");
        std::fs::write(&path, format!("{line}\n")).unwrap();
        countersign([command, "--jsonl", "--request", path.to_str().unwrap()])
    }

    #[test]
    fn the_python_client_and_the_program_make_the_articles_hash() {
        let signed = jsonl("sign", &line("")).json();
        assert_eq!(signed["signature"], HASH);
        let url = signed["url"].as_str().unwrap();
        assert!(url.ends_with(&format!("&hash_code={ENCODED}")), "{url}");
        assert_eq!(jsonl("verify", &line(&format!("&hash_code={ENCODED}"))).json()["verdict"], "verified");

        let shown = python(
            "oneworldsync.py",
            [
                "--url",
                URL,
                "--user",
                "9af172d4",
                "--secret",
                "XXXXX",
                "--timestamp",
                "2015-10-19T09:58:37Z",
                "--show",
            ],
        );
        let Some(shown) = shown else { return };
        for text in [STRING, HASH, ENCODED, url] {
            assert!(shown.stdout.lines().any(|line| line.ends_with(&format!(" {text}"))), "{text}\n{shown}");
        }
    }

    #[test]
    fn explain_prints_each_stage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("request");
        let query = STRING.split_once('?').unwrap().1;
        let request = format!(
            "GET /V2/products?{query}&hash_code={ENCODED} HTTP/1.1\r\nHost: marketplace.api.1worldsync.com\r\n\r\n"
        );
        std::fs::write(&path, request).unwrap();
        let key = ["--scheme", "1worldsync", "--key-id", "9af172d4", "--secret", "XXXXX", "--now", THEN];
        let explained = countersign(["explain", "--request", path.to_str().unwrap()].iter().chain(&key));
        assert_eq!(explained.status, 0, "{explained}");
        let hmac = "765debe46fcab307d05b77f1ca4271f7615a1d288d0c524c9f87c02a342120fd";
        for stage in [STRING, hmac, HASH, ENCODED] {
            assert!(explained.stdout.contains(stage), "{stage}\n{explained}");
        }
    }

    const KEYS: &[(&str, &str)] = &[("9af172d4", "XXXXX")];

    fn search(site: &Site) -> Option<Finished> {
        let url = site.url("/V2/products");
        python("oneworldsync.py", ["--url", &url, "--user", "9af172d4", "--secret", "XXXXX", "--times", "2"])
    }

    #[test]
    fn its_client_passes_and_the_upstream_sees_the_query_unchanged() {
        let route = "[[route]]\npath = \"/V2/*\"\nscheme = \"1worldsync\"\nupstream = \"{upstream}\"\n";
        let site = Site::start(route, KEYS);
        let Some(client) = search(&site) else { return };
        // Without a nonce a signed GET may pass again while it is fresh, by the scheme in the catalogue.
        assert_eq!(statuses(&client), ["200 OK", "200 OK"], "{client}");
        let sent = client.stderr.trim().strip_prefix("GET ").unwrap();
        for received in site.upstream.received() {
            assert_eq!(format!("http://{}{}", site.gateway.addr(), received.target()), sent);
        }
    }

    #[test]
    fn a_scheme_that_extends_it_lets_each_search_pass_once() {
        let scheme = articles().join("1worldsync-once.toml");
        let route = "[[route]]\npath = \"/V2/*\"\nscheme = \"{scheme}\"\nupstream = \"{upstream}\"\n";
        let site = Site::start(&route.replace("{scheme}", scheme.to_str().unwrap()), KEYS);
        let Some(client) = search(&site) else { return };
        assert_eq!(statuses(&client), ["200 OK", "401 Unauthorized"], "{client}");
        assert_eq!(site.upstream.count(), 1);
    }
}

/// The script that a newcomer runs by hand.
#[test]
fn the_example_runs_as_its_readme_says() {
    if python("upstream.py", ["--help"]).is_none() {
        return;
    }
    let mut script = Command::new(articles().join("run"));
    let ran = run(script.env("COUNTERSIGN", env!("CARGO_BIN_EXE_countersign")).current_dir(root()));
    assert_eq!(ran.status, 0, "{ran}");
    assert_eq!(ran.stdout.matches("\n200 OK\n").count(), 3, "{ran}");
    assert_eq!(ran.stdout.matches(r#""reason":"request-repeated""#).count(), 3, "{ran}");
    assert_eq!(ran.stdout.matches(r#""reason":"signature-wrong""#).count(), 1, "{ran}");
    assert!(ran.stdout.contains("the upstream got 3 requests"), "{ran}");
}
