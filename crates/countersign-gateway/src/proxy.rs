//! One request: judged, then forwarded or refused.
//!
//! ```text
//! verdict of the guard ─► route ─► path policy ─► body limit ─► engine ─► allowed? ─► upstream ─► client
//!        400, 408, 431    404      400            413           401 …     403         502, 504
//! ```
//!
//! What goes upstream is made here of parts that were judged: the path as it was sent, the fields without those that
//! end here, the body that was kept, framed anew. Nothing of the client's framing is passed on, and the upstream is
//! the route's, whatever the request says.

use std::sync::Arc;
use std::time::Instant;

use countersign_core::time::UnixTime;
use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body as _, Bytes, Incoming};

use crate::clearance::Clearance;
use crate::config::PathPolicy;
use crate::fields;
use crate::guard::Verdicts;
use crate::holding::Holding;
use crate::judge::Doubt;
use crate::outbound::Outbound;
use crate::paths;
use crate::pen::Asked;
use crate::refuse::Refusal;
use crate::reply::{Record, Reply};
use crate::site::{Observing, Route, Site};
use crate::upstream::{Upstream, UpstreamError, UpstreamLimits};

/// Says what time it is.
pub type Clock = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// What one worker answers requests with.
pub(crate) struct Proxy {
    site: Arc<Site>,
    upstreams: Vec<Arc<Upstream>>,
    clock: Clock,
}

/// Why a request may be forwarded.
enum Passage {
    /// All that is asked for was there, and held.
    Cleared(Box<Clearance>),
    /// It was not, and the route only observes.
    Observed(Observing, &'static str),
}

impl Proxy {
    pub(crate) fn new(site: Arc<Site>, limits: UpstreamLimits, clock: Clock) -> Self {
        let upstreams = site.upstreams.iter().map(|address| Upstream::new(address.clone(), limits)).collect();
        Self { site, upstreams, clock }
    }

    /// Answers a request of a guarded connection.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        verdicts: Verdicts,
        peer: Arc<str>,
    ) -> Response<Reply> {
        let (verdict, in_flight) = verdicts.next();
        let (head, body) = request.into_parts();
        let mut record = Record {
            started: Instant::now(),
            peer,
            method: head.method.clone(),
            route: None,
            scheme: None,
            key_id: None,
            outcome: "refused",
            reason: None,
            status: StatusCode::OK,
            _in_flight: in_flight,
        };
        let refused = match verdict {
            Err(violation) => Some(Refusal::Violation(violation)),
            Ok(()) if fields::connection_names_a_field(&head.headers) => Some(Refusal::ConnectionNamesField),
            Ok(()) if fields::look_alike(&head.headers) => Some(Refusal::FieldsLookAlike),
            Ok(()) => None,
        };
        let path = head.uri.path().as_bytes();
        let route = match refused {
            Some(refusal) => Err(refusal),
            None => self.site.routes.find(path, &head.method).ok_or_else(|| match paths::check(path) {
                Ok(()) => Refusal::NoRoute,
                Err(fault) => Refusal::Path(fault),
            }),
        };
        match route {
            Ok(route) => {
                record.route = Some(Arc::clone(&route.label));
                record.scheme = Some(Arc::clone(&route.scheme));
                let holding = Holding::new(body, Arc::clone(&route.spool), verdicts);
                self.on_route(route, head, holding, record).await
            }
            Err(refusal) => {
                self.site.counters.unrouted.add(refusal.code());
                let closes = !body.is_end_stream() || !matches!(refusal, Refusal::NoRoute | Refusal::Path(_));
                refuse(refusal.response(), &Doubt::of(refusal), closes, record)
            }
        }
    }

    async fn on_route(&self, route: &Route, head: Parts, mut body: Holding, record: Record) -> Response<Reply> {
        let passage = match self.judge(route, &head, &mut body, &record.peer).await {
            Ok(clearance) => Passage::Cleared(Box::new(clearance)),
            Err(doubt) => match route.observing() {
                Some(observing) => {
                    if let Err(refusal) = body.settle().await {
                        return self.refuse_on(route, &Doubt::of(refusal), true, record);
                    }
                    log(&doubt, &record, "observed");
                    Passage::Observed(observing, doubt.refusal.code())
                }
                None => return self.refuse_on(route, &doubt, body.has_unread(), record),
            },
        };
        self.forward(route, head, body, passage, record).await
    }

    async fn judge(&self, route: &Route, head: &Parts, body: &mut Holding, peer: &str) -> Result<Clearance, Doubt> {
        if route.paths == PathPolicy::Strict {
            paths::check(head.uri.path().as_bytes()).map_err(|fault| Doubt::of(Refusal::Path(fault)))?;
        }
        if body.is_declared_too_large() {
            return Err(Doubt::of(Refusal::BodyTooLarge));
        }
        route.demands.judge(head, body, peer, (self.clock)(), |key_id| route.allows(key_id)).await
    }

