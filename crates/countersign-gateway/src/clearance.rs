//! What lets a request through: everything that its route asks for, and at least something.
//!
//! ```text
//! scheme: signature, body, replay entry ─► value ─► link ─► body to its end ─► once? ─► uses? ─► Clearance
//! ```
//!
//! A [`Clearance`] is made here and nowhere else, and the proxy forwards nothing without one but on a route that only
//! observes. What is used up (a value, a link) is used up last, one after the other, durably, and never given back.

use std::sync::Arc;

use countersign_core::reject::Reason;
use countersign_core::time::UnixTime;
use countersign_core::{ReplayGuard, Verified};
use countersign_signed::link::Followed;
use http::header::{HeaderMap, HeaderValue};
use http::request::Parts;

use crate::bearer::{LinkGate, Presented, ValueGate};
use crate::config::RouteConfig;
use crate::fields::{self, identity};
use crate::holding::Holding;
use crate::judge::{Doubt, Judge, Stores};
use crate::refuse::Refusal;
use countersign_core::request::Transport;

/// What a route asks of requests.
pub(crate) struct Demands {
    pub(crate) judge: Option<Judge>,
    value: Option<ValueGate>,
    link: Option<LinkGate>,
    replay: Arc<dyn ReplayGuard>,
}

/// Leave to forward: what was asked for was there, and held.
#[derive(Debug)]
pub(crate) struct Clearance {
    verified: Option<Verified>,
    value: Option<Presented>,
    link: Option<Followed>,
}

impl Demands {
    pub(crate) fn new(route: &RouteConfig, transport: Transport, stores: &Stores) -> Self {
        Self {
            judge: route.scheme.as_ref().map(|scheme| Judge::new(route, scheme, transport, stores)),
            value: route.value.as_ref().map(|value| ValueGate::new(value, route.realm.as_deref(), &stores.keys)),
            link: route.link.as_ref().map(|link| LinkGate::new(link, &stores.keys)),
            replay: Arc::clone(&stores.replay),
        }
    }

    /// What keeps its keys from being used, if anything does.
    pub(crate) async fn fault(&self, now: UnixTime) -> Option<(&'static str, String)> {
        if let Some(value) = &self.value
            && let Some(fault) = value.fault(now).await
        {
            return Some(("value", fault));
        }
        if let Some(link) = &self.link
            && let Some(fault) = link.fault(now).await
        {
            return Some(("link", fault));
        }
        None
    }

    /// Whether a request has all that is asked for.
    pub(crate) async fn judge(
        &self,
        head: &Parts,
        body: &mut Holding,
        peer: &str,
        now: UnixTime,
        allows: impl Fn(Option<&[u8]>) -> bool,
    ) -> Result<Clearance, Doubt> {
        let verified = match &self.judge {
            Some(judge) => {
                let verified = judge.verify(head, body, peer, now).await?;
                if !allows(verified.key_id()) {
                    return Err(Doubt::of(Refusal::KeyNotAllowed));
                }
                Some(verified)
            }
            None => None,
        };
        let value = match &self.value {
            Some(gate) => Some((gate, gate.check(head, now).await?)),
            None => None,
        };
        let key_id = verified.as_ref().and_then(Verified::key_id);
        let link = match &self.link {
            Some(gate) => Some(gate.check(head, peer, key_id, now).await?),
            None => None,
        };
        if verified.is_none() && value.is_none() && link.is_none() {
            // The configuration allows no such route. If there were one, nothing would go through it.
            return Err(Doubt::of(Refusal::Rejected(Reason::SignatureMissing)));
        }
        // A request that breaks off uses nothing up.
        if verified.is_none() {
            body.read_whole().await.map_err(Doubt::of)?;
        }
        let value = match value {
            Some((gate, (checked, keys))) => Some((gate.redeem(checked, &*self.replay).await?, keys)),
            None => None,
        };
        let link = match link {
            Some((checked, keys)) => Some((LinkGate::redeem(checked, &*self.replay).await?, keys)),
            None => None,
        };
        // Accepted: nothing is asked for any more. What was refused on the way here has used no key.
        if let Some(verified) = &verified {
            verified.count_use(now);
        }
        let signers = [
            value.as_ref().and_then(|(value, keys)| keys.at(value.key())),
            link.as_ref().and_then(|(link, keys)| keys.at(link.key())),
        ];
        signers.into_iter().flatten().for_each(|key| key.count_use(now));
        Ok(Clearance { verified, value: value.map(|(value, _)| value), link: link.map(|(link, _)| link) })
    }
}

impl std::fmt::Debug for Demands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demands")
            .field("judge", &self.judge)
            .field("value", &self.value)
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}

impl Clearance {
    /// Whose key signed the request, for the log.
    pub(crate) fn key_id(&self) -> Option<String> {
        let verified = self.verified.as_ref()?;
        Some(String::from_utf8_lossy(verified.key_id().unwrap_or_default()).into_owned())
    }

    /// Tells the upstream who was verified, and what was handed over.
    pub(crate) fn tell(&self, demands: &Demands, scheme: &HeaderValue, fields: &mut HeaderMap) {
        if let (Some(verified), Some(judge)) = (&self.verified, &demands.judge) {
            fields.insert(identity::KEY_ID, fields::key_id_value(verified.key_id().unwrap_or_default()));
            fields.insert(identity::COVERED, judge.covered_value(verified));
        }
        fields.insert(identity::SCHEME, scheme.clone());
        if let Some(value) = &self.value {
            value.tell(fields);
        }
        if let Some(link) = &self.link {
            fields.insert(identity::VALUE_LINK_UNTIL, HeaderValue::from(link.until().secs()));
        }
    }
}
