//! Parts that come twice, that are missing, or that have the name of something else.

use crate::support::{Message, NONCE, NOW, Subject, all_subjects, catalogue_subjects, reason, sample};
use countersign_core::reject::{PublicReason, Reason};
use countersign_core::scheme::draft::Place;

#[test]
fn attack_08_a_doubled_field_of_credentials_is_refused() {
    let mut doubled = 0;
    for subject in all_subjects() {
        let signed = subject.signed(&sample(&subject));
        for carrier in subject.plan.scheme().request.carriers.iter().filter(|carrier| carrier.place == Place::Header)
        {
            let Some(own) = signed.field(&carrier.name).map(<[u8]>::to_vec) else { continue };
            for name in [carrier.written.clone(), carrier.written.to_uppercase(), carrier.written.to_lowercase()] {
                for value in [own.clone(), b"0".to_vec(), Vec::new()] {
                    for first in [true, false] {
                        let mut changed = signed.clone();
                        let at = if first { 0 } else { changed.fields.len() };
                        changed.fields.insert(at, (name.clone(), value.clone()));
                        let refused = subject.verify(&changed).expect_err(&subject.name);
                        assert_eq!(refused.reason(), Reason::FieldDuplicated, "{}: {name}", subject.name);
                        assert_eq!(refused.public(), PublicReason::Ambiguous);
                        doubled += 1;
                    }
                }
            }
            // The same as one line, RFC 9110, section 5.3.
            for joined in [
                [own.as_slice(), &own].join(&b", "[..]),
                [own.as_slice(), b"x"].join(&b','),
                [&b"x"[..], &own].join(&b','),
            ] {
                let mut changed = signed.clone();
                changed.set_field(&carrier.name, joined.clone());
                let verdict = subject.verify(&changed);
                // Webhooks rotate their keys with several signatures in one field; another `x` is passed over.
                let rotates = carrier.split.as_ref().is_some_and(|split| !split.reject_unknown);
                assert!(verdict.is_err() || rotates, "{}: {}", subject.name, String::from_utf8_lossy(&joined));
            }
        }
    }
    assert!(doubled > 300, "{doubled}");
}

#[test]
fn attack_08_a_doubled_parameter_of_credentials_is_refused() {
    let mut doubled = 0;
    for subject in all_subjects() {
        let signed = subject.signed(&sample(&subject));
        for carrier in &subject.plan.scheme().request.carriers {
            let place = match carrier.place {
                Place::Query => signed.query().unwrap_or_default().to_vec(),
                Place::Form => signed.body.clone(),
                _ => continue,
            };
            let name = &carrier.written;
            if !place.split(|byte| *byte == b'&').any(|pair| pair.starts_with(format!("{name}=").as_bytes())) {
                continue;
            }
            let first = name.as_bytes()[0];
            for spelling in
                [name.clone(), format!("%{first:02x}{}", &name[1..]), format!("%{first:02X}{}", &name[1..])]
            {
                for value in ["", "=", "=0", "=eve"] {
                    let pair = format!("{spelling}{value}").into_bytes();
                    for joined in [[pair.as_slice(), &place].join(&b'&'), [place.as_slice(), &pair].join(&b'&')] {
                        let mut changed = signed.clone();
                        match carrier.place {
                            Place::Query => changed.target = [signed.path(), &joined].join(&b'?'),
                            _ => changed.body = joined,
                        }
                        let refused = subject.verify(&changed).expect_err(&subject.name);
                        assert_eq!(refused.reason(), Reason::FieldDuplicated, "{}: {spelling}{value}", subject.name);
                        doubled += 1;
                    }
                }
            }
        }
    }
    assert!(doubled > 300, "{doubled}");
}

