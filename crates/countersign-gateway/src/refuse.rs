//! Refusals: what a client is told when its request goes no further.
//!
//! There are few public answers, and one exhaustive `match` maps every cause to one of them. What was wrong with a
//! signature in particular is in the log, never in the answer: an unknown key and a wrong signature get the same
//! bytes. What was wrong with the HTTP is told, since it says nothing about keys and helps whoever wrote the client.
//!
//! Answers are problem details (RFC 9457). They are built once for each route; refusing costs no formatting.

use countersign_core::reject::{PublicReason, Reason};
use countersign_core::replay::StoreError;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use hyper::body::Bytes;

use crate::guard::Violation;
use crate::paths::PathFault;
use crate::pen::ASKING;

/// Why a request goes no further.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The body broke off, or could not be read.
    BodyBroken,
    /// The body is longer than the route allows.
    BodyTooLarge,
    /// `Connection` names a field that is more than a matter of the connection.
    ConnectionNamesField,
    /// Two fields have names that some servers cannot tell apart.
    FieldsLookAlike,
    /// The signature holds, but too many before it did not: it may have been guessed.
    KeyFailing,
    /// The key is known and the signature holds, but this route is not for this key.
    KeyNotAllowed,
    /// No route covers the request.
    NoRoute,
    /// The path can be read in two ways.
    Path(PathFault),
    /// The engine refused the request.
    Rejected(Reason),
    /// The answer could not be signed for the client.
    AnswerUnsigned,
    /// The request could not be signed for the upstream.
    RequestUnsigned,
    /// The body could not be held until it was verified.
    SpoolFailed,
    /// A store could not answer.
    Undecided(StoreError),
    /// The upstream could not be reached, or gave no answer.
    UpstreamFailed,
    /// The upstream was too slow.
    UpstreamTimedOut,
    /// The guard refused the request.
    Violation(Violation),
}

/// The public answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum PublicAnswer {
    Engine(PublicReason),
    NoRoute,
    AnswerUnsigned,
    NotAllowed,
    RequestUnsigned,
    TooSlow,
    Unavailable,
    UnmetExpectation,
    UpstreamFailed,
    UpstreamTimedOut,
    HeadTooLarge,
}

