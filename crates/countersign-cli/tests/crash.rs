//! What outlives the gateway's process, and what happens when its store cannot answer.
//!
//! `COUNTERSIGN_ROUNDS` says how often the process is killed; a few times unless it is set.

mod live;

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use live::signing::{API, APP, ASSET, SHARED, TOKEN, Transfer, USER, md5_request};
use live::{Held, Site, now};

fn rounds() -> u32 {
    match std::env::var("COUNTERSIGN_ROUNDS") {
        Ok(rounds) => rounds.parse().expect("COUNTERSIGN_ROUNDS is a number"),
        Err(_) => 4,
    }
}

fn both(held: &Held) -> Site {
    Site::held(&format!("{ASSET}{API}"), &[(USER, TOKEN), (APP, SHARED)], held)
}

fn repeated() -> (u16, String) {
    (401, "request-repeated".to_owned())
}

#[test]
fn what_was_accepted_right_before_a_kill_is_refused_after_it_and_new_requests_pass_at_once() {
    let mut site = both(&Held::default());
    let mut accepted = Vec::new();
    let mut token_time = now() - 1;
    for round in 0..rounds() {
        let wire = if round % 2 == 0 {
            Transfer::new(&format!("round-{round}"), now()).wire()
        } else {
            // Without a nonce there is one token a second.
            while now() <= token_time {
                thread::sleep(Duration::from_millis(10));
            }
            token_time = now();
            md5_request(token_time)
        };
        assert_eq!(site.send(&wire).status(), 200, "round {round}");
        site.gateway.kill();
        site.restart(&Held::default());
        assert_eq!(site.send(&wire).verdict(), repeated(), "round {round}");
        accepted.push((now(), wire));
    }
    // Tokens that are over by now would be refused for that alone.
    accepted.retain(|(time, _)| now() - time < 60);
    for (_, wire) in &accepted {
        assert_eq!(site.send(wire).verdict(), repeated(), "through all the kills that came after");
    }
    assert_eq!(site.upstream.count(), usize::try_from(rounds()).unwrap());
    eprintln!("torture: {} kills, as many replays refused, 0 accepted", rounds());
}

/// The check above, on a gateway that is made to forget: it has to notice.
#[test]
fn without_the_journal_the_same_check_would_fail() {
    let held = Held { options: &["--unsafe-hold-journal-writes"], ..Held::default() };
    let mut site = both(&held);
    let wire = Transfer::new("forgotten", now()).wire();
    assert_eq!(site.send(&wire).status(), 200);
    assert_eq!(site.send(&wire).verdict(), repeated(), "while it runs, it knows");
    site.gateway.kill();
    site.restart(&held);
    assert_eq!(site.send(&wire).status(), 200, "the replay is accepted");
    assert_eq!(site.upstream.count(), 2);
}

#[test]
fn what_was_accepted_before_a_stop_in_good_order_is_refused_after_it() {
    let held = Held::default();
    let mut site = both(&held);
    let wire = Transfer::new("stopped", now()).wire();
    assert_eq!(site.send(&wire).status(), 200);
    site.gateway.stop();
    site.restart(&held);
    assert_eq!(site.send(&wire).verdict(), repeated());
    assert_eq!(site.upstream.count(), 1);
}

/// From one moment on no file of the gateway can grow, as on a disk that is full.
#[test]
fn a_journal_that_cannot_be_written_to_is_503_and_nothing_reaches_the_upstream() {
    let held = Held { before: "trap '' XFSZ", ..Held::default() };
    let site = both(&held);
    let limit = |bytes: &str| {
        let limits = format!("--fsize={bytes}:unlimited");
        Command::new("prlimit").args(["--pid", &site.gateway.pid().to_string(), &limits]).status()
    };
    match limit("unlimited") {
        Ok(status) => assert!(status.success(), "{status}"),
        Err(error) => {
            eprintln!("skipped: prlimit: {error}");
            return;
        }
    }
    assert_eq!(site.send(Transfer::new("before", now()).wire()).status(), 200);

    assert!(limit("0").unwrap().success());
    let full = Transfer::new("full", now()).wire();
    assert_eq!(site.send(&full).verdict(), (503, "not-decided".to_owned()));
    for number in 0..50 {
        let response = site.send(Transfer::new(&format!("full-{number}"), now()).wire());
        assert_eq!(response.verdict(), (503, "not-decided".to_owned()), "{number}");
    }
    let forged = String::from_utf8(full.clone()).unwrap().replace("nonce: full", "nonce: none");
    assert_eq!(site.send(forged).verdict(), (401, "signature-wrong".to_owned()), "what it can decide it still does");
    assert_eq!(site.upstream.count(), 1);

    assert!(limit("unlimited").unwrap().success());
    let started = Instant::now();
    let mut number = 0;
    while site.send(Transfer::new(&format!("room-{number}"), now()).wire()).status() == 503 {
        assert!(started.elapsed() < Duration::from_secs(5), "there is room again");
        number += 1;
    }
    assert_eq!(site.send(&full).verdict(), repeated(), "nobody knows how much of it was written");
    assert_eq!(site.upstream.count(), 2);
}
