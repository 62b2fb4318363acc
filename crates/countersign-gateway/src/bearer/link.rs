//! Signed links at the gateway.

use std::sync::Arc;

use countersign_core::ReplayGuard;
use countersign_core::key::KeyResolver;
use countersign_core::time::UnixTime;
use countersign_signed::Refused;
use countersign_signed::link::{Answered, Checked, Followed, Links, PARAMETER, Request};
use http::request::Parts;
use http::uri::PathAndQuery;

use super::{Ready, Ring, RingKeys, doubt, keyless, missing, undecided};
use crate::config::LinkConfig;
use crate::judge::{Doubt, authority};

/// Asks for a signed link.
#[derive(Debug)]
pub(crate) struct LinkGate {
    links: Ring<Links>,
}

impl LinkGate {
    pub(crate) fn new(config: &LinkConfig, keys: &Arc<dyn KeyResolver>) -> Self {
        Self { links: Ring::new("signed link", &config.keys, keys, Links::new) }
    }

    /// Whether its keys can be used.
    pub(crate) async fn fault(&self, now: UnixTime) -> Option<String> {
        self.links.fault(now).await
    }

    /// Checks all but the uses that are left.
    pub(crate) async fn check(
        &self,
        head: &Parts,
        peer: &str,
        key_id: Option<&[u8]>,
        now: UnixTime,
    ) -> Result<(Checked, RingKeys), Doubt> {
        // Spelt otherwise it is none, and told to be malformed.
        let query = head.uri.query().unwrap_or_default();
        if !query.split('&').any(|pair| pair.split('=').next() == Some(PARAMETER)) {
            return Err(missing(WHAT));
        }
        let Ready { what: links, keys } = self.links.get(now).await.map_err(keyless)?;
        let request = Request {
            method: head.method.as_str(),
            authority: authority(&head.headers),
            target: head.uri.path_and_query().map_or("/", PathAndQuery::as_str).as_bytes(),
            address: peer.parse().ok(),
            key_id,
        };
        let checked = links.check(&request, now).map_err(|refused| doubt(WHAT, refused))?;
        Ok((checked, keys))
    }

    /// Uses the link, if it may be used only so often: the last thing that is done before a request is forwarded.
    pub(crate) async fn redeem(checked: Checked, store: &dyn ReplayGuard) -> Result<Followed, Doubt> {
        let mut uses = match checked {
            Checked::Holds(followed) => return Ok(followed),
            Checked::Uses(uses) => uses,
        };
        loop {
            let first = store.admit(uses.entry()).wait().await.map_err(undecided)?;
            uses = match uses.answered(first) {
                Answered::Holds(followed) => return Ok(followed),
                Answered::Next(next) => next,
                Answered::Spent => return Err(doubt(WHAT, Refused::Replayed)),
            };
        }
    }
}

const WHAT: &str = "the link";