/// Some servers trim the names of cookies and some do not, and some know cookies without a value: what one of them could
/// take for the cookie that carries the credentials is a second one.
#[test]
fn attack_08_a_cookie_that_some_read_under_the_same_name_is_a_second_one() {
    let subject = Subject::of("cookie-signature");
    let signed = subject.signed(&sample(&subject));
    let own = String::from_utf8(signed.field("Cookie").expect("a cookie").to_vec()).expect("text");
    let judged = |cookies: &[String]| {
        let mut changed = signed.clone();
        changed.set_field("Cookie", cookies.join(";"));
        subject.verify(&changed)
    };
    for other in ["s =eve", "s\t=eve", " s\t =eve", "s =", "s", " s "].map(str::to_owned) {
        for cookies in
            [&[own.clone(), other.clone()][..], &[other.clone(), own.clone()], std::slice::from_ref(&other)]
        {
            assert_eq!(reason(&judged(cookies)), Reason::FieldDuplicated, "{cookies:?}");
        }
    }
    for other in ["S=eve", "ss=eve", "s.=eve", "=s", "", " "].map(str::to_owned) {
        assert!(judged(&[own.clone(), other.clone()]).is_ok(), "{other:?}");
        assert!(judged(&[other.clone(), format!(" {own} ")]).is_ok(), "{other:?}");
    }
}

/// What a form holds is not taken for what the query carries, nor a cookie for a field.
#[test]
fn attack_08_a_parameter_elsewhere_shadows_nothing() {
    let mut accepted = 0;
    for subject in catalogue_subjects() {
        let signed = subject.signed(&sample(&subject));
        let held = subject.verify(&signed).expect("it holds");
        for carrier in &subject.plan.scheme().request.carriers {
            let pair = format!("{}=eve", carrier.written);
            let mut in_form = signed.clone();
            in_form.body = pair.clone().into_bytes();
            let in_cookie = signed.clone().with_field("Cookie", &pair);
            let mut in_query = signed.clone();
            in_query.target = [signed.target.as_slice(), pair.as_bytes()].join(&b'&');
            for changed in [in_form, in_cookie, in_query] {
                if let Ok(other) = subject.verify(&changed) {
                    accepted += 1;
                    assert_eq!((&other.key_id, &other.captures), (&held.key_id, &held.captures), "{pair}");
                }
            }
        }
    }
    assert!(accepted > 10, "{accepted}");
}

#[test]
fn attack_09_what_is_covered_cannot_be_left_out() {
    let mut left_out = 0;
    for subject in all_subjects() {
        let signed = subject.signed(&sample(&subject));
        let held = subject.verify(&signed).expect("it holds");
        let mut refused = |changed: &Message, what: &str| {
            assert!(changed != &signed && subject.verify(changed).is_err(), "{} without {what}", subject.name);
            left_out += 1;
        };
        for part in &held.coverage.covered {
            let mut changed = signed.clone();
            match (part.as_str(), part.split_once(' ')) {
                ("method", _) => changed.method = String::new(),
                ("authority" | "hostname", _) => changed.authority = String::new(),
                ("path", _) => changed.target = [b"/", signed.query().unwrap_or_default()].join(&b'?'),
                ("query", _) => changed.target = signed.path().to_vec(),
                ("body", _) => changed.body = Vec::new(),
                // A list that names what is not there: what is missing stays missing.
                (_, Some(("header", name))) if signed.field(name).is_none() => continue,
                (_, Some(("header", name))) => changed.remove_field(name),
                _ => continue,
            }
            refused(&changed, part);
        }
        for carrier in subject.plan.scheme().request.carriers.iter().filter(|carrier| carrier.place == Place::Header)
        {
            // These may be left out and are not signed: `appid` where the key is known without it, the other as it only
            // repeats what the algorithm is.
            let spare = matches!(carrier.name.as_str(), "appid" | "wechatpay-signature-type");
            if signed.field(&carrier.name).is_some() && !spare {
                let mut changed = signed.clone();
                changed.remove_field(&carrier.name);
                refused(&changed, &carrier.written);
                let mut changed = signed.clone();
                changed.set_field(&carrier.name, "");
                refused(&changed, &carrier.written);
            }
        }
        let pieces: Vec<&[u8]> = signed.query().unwrap_or_default().split(|byte| *byte == b'&').collect();
        for at in (0..pieces.len()).filter(|_| held.coverage.covers("query")) {
            let mut rest = pieces.clone();
            rest.remove(at);
            let mut changed = signed.clone();
            changed.target = [signed.path(), &rest.join(&b'&')].join(&b'?');
            refused(&changed, &String::from_utf8_lossy(pieces[at]));
        }
    }
    assert!(left_out > 150, "{left_out}");
}