    async fn forward(
        &self,
        route: &Route,
        mut head: Parts,
        body: Holding,
        passage: Passage,
        mut record: Record,
    ) -> Response<Reply> {
        let Some(upstream) = self.upstreams.get(route.upstream) else {
            return self.refuse_on(route, &Doubt::of(Refusal::UpstreamFailed), true, record);
        };
        let asked = route.answer_pen.as_ref().map(|pen| (pen, Asked::of(&head)));
        let pen = route.pen.as_ref().filter(|_| matches!(passage, Passage::Cleared(_)));
        readdress(&mut head, upstream);
        fields::strip_request(&mut head.headers);
        if let Passage::Cleared(clearance) = &passage {
            clearance.tell(&route.demands, &route.scheme_value, &mut head.headers);
            record.key_id = clearance.key_id();
        }
        let outbound = match pen {
            None => body.release().await.map(|body| Outbound::AsItCame(Box::new(Request::from_parts(head, body)))),
            Some(pen) => match body.finish().await {
                Ok(stored) => match Outbound::signed(pen, head, stored, upstream, (self.clock)()).await {
                    Ok(signed) => Ok(signed),
                    Err(error) => {
                        let detail = Some(error.to_string());
                        let doubt = Doubt { detail, ..Doubt::of(Refusal::RequestUnsigned) };
                        return self.refuse_on(route, &doubt, false, record);
                    }
                },
                Err(error) => Err(error),
            },
        };
        let outbound = match outbound {
            Ok(outbound) => outbound,
            Err(error) => {
                tracing::error!(%error, "a body could not be held");
                return self.refuse_on(route, &Doubt::of(Refusal::SpoolFailed), true, record);
            }
        };
        match passage {
            Passage::Cleared(_) => {
                record.outcome = "forwarded";
                if let Some(counters) = route.counters(&self.site) {
                    counters.forwarded.add();
                }
            }
            Passage::Observed(Observing { .. }, reason) => {
                record.outcome = "observed";
                record.reason = Some(reason);
                if let Some(counters) = route.counters(&self.site) {
                    counters.observed.add(reason);
                }
            }
        }
        match outbound.send(upstream, &self.clock).await {
            Ok(response) => {
                let (mut head, body) = response.into_parts();
                fields::strip_response(&mut head.headers);
                let Some((pen, asked)) = asked else {
                    record.status = head.status;
                    return Response::from_parts(head, Reply::upstream(body, record));
                };
                match pen.sign(&asked, &mut head, body, (self.clock)()).await {
                    Ok(body) => {
                        record.status = head.status;
                        Response::from_parts(head, Reply::own(body, record))
                    }
                    Err(error) => {
                        tracing::error!(target: "countersign::upstream", route = &*route.label, %error, "an answer is withheld");
                        let refusal = Refusal::AnswerUnsigned;
                        record.reason = Some(refusal.code());
                        reply(refusal.response(), false, record)
                    }
                }
            }
            Err(error) => {
                tracing::warn!(target: "countersign::upstream", route = &*route.label, %error, "no response");
                let refusal = match error {
                    UpstreamError::ConnectTimedOut | UpstreamError::ResponseTimedOut => Refusal::UpstreamTimedOut,
                    UpstreamError::Connect(_) | UpstreamError::Failed(_) | UpstreamError::Switched => {
                        Refusal::UpstreamFailed
                    }
                };
                record.reason = Some(refusal.code());
                reply(refusal.response(), false, record)
            }
        }
    }

    fn refuse_on(&self, route: &Route, doubt: &Doubt, closes: bool, record: Record) -> Response<Reply> {
        if let Some(counters) = route.counters(&self.site) {
            counters.refused.add(doubt.refusal.code());
        }
        refuse(route.refusals.response(&doubt.refusal), doubt, closes, record)
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("site", &self.site).finish_non_exhaustive()
    }
}

/// Makes a request one to the upstream: origin form, HTTP/1.1, and the authority that the client sent, which is the
/// one that was signed. Only where HTTP/1.0 sent none is it the upstream's own.
fn readdress(head: &mut Parts, upstream: &Upstream) {
    head.version = Version::HTTP_11;
    if head.uri.authority().is_some()
        && let Some(target) = head.uri.path_and_query().cloned()
    {
        head.uri = Uri::from(target);
    }
    if !head.headers.contains_key(header::HOST) {
        head.headers.insert(header::HOST, upstream.authority().clone());
    }
}

fn refuse(response: Response<Bytes>, doubt: &Doubt, closes: bool, mut record: Record) -> Response<Reply> {
    record.reason = Some(doubt.refusal.code());
    log(doubt, &record, "refused");
    reply(response, closes, record)
}

fn reply(mut response: Response<Bytes>, closes: bool, mut record: Record) -> Response<Reply> {
    if closes {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    record.status = response.status();
    response.map(|body| Reply::own(body, record))
}

fn log(doubt: &Doubt, record: &Record, outcome: &'static str) {
    tracing::info!(
        target: "countersign::refusal",
        peer = &*record.peer,
        method = %record.method,
        route = record.route.as_deref(),
        scheme = record.scheme.as_deref(),
        outcome,
        reason = doubt.refusal.code(),
        detail = doubt.detail,
        step = doubt.step,
        claimed_key_id = doubt.claimed_key_id,
        "not verified"
    );
}