impl Refusal {
    /// The stable code for log and metrics, as in `signature-mismatch` or `http-line-ending`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AnswerUnsigned => "answer-unsigned",
            Self::BodyBroken => "body-broken",
            Self::BodyTooLarge => "body-too-large",
            Self::ConnectionNamesField => "connection-names-field",
            Self::FieldsLookAlike => "fields-look-alike",
            Self::KeyFailing => "key-failing",
            Self::KeyNotAllowed => "key-not-allowed",
            Self::NoRoute => "no-route",
            Self::Path(fault) => fault.code(),
            Self::Rejected(reason) => reason.code(),
            Self::RequestUnsigned => "request-unsigned",
            Self::SpoolFailed => "spool-failed",
            Self::Undecided(error) => match error {
                StoreError::ClockWentBack => "store-clock-went-back",
                StoreError::Full => "store-full",
                StoreError::KeyQuota => "store-key-quota",
                StoreError::Quarantined => "store-quarantined",
                StoreError::TimedOut => "store-timed-out",
                _ => "store-unavailable",
            },
            Self::UpstreamFailed => "upstream-failed",
            Self::UpstreamTimedOut => "upstream-timed-out",
            Self::Violation(violation) => violation.code(),
        }
    }

    /// Every code there is.
    pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
        let others = [
            Self::AnswerUnsigned,
            Self::RequestUnsigned,
            Self::BodyBroken,
            Self::BodyTooLarge,
            Self::ConnectionNamesField,
            Self::FieldsLookAlike,
            Self::KeyFailing,
            Self::KeyNotAllowed,
            Self::NoRoute,
            Self::SpoolFailed,
            Self::Undecided(StoreError::ClockWentBack),
            Self::Undecided(StoreError::Full),
            Self::Undecided(StoreError::KeyQuota),
            Self::Undecided(StoreError::Quarantined),
            Self::Undecided(StoreError::TimedOut),
            Self::Undecided(StoreError::Unavailable(String::new())),
            Self::UpstreamFailed,
            Self::UpstreamTimedOut,
        ];
        let paths = PathFault::ALL.iter().map(|fault| fault.code());
        let violations = Violation::ALL.iter().map(|violation| violation.code());
        let reasons = Reason::ALL.iter().map(|reason| reason.code());
        others.map(|refusal| refusal.code()).into_iter().chain(paths).chain(violations).chain(reasons)
    }

    /// What the client is told.
    pub(crate) fn public(&self) -> PublicAnswer {
        match self {
            Self::BodyBroken => PublicAnswer::Engine(PublicReason::Malformed),
            Self::BodyTooLarge => PublicAnswer::Engine(PublicReason::TooLarge),
            Self::AnswerUnsigned => PublicAnswer::AnswerUnsigned,
            // The bytes of a wrong signature: whoever guesses does not learn that one was right.
            Self::KeyFailing => PublicAnswer::Engine(PublicReason::Wrong),
            Self::KeyNotAllowed => PublicAnswer::NotAllowed,
            Self::RequestUnsigned => PublicAnswer::RequestUnsigned,
            Self::NoRoute => PublicAnswer::NoRoute,
            Self::Rejected(reason) => PublicAnswer::Engine(reason.public()),
            Self::SpoolFailed | Self::Undecided(_) => PublicAnswer::Unavailable,
            Self::UpstreamFailed => PublicAnswer::UpstreamFailed,
            Self::UpstreamTimedOut => PublicAnswer::UpstreamTimedOut,
            Self::Violation(Violation::BodyTimeout | Violation::HeadTimeout) => PublicAnswer::TooSlow,
            Self::Violation(Violation::HeadTooLarge | Violation::FieldsTooMany) => PublicAnswer::HeadTooLarge,
            Self::Violation(Violation::Expectation) => PublicAnswer::UnmetExpectation,
            Self::ConnectionNamesField | Self::FieldsLookAlike | Self::Path(_) | Self::Violation(_) => {
                PublicAnswer::Engine(PublicReason::Ambiguous)
            }
        }
    }

    /// The status that this refusal has, whoever asked. A malformed request that reached the engine is a failed
    /// authentication; one that did not is a bad request.
    pub(crate) fn status(&self) -> StatusCode {
        match (self, self.public()) {
            (Self::BodyBroken, _) => StatusCode::BAD_REQUEST,
            (_, PublicAnswer::Engine(reason)) => engine_status(reason),
            (_, PublicAnswer::NoRoute) => StatusCode::NOT_FOUND,
            (_, PublicAnswer::NotAllowed) => StatusCode::FORBIDDEN,
            (_, PublicAnswer::TooSlow) => StatusCode::REQUEST_TIMEOUT,
            (_, PublicAnswer::RequestUnsigned | PublicAnswer::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
            (_, PublicAnswer::UnmetExpectation) => StatusCode::EXPECTATION_FAILED,
            (_, PublicAnswer::AnswerUnsigned | PublicAnswer::UpstreamFailed) => StatusCode::BAD_GATEWAY,
            (_, PublicAnswer::UpstreamTimedOut) => StatusCode::GATEWAY_TIMEOUT,
            (_, PublicAnswer::HeadTooLarge) => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        }
    }

    /// The refusal as a response without a scheme to name.
    pub(crate) fn response(&self) -> Response<Bytes> {
        let answer = self.public();
        let detail = match self {
            Self::Path(fault) => fault.to_string(),
            Self::Violation(violation) => violation.to_string(),
            Self::ConnectionNamesField => "the Connection field names another field of the request".to_owned(),
            Self::FieldsLookAlike => "two fields have names that some servers cannot tell apart".to_owned(),
            _ => return problem(self.status(), answer.code(), answer.title(), answer.sentence()),
        };
        problem(self.status(), answer.code(), answer.title(), &sentence(&detail))
    }
}

/// The answers of one route to what the engine refuses, ready to be sent.
#[derive(Debug)]
pub(crate) struct RouteRefusals {
    ready: [(PublicReason, Ready); PublicReason::ALL.len()],
}

/// An error body of the scheme's own. What it leaves open is as usual.
#[derive(Debug, Clone)]
pub(crate) struct OwnAnswer {
    pub(crate) status: Option<StatusCode>,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) body: Bytes,
}

#[derive(Debug, Clone)]
struct Ready {
    status: StatusCode,
    content_type: HeaderValue,
    challenge: Option<HeaderValue>,
    asking: Option<HeaderValue>,
    body: Bytes,
}