/// Absent is not empty: a covered field that is not there is refused, and not signed as nothing.
#[test]
fn attack_09_an_absent_field_is_not_an_empty_one() {
    for (base, names) in [
        ("{header.x-a}", "date"),
        ("{header.x-a | lower}", "date"),
        ("{query.a}", "date"),
        ("{cookie.a}", "date"),
        ("{peer}", "date"),
        ("{headers | pick signed | each \"{v}\" | join \"\"}", "date;x-a"),
    ] {
        let text = format!(
            "[header]\nX-Sign = \"{{signature:hex}}\"\nX-Names = \"{{signed:names}}\"\n[sign]\nbase = '{base}'\n\
             signature = \"{{base | hmac-sha256 secret | hex}}\"\n"
        );
        let subject = Subject::from("absent", &text);
        let empty =
            Message::new("GET", "/?a=").with_field("X-A", "").with_field("Cookie", "a=").with_field("Date", "");
        let signed = subject.sign_with(&empty, &[("signed", names)], NOW, NONCE).expect("an empty value is a value");
        assert!(subject.verify(&signed).is_ok(), "{base}");
        let mut absent = signed.clone();
        absent.fields.retain(|(name, _)| name != "X-A" && name != "Cookie");
        absent.target = b"/".to_vec();
        absent.peer = None;
        assert_eq!(reason(&subject.verify(&absent)), Reason::FieldMissing, "{base}");
    }
}

#[test]
fn attack_15_a_field_named_like_a_derived_one_is_refused() {
    let kong = Subject::of("kong-hmac-auth");
    let signed = kong.signed(&sample(&kong));
    for name in ["@request-target", "request-line", "@REQUEST-TARGET", "Request-Line"] {
        for value in ["post /v1/pay", "POST /v1/other HTTP/1.1", ""] {
            let forged = signed.clone().with_field(name, value);
            assert_eq!(reason(&kong.verify(&forged)), Reason::FieldDuplicated, "{name}");
            assert!(kong.sign(&sample(&kong).with_field(name, value)).is_err(), "{name}");
        }
    }
}

#[test]
fn attack_15_a_field_is_not_a_derived_component() {
    let kong = Subject::from("kong-as-shipped", "extends = \"kong-hmac-auth\"\n[require]\nsigned = \"date\"\n");
    for name in ["@method", "@path", "@authority", "@target-uri", "(request-target)", ":method", "method", "path"] {
        let message = sample(&kong).with_field(name, "DELETE");
        let signed = kong.sign_with(&message, &[("signed", &format!("date {name}"))], NOW, NONCE);
        let Ok(signed) = signed else {
            assert_eq!(name, ":method", "no name of a field");
            continue;
        };
        let held = kong.verify(&signed).expect("it holds");
        assert_eq!(held.coverage.not_covered, ["method", "authority", "path", "query", "body"], "{name}");
        assert!(held.coverage.covers(&format!("header {name}")), "{name}");
    }
}

/// A Host field that is not the authority would be signed in its place.
#[test]
fn attack_15_a_host_is_the_authority() {
    for subject in all_subjects() {
        let signed = subject.signed(&sample(&subject));
        for host in ["other.example", "api.example.com:443", "", "api.example.com.", "api.example.com, other.example"]
        {
            let refused = subject.verify(&signed.clone().with_field("Host", host));
            assert_eq!(reason(&refused), Reason::FieldDuplicated, "{}: {host}", subject.name);
        }
    }
}
