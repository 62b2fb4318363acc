//! Links: what each changed character does to one, and what each term of one refuses.

use super::*;

const NOW: UnixTime = UnixTime::from_secs(1_714_566_896);

fn links() -> Links {
    Links::new(&Keys::one("correct horse battery staple").unwrap()).unwrap()
}

fn made(url: &str, terms: &Terms) -> String {
    links().make(url, terms, [7; 16], NOW).unwrap()
}

/// Follows a link, with its authority, as a client would.
fn follow(link: &str, change: impl FnOnce(&mut Request<'_>)) -> Result<Checked, Refused> {
    follow_at(link, NOW, change)
}

fn follow_at(link: &str, now: UnixTime, change: impl FnOnce(&mut Request<'_>)) -> Result<Checked, Refused> {
    let rest = link.split_once("://").unwrap().1;
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let at = rest.find('/').unwrap();
    let mut request = Request {
        method: "GET",
        authority: &rest[..at],
        target: &rest.as_bytes()[at..],
        address: None,
        key_id: None,
    };
    change(&mut request);
    links().check(&request, now)
}

fn refusal(checked: Result<Checked, Refused>) -> Option<Refused> {
    checked.err()
}

#[test]
fn a_link_holds_for_what_it_was_made_for() {
    for url in [
        "https://files.example.com/report.pdf",
        "https://files.example.com/report.pdf?",
        "https://FILES.example.com/a%20b?x=1&x=2&empty=&flag#page=2",
        "http://localhost:8080/",
    ] {
        let link = made(url, &Terms::lasting(60));
        assert!(matches!(follow(&link, |_| {}), Ok(Checked::Holds(_))), "{link}");
        assert_eq!(link.ends_with("#page=2"), url.ends_with("#page=2"));
    }
    let link = made("https://h:443/a", &Terms::lasting(60));
    assert!(follow(&link, |request| request.authority = "h").is_ok());
}

#[test]
fn attack_10_any_other_character_is_another_link() {
    let link = made("https://files.example.com/report.pdf?user=7&list=a%2Cb", &Terms::lasting(60));
    for at in "https://".len()..link.len() {
        for byte in (b'!'..=b'~').filter(|byte| *byte != b'#') {
            let mut changed = link.clone().into_bytes();
            changed[at] = byte;
            let changed = String::from_utf8(changed).unwrap();
            if !changed["https://".len()..].contains('/') {
                continue;
            }
            // Names of hosts have no case.
            let same = changed.to_lowercase() == link.to_lowercase() && at < "https://files.example.com".len();
            let holds = follow(&changed, |_| {}).is_ok();
            assert_eq!(holds, changed == link || same, "{changed}");
        }
        let mut shorter = link.clone();
        shorter.remove(at);
        if shorter["https://".len()..].contains('/') {
            assert!(follow(&shorter, |_| {}).is_err(), "{shorter}");
        }
    }
    for more in ["&a=b", "&", "=", "&cs-link=", "&user=8", "&CS-LINK=x", "&%63s-link=x"] {
        assert!(follow(&format!("{link}{more}"), |_| {}).is_err(), "{more}");
    }
}

#[test]
fn a_link_ends() {
    let link = made("https://h/a", &Terms::lasting(60));
    let at = |millis| UnixTime::from_millis(NOW.millis() + millis);
    assert!(follow_at(&link, at(60_000), |_| {}).is_ok());
    assert_eq!(refusal(follow_at(&link, at(60_001), |_| {})), Some(Refused::Expired));
}

#[test]
fn a_link_is_for_its_methods() {
    let get = made("https://h/a", &Terms::lasting(60));
    for method in ["HEAD", "POST", "get", "GETS", ""] {
        assert_eq!(refusal(follow(&get, |request| request.method = method)), Some(Refused::Bound), "{method}");
    }
    let terms = Terms { methods: vec!["GET".to_owned(), "HEAD".to_owned()], ..Terms::lasting(60) };
    let both = made("https://h/a", &terms);
    assert!(follow(&both, |request| request.method = "HEAD").is_ok());
    assert_eq!(refusal(follow(&both, |request| request.method = "GET,HEAD")), Some(Refused::Bound));
    let wrong = Terms { methods: vec!["GET,POST".to_owned()], ..Terms::lasting(60) };
    assert_eq!(links().make("https://h/a", &wrong, [7; 16], NOW), Err(LinkFault::Method));
}

#[test]
fn a_link_is_for_its_address_and_its_key() {
    let address: IpAddr = "192.0.2.7".parse().unwrap();
    let link = made("https://h/a", &Terms { address: Some(address), ..Terms::lasting(60) });
    assert!(follow(&link, |request| request.address = Some(address)).is_ok());
    assert!(follow(&link, |request| request.address = "::ffff:192.0.2.7".parse().ok()).is_ok());
    assert_eq!(refusal(follow(&link, |_| {})), Some(Refused::Bound));
    assert_eq!(refusal(follow(&link, |request| request.address = "192.0.2.8".parse().ok())), Some(Refused::Bound));
    let link = made("https://h/a", &Terms { key: Some("alice".to_owned()), ..Terms::lasting(60) });
    assert!(follow(&link, |request| request.key_id = Some(b"alice")).is_ok());
    assert_eq!(refusal(follow(&link, |_| {})), Some(Refused::Bound));
    assert_eq!(refusal(follow(&link, |request| request.key_id = Some(b"bob"))), Some(Refused::Bound));
}

#[test]
fn attack_08_free_parameters_bring_nothing_that_is_signed() {
    let terms = Terms { free: vec!["utm_source".to_owned()], ..Terms::lasting(60) };
    let link = made("https://h/a?user=7&utm_source=mail", &terms);
    for holds in ["", "&utm_source=", "&utm_source=a&utm_source=b", "&utm%5fsource=a", "&utm_source"] {
        assert!(follow(&format!("{link}{holds}"), |_| {}).is_ok(), "{holds}");
    }
    assert!(follow(&link.replace("&utm_source=mail", ""), |_| {}).is_ok());
    for refused in ["&user=8", "&utm_sourcex=1", "&utm_source=1;user=8", "&UTM_SOURCE=1", "&utm_source%00=1", "&"] {
        assert!(follow(&format!("{link}{refused}"), |_| {}).is_err(), "{refused}");
    }
    for name in ["", PARAMETER] {
        let wrong = Terms { free: vec![name.to_owned()], ..Terms::lasting(60) };
        assert_eq!(links().make("https://h/a", &wrong, [7; 16], NOW), Err(LinkFault::Free));
    }
}

#[test]
fn any_host_is_said_by_the_link() {
    let link = made("https://h/a", &Terms { any_host: true, ..Terms::lasting(60) });
    assert!(follow(&link, |request| request.authority = "other").is_ok());
    let link = made("https://h/a", &Terms::lasting(60));
    assert!(follow(&link, |request| request.authority = "other").is_err());
}

#[test]
fn attack_07_no_two_links_have_one_base() {
    // What is the path of one is not the authority, or the query, of another.
    let tag = |authority: &str, path: &str, query: &[&[u8]]| {
        let links = links();
        let key = links.keys.first().unwrap();
        key.tag(b"head", false, authority, path.as_bytes(), query).as_bytes().to_vec()
    };
    let all = [
        tag("h", "/a", &[b"b"]),
        tag("h", "/ab", &[]),
        tag("h/", "a", &[b"b"]),
        tag("h", "/a", &[b"", b"b"]),
        tag("h", "/a", &[b"b", b""]),
    ];
    for (index, one) in all.iter().enumerate() {
        assert!(!all[..index].contains(one));
    }
}

/// A store of one thread.
fn uses(link: &str, seen: &mut Vec<[u8; 32]>) -> Result<Followed, Refused> {
    let mut uses = match follow(link, |_| {})? {
        Checked::Holds(followed) => return Ok(followed),
        Checked::Uses(uses) => uses,
    };
    loop {
        let digest = uses.entry().digest;
        assert_eq!(uses.entry().live_until, UnixTime::from_secs(NOW.secs() + 60));
        let first = if seen.contains(&digest) { FirstUse::Seen } else { FirstUse::First };
        if first == FirstUse::First {
            seen.push(digest);
        }
        match uses.answered(first) {
            Answered::Holds(followed) => return Ok(followed),
            Answered::Next(next) => uses = next,
            Answered::Spent => return Err(Refused::Replayed),
        }
    }
}

#[test]
fn attack_22_a_link_has_as_many_uses_as_it_says() {
    for most in [1, 2, 3, MOST_USES] {
        let link = made("https://h/a", &Terms { uses: Some(most), ..Terms::lasting(60) });
        let mut seen = Vec::new();
        for _ in 0..most {
            assert_eq!(uses(&link, &mut seen).unwrap().uses(), Some(most));
        }
        assert_eq!(uses(&link, &mut seen), Err(Refused::Replayed));
        assert_eq!(seen.len(), usize::from(most));
        // Another number is another link.
        let other = links().make("https://h/a", &Terms { uses: Some(most), ..Terms::lasting(60) }, [8; 16], NOW);
        assert!(uses(&other.unwrap(), &mut seen).is_ok());
    }
    for wrong in [0, MOST_USES + 1] {
        let terms = Terms { uses: Some(wrong), ..Terms::lasting(60) };
        assert_eq!(links().make("https://h/a", &terms, [7; 16], NOW), Err(LinkFault::Uses));
    }
}

#[test]
fn an_old_key_serves_and_is_told() {
    let old = Keys::one("an old key of some length").unwrap();
    let both = Keys::newest_first(["a new key of some length", "an old key of some length"]).unwrap();
    let link = Links::new(&old).unwrap().make("https://h/a", &Terms::lasting(60), [7; 16], NOW).unwrap();
    let target = link.strip_prefix("https://h").unwrap().as_bytes();
    let request = Request { method: "GET", authority: "h", target, address: None, key_id: None };
    let Ok(Checked::Holds(followed)) = Links::new(&both).unwrap().check(&request, NOW) else { panic!() };
    assert!(followed.needs_resign());
    assert!(Links::new(&Keys::one("short").unwrap()).is_err());
}

#[test]
fn what_is_no_url_becomes_no_link() {
    for url in [
        "",
        "/a",
        "ftp://h/a",
        "https://",
        "https:///a",
        "https://h",
        "https://h?a",
        "https://u@h/a",
        "https://h/a b",
        "https://h/é",
    ] {
        assert_eq!(links().make(url, &Terms::lasting(60), [7; 16], NOW), Err(LinkFault::Url), "{url}");
    }
    for lifetime in [0, LONGEST_LIFETIME + 1, u64::MAX] {
        assert_eq!(links().make("https://h/a", &Terms::lasting(lifetime), [7; 16], NOW), Err(LinkFault::Lifetime));
    }
    let link = made("https://h/a", &Terms::lasting(60));
    assert_eq!(links().make(&link, &Terms::lasting(60), [7; 16], NOW), Err(LinkFault::AlreadySigned));
    let long = Terms { key: Some("k".repeat(256)), ..Terms::lasting(60) };
    assert_eq!(links().make("https://h/a", &long, [7; 16], NOW), Err(LinkFault::TooLong));
}