impl RouteRefusals {
    /// The answers of a route whose scheme is `scheme`; `asking` is the `Accept-Signature` of those with a challenge. Where `own` gives one for a reason, that is used: clients
    /// that were written for another server may depend on it.
    pub(crate) fn new(
        scheme: &str,
        realm: Option<&str>,
        asking: Option<&HeaderValue>,
        own: impl Fn(PublicReason) -> Option<OwnAnswer>,
    ) -> Self {
        let challenge = challenge(scheme, realm);
        let ready = PublicReason::ALL.map(|reason| {
            let usual = engine_status(reason);
            let (status, content_type, body) = if let Some(own) = own(reason) {
                let content_type = own.content_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
                (own.status.unwrap_or(usual), content_type, own.body)
            } else {
                let answer = PublicAnswer::Engine(reason);
                (usual, PROBLEM, problem_body(usual, answer.code(), answer.title(), answer.sentence()))
            };
            let challenge = (status == StatusCode::UNAUTHORIZED).then(|| challenge.clone());
            let asking = challenge.as_ref().and(asking).cloned();
            let ready = Ready { status, content_type, challenge, asking, body };
            (reason, ready)
        });
        Self { ready }
    }

    /// The answer to a request that was refused on this route.
    pub(crate) fn response(&self, refusal: &Refusal) -> Response<Bytes> {
        let (Refusal::Rejected(_) | Refusal::BodyTooLarge | Refusal::KeyFailing, PublicAnswer::Engine(public)) =
            (refusal, refusal.public())
        else {
            return refusal.response();
        };
        let Some((_, ready)) = self.ready.iter().find(|(reason, _)| *reason == public) else {
            return refusal.response();
        };
        let mut response = respond(ready.status, ready.content_type.clone(), ready.body.clone());
        if let Some(challenge) = &ready.challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge.clone());
        }
        if let Some(asking) = &ready.asking {
            response.headers_mut().insert(ASKING, asking.clone());
        }
        response
    }
}

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

impl PublicAnswer {
    const fn code(self) -> &'static str {
        match self {
            Self::Engine(reason) => reason.code(),
            Self::NoRoute => "no-route",
            Self::AnswerUnsigned => "answer-unsigned",
            Self::NotAllowed => "request-not-allowed",
            Self::RequestUnsigned => "request-unsigned",
            Self::TooSlow => "request-too-slow",
            Self::Unavailable => "not-decided",
            Self::UnmetExpectation => "expectation-unmet",
            Self::UpstreamFailed => "upstream-failed",
            Self::UpstreamTimedOut => "upstream-timed-out",
            Self::HeadTooLarge => "head-too-large",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Engine(reason) => match reason {
                PublicReason::Ambiguous => "Ambiguous request",
                PublicReason::Malformed => "Malformed request",
                PublicReason::Missing => "Signature missing",
                PublicReason::Repeated => "Repeated request",
                PublicReason::Stale => "Stale request",
                PublicReason::TooLarge => "Request too large",
                PublicReason::Wrong => "Signature wrong",
            },
            Self::NoRoute => "No such route",
            Self::AnswerUnsigned => "Answer not signed",
            Self::NotAllowed => "Not allowed",
            Self::RequestUnsigned => "Request not signed",
            Self::TooSlow => "Request too slow",
            Self::Unavailable => "Not decided",
            Self::UnmetExpectation => "Expectation cannot be met",
            Self::UpstreamFailed => "Upstream failed",
            Self::UpstreamTimedOut => "Upstream too slow",
            Self::HeadTooLarge => "Head too large",
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::Engine(reason) => reason.sentence(),
            Self::NoRoute => "Nothing is served here.",
            Self::AnswerUnsigned => "The upstream's answer could not be signed, and is withheld.",
            Self::RequestUnsigned => "The request could not be signed for the upstream. It was not forwarded.",
            Self::NotAllowed => "The key may not be used for this request.",
            Self::TooSlow => "The request did not arrive in time.",
            Self::Unavailable => {
                "The request could not be decided. It was not forwarded; sign it anew and try again."
            }
            Self::UnmetExpectation => "The request's expectation cannot be met.",
            Self::UpstreamFailed => "The upstream could not be reached or gave no answer.",
            Self::UpstreamTimedOut => "The upstream did not answer in time.",
            Self::HeadTooLarge => "The request's head is larger than allowed.",
        }
    }
}

/// Which status the engine's public reasons have (RFC 9110, section 15.5).
const fn engine_status(reason: PublicReason) -> StatusCode {
    match reason {
        PublicReason::Ambiguous => StatusCode::BAD_REQUEST,
        PublicReason::Malformed
        | PublicReason::Missing
        | PublicReason::Repeated
        | PublicReason::Stale
        | PublicReason::Wrong => StatusCode::UNAUTHORIZED,
        PublicReason::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
    }
}

/// `Countersign scheme="…", realm="…"`. Both come from the configuration, which allows no quotes in them.
fn challenge(scheme: &str, realm: Option<&str>) -> HeaderValue {
    let text = match realm {
        Some(realm) => format!("Countersign realm=\"{realm}\", scheme=\"{scheme}\""),
        None => format!("Countersign scheme=\"{scheme}\""),
    };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("Countersign"))
}

