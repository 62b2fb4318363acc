//! `nonce-missing`: nothing in a request says that it is another one.

use super::{Find, Rule, Subject, Warning};
use countersign_core::scheme::Kind;
use countersign_core::scheme::model::Replay;

pub(super) static RULE: Rule = Rule {
    code: "nonce-missing",
    summary: "requests carry no nonce",
    what: "Finds a scheme for requests without a nonce. Webhooks and links are exempt: the whole message stands for \
           itself there, and links are meant to be followed again.",
    why: "What is remembered is then time and signature base. Signed reads can be repeated within the window, as two \
          equal ones are legitimate; and where a server remembers only the last request of each user, A, B, A passes.",
    example: "[fresh]\ntimestamp = \"2m\"",
    fix: "Carry and sign `{nonce:unreserved 16-128}`, and say `[fresh] nonce = \"once per key\"`.",
    reference: "RFC 9421, section 7.2.2 (signature replay); OWASP ASVS 5.0, 11.5.1 (128 random bits)",
    check,
};

fn check(subject: &Subject<'_>, find: &mut Find<'_>) {
    let fresh = &subject.scheme.fresh;
    let mut fields = subject.message.fields.iter().enumerate();
    let captured = fields.any(|(id, field)| field.name == "nonce" && subject.expects(id));
    if subject.request() != Some(Kind::Request) || fresh.nonce.is_some() || captured {
        return;
    }
    let message = match fresh.replay {
        Replay::Always => "requests carry no nonce: two that are equal are refused as one",
        Replay::UnsafeMethods => "requests carry no nonce: those for reading can be repeated within the window",
        Replay::Never => "requests carry no nonce, and can be repeated",
    };
    find(Warning, subject.fresh(), message.to_owned());
}
