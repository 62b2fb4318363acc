//! Attack 17: the corpus of the guard, against the whole gateway.

#[path = "../src/guard/corpus.rs"]
mod corpus;
#[expect(dead_code, reason = "the tests of other subjects use the rest of it")]
mod support;

use support::{Setup, Site};

/// Sends a case and gives the statuses of all answers.
fn statuses(site: &Site, case: &corpus::Case) -> Vec<u16> {
    let mut client = site.connect();
    client.write(&case.wire);
    let mut statuses = Vec::new();
    let head_only = case.wire.starts_with(b"HEAD");
    while statuses.len() < case.requests + 1 {
        if statuses.len() == case.requests && case.expect == "passes" {
            break;
        }
        match client.try_read(head_only) {
            Ok(response) => statuses.push(response.status()),
            Err(_) => break,
        }
    }
    statuses
}

#[test]
fn attack_17_nothing_of_the_corpus_passes_a_route_that_enforces() {
    let site = support::site();
    for case in corpus::cases() {
        let statuses = statuses(&site, &case);
        assert!(statuses.iter().all(|status| (400..500).contains(status)), "{}: {statuses:?}", case.name);
        assert!(!statuses.is_empty(), "{}", case.name);
        assert_eq!(site.upstream.accepted(), 0, "{}", case.name);
    }
    assert_eq!(site.send(support::get("/").wire()).status(), 200);
}

#[test]
fn attack_17_one_request_in_is_at_most_one_request_out() {
    // What is only observed is forwarded unless the guard refuses it: what gets past the guard gets past.
    let site = Setup { route: "mode = \"observe\"", ..Setup::default() }.start();
    let mut before = 0;
    for case in corpus::cases() {
        let statuses = statuses(&site, &case);
        let received = site.upstream.received();
        let forwarded = &received[before..];
        before = received.len();
        if case.expect == "passes" {
            assert!(
                statuses.iter().all(|status| *status == 200 || case.name == "asterisk form"),
                "{}: {statuses:?}",
                case.name
            );
            let expected = if case.name == "asterisk form" { 0 } else { case.requests };
            assert_eq!(forwarded.len(), expected, "{}", case.name);
        } else {
            let refusal = match case.expect.as_str() {
                "http-fields-too-many" => 431,
                "http-expectation" => 417,
                _ => 400,
            };
            assert_eq!(statuses.last(), Some(&refusal), "{}: {statuses:?}", case.name);
            // Pipelined before the offence, and right.
            let innocent = statuses.len() - 1;
            assert_eq!(forwarded.len(), innocent, "{}: {forwarded:#?}", case.name);
        }
        for request in forwarded {
            assert!(request.line().ends_with(" HTTP/1.1"), "{}", case.name);
            assert_eq!(request.field("transfer-encoding"), None, "{}", case.name);
            let lengths = request.head.to_lowercase().matches("\r\ncontent-length:").count();
            assert!(lengths <= 1, "{}: {}", case.name, request.head);
        }
    }
}

#[test]
fn attack_17_however_it_is_split_into_packets() {
    let site = Setup { route: "mode = \"observe\"", ..Setup::default() }.start();
    // The whole corpus byte by byte would take minutes; the guard's own tests do that without a socket.
    for case in corpus::cases().iter().filter(|case| case.wire.len() < 100).step_by(7) {
        let mut client = site.connect();
        for byte in &case.wire {
            client.write([*byte]);
        }
        let response = client.try_read(false).map(|response| response.status());
        let passes = case.expect == "passes" && case.name != "asterisk form";
        assert_eq!(response.is_ok_and(|status| status == 200), passes, "{}", case.name);
    }
}
