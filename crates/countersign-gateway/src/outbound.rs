//! A request on its way to its upstream: as it came, or signed anew, under the next scheme where one is turned away.

use std::sync::Arc;

use countersign_core::time::UnixTime;
use http::request::Parts;
use http::{Request, Response};
use hyper::body::Bytes;

use crate::pen::{self, RequestPen, Unsigned, is_turned_away};
use crate::proxy::Clock;
use crate::spool::Stored;
use crate::upstream::{Answered, Outgoing, Upstream, UpstreamError};

/// What goes upstream.
pub(crate) enum Outbound<'p> {
    /// With the client's signature alone.
    AsItCame(Box<Request<Outgoing>>),
    /// With the gateway's.
    Signed(Box<SignedOutbound<'p>>),
}

/// A request that is signed, and what it takes to sign it once more.
pub(crate) struct SignedOutbound<'p> {
    pen: &'p RequestPen,
    request: Request<Outgoing>,
    alternative: usize,
    /// The next scheme, and the request before it was signed.
    next: Option<(usize, Parts, Bytes)>,
}

impl<'p> Outbound<'p> {
    /// Signs a request, whose body is held.
    pub(crate) async fn signed(
        pen: &'p RequestPen,
        mut head: Parts,
        body: Stored,
        upstream: &Upstream,
        now: UnixTime,
    ) -> Result<Self, Unsigned> {
        let body = pen::whole(body).await.map_err(Unsigned::Body)?;
        pen.prepare(&mut head, &body, upstream)?;
        let (alternative, next) = pen.order(upstream, now);
        let request = pen.signed(alternative, &head, &body, now).await?;
        let next = next.map(|next| (next, head, body));
        Ok(Self::Signed(Box::new(SignedOutbound { pen, request, alternative, next })))
    }

    /// Sends it. An upstream that turns one scheme away is asked once more under the next: it has done nothing yet.
    pub(crate) async fn send(
        self,
        upstream: &Arc<Upstream>,
        clock: &Clock,
    ) -> Result<Response<Answered>, UpstreamError> {
        let signed = match self {
            Self::AsItCame(request) => return upstream.send(*request).await,
            Self::Signed(signed) => *signed,
        };
        let SignedOutbound { pen, request, alternative, next } = signed;
        let response = upstream.send(request).await?;
        pen.answered(upstream, alternative, response.status(), clock());
        let Some((next, head, body)) = next.filter(|_| is_turned_away(response.status())) else {
            return Ok(response);
        };
        let request = match pen.signed(next, &head, &body, clock()).await {
            Ok(request) => request,
            Err(error) => {
                tracing::warn!(target: "countersign::upstream", %error, "not signed under the next scheme");
                return Ok(response);
            }
        };
        match upstream.send(request).await {
            Ok(second) if !is_turned_away(second.status()) => {
                pen.answered(upstream, next, second.status(), clock());
                Ok(second)
            }
            Ok(_) => Ok(response),
            Err(error) => {
                tracing::warn!(target: "countersign::upstream", %error, "no response under the next scheme");
                Ok(response)
            }
        }
    }
}