fn problem(status: StatusCode, code: &str, title: &str, detail: &str) -> Response<Bytes> {
    respond(status, PROBLEM, problem_body(status, code, title, detail))
}

fn problem_body(status: StatusCode, code: &str, title: &str, detail: &str) -> Bytes {
    let problem = serde_json::json!({
        "type": format!("urn:countersign:problem:{code}"),
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
        "reason": code,
    });
    let mut body = problem.to_string();
    body.push('\n');
    body.into()
}

fn respond(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        // A store that was away may be back at once; a request has to be signed anew in any case.
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// An error's words as a sentence.
fn sentence(words: &str) -> String {
    let mut characters = words.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusals() -> RouteRefusals {
        RouteRefusals::new("md5-token", Some("assets"), None, |_| None)
    }

    #[test]
    fn attack_40_every_refusal_has_its_status_and_is_not_stored() {
        let route = refusals();
        let mut causes: Vec<(Refusal, u16)> = vec![
            (Refusal::AnswerUnsigned, 502),
            (Refusal::RequestUnsigned, 503),
            (Refusal::BodyBroken, 400),
            (Refusal::BodyTooLarge, 413),
            (Refusal::ConnectionNamesField, 400),
            (Refusal::FieldsLookAlike, 400),
            (Refusal::KeyFailing, 401),
            (Refusal::KeyNotAllowed, 403),
            (Refusal::NoRoute, 404),
            (Refusal::Path(PathFault::DotSegment), 400),
            (Refusal::SpoolFailed, 503),
            (Refusal::Undecided(StoreError::Full), 503),
            (Refusal::UpstreamFailed, 502),
            (Refusal::UpstreamTimedOut, 504),
        ];
        causes.extend(Violation::ALL.iter().map(|violation| {
            let status = match violation {
                Violation::BodyTimeout | Violation::HeadTimeout => 408,
                Violation::FieldsTooMany | Violation::HeadTooLarge => 431,
                Violation::Expectation => 417,
                _ => 400,
            };
            (Refusal::Violation(*violation), status)
        }));
        causes.extend(Reason::ALL.iter().map(|reason| {
            let status = match reason {
                Reason::FieldDuplicated | Reason::FieldNameReserved | Reason::SignatureAmbiguous => 400,
                Reason::SignaturesTooMany | Reason::TooLarge => 413,
                _ => 401,
            };
            (Refusal::Rejected(*reason), status)
        }));
        for (refusal, status) in causes {
            for response in [route.response(&refusal), refusal.response()] {
                assert_eq!(response.status().as_u16(), status, "{refusal:?}");
                assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
                let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
                assert_eq!(body["status"], status);
                assert_eq!(body["reason"], refusal.public().code());
                assert!(body["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "{body}");
            }
            let challenged = route.response(&refusal).headers().contains_key(header::WWW_AUTHENTICATE);
            assert_eq!(challenged, status == 401, "{refusal:?}");
        }
    }

    #[test]
    fn attack_36_unknown_key_and_wrong_signature_get_the_same_bytes() {
        let route = refusals();
        let wrong = route.response(&Refusal::Rejected(Reason::SignatureMismatch));
        let reasons = [Reason::KeyUnknown, Reason::KeyInactive, Reason::KeyUnsuitable, Reason::DigestMismatch];
        for refusal in reasons.map(Refusal::Rejected).into_iter().chain([Refusal::KeyFailing]) {
            let other = route.response(&refusal);
            assert_eq!(other.status(), wrong.status());
            assert_eq!(other.headers(), wrong.headers());
            assert_eq!(other.body(), wrong.body());
        }
        assert_eq!(wrong.headers()[header::WWW_AUTHENTICATE], r#"Countersign realm="assets", scheme="md5-token""#);
    }

    #[test]
    fn a_scheme_may_answer_in_its_own_way() {
        let own = |reason| {
            (reason == PublicReason::Wrong).then(|| OwnAnswer {
                status: Some(StatusCode::OK),
                content_type: Some(HeaderValue::from_static("application/json")),
                body: Bytes::from_static(b"{}"),
            })
        };
        let route = RouteRefusals::new("s", None, None, own);
        let response = route.response(&Refusal::Rejected(Reason::KeyUnknown));
        assert_eq!((response.status(), &response.body()[..]), (StatusCode::OK, &b"{}"[..]));
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert!(!response.headers().contains_key(header::WWW_AUTHENTICATE));
        assert_eq!(route.response(&Refusal::Rejected(Reason::Replayed)).status(), StatusCode::UNAUTHORIZED);
        assert_eq!(route.response(&Refusal::Undecided(StoreError::Full)).status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
