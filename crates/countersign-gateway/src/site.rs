//! A configuration, ready to serve: what all workers share and nobody changes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use http::header::HeaderValue;

use crate::clearance::Demands;
use crate::config::{Config, Fallback, Mode, PathPolicy, RouteConfig};
use crate::counters::{Counters, RouteCounters};
use crate::judge::{self, Judge, Stores};
use crate::pen::{self, AnswerPen, Pen, RequestPen};
use crate::refuse::RouteRefusals;
use crate::routes::Routes;
use crate::spool::SpoolLimits;
use crate::upstream::UpstreamAddress;

/// What is served.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) routes: Routes<Route>,
    pub(crate) upstreams: Vec<UpstreamAddress>,
    pub(crate) counters: Counters,
    /// What signs, with the pattern of its route, and whether it signs answers.
    pub(crate) pens: Vec<(Arc<str>, Arc<Pen>, bool)>,
}

/// A route, ready to serve.
#[derive(Debug)]
pub(crate) struct Route {
    /// Its pattern, for the log.
    pub(crate) label: Arc<str>,
    pub(crate) scheme: Arc<str>,
    /// The scheme's name for the upstream.
    pub(crate) scheme_value: HeaderValue,
    pub(crate) demands: Demands,
    pub(crate) refusals: RouteRefusals,
    pub(crate) pen: Option<RequestPen>,
    pub(crate) answer_pen: Option<AnswerPen>,
    pub(crate) paths: PathPolicy,
    pub(crate) spool: Arc<SpoolLimits>,
    /// Which of [`Site::upstreams`].
    pub(crate) upstream: usize,
    mode: Mode,
    /// Empty: all.
    allow: HashSet<Box<[u8]>>,
    index: usize,
}

/// Leave to forward what was not verified. Only a route in `observe` mode gives it.
#[derive(Debug)]
pub(crate) struct Observing(());

impl Site {
    /// `falling_back`: the stores of routes that may fall back.
    pub(crate) fn new(config: &Config, stores: &Stores, falling_back: Option<&Stores>) -> Self {
        let mut upstreams = Vec::new();
        let mut known = HashMap::new();
        let mut routes = Vec::new();
        let mut pens = Vec::new();
        for (index, route) in config.routes.iter().enumerate() {
            let upstream = *known.entry(route.upstream.clone()).or_insert_with(|| {
                upstreams.push(route.upstream.clone());
                upstreams.len() - 1
            });
            let stores = match route.fallback {
                Fallback::None => stores,
                Fallback::Local => falling_back.unwrap_or(stores),
            };
            let ready = Route::new(route, config, stores, upstream, index);
            pens.extend(ready.pen.iter().map(|pen| (Arc::clone(&ready.label), Arc::clone(&pen.pen), false)));
            pens.extend(ready.answer_pen.iter().map(|pen| (Arc::clone(&ready.label), Arc::clone(&pen.pen), true)));
            routes.push((route.path.value.clone(), route.methods.clone(), ready));
        }
        let labels: Vec<String> = config.routes.iter().map(|route| route.path.value.to_string()).collect();
        let counters = Counters::new(labels.iter().map(String::as_str));
        Self { routes: Routes::new(routes), upstreams, counters, pens }
    }
}

impl Route {
    fn new(route: &RouteConfig, config: &Config, stores: &Stores, upstream: usize, index: usize) -> Self {
        let name = route.demands();
        let demands = Demands::new(route, config.server.transport, stores);
        let memory = if demands.judge.as_ref().is_some_and(Judge::needs_buffer) {
            usize::try_from(route.body_limit).unwrap_or(usize::MAX)
        } else {
            config.server.body_memory
        };
        let spool = SpoolLimits { memory, total: route.body_limit, folder: config.server.body_folder.clone() };
        let members = route.scheme.iter().flat_map(|file| pen::members(&file.scheme));
        let policy = members.into_iter().find_map(|scheme| scheme.request.message_signature.as_ref());
        let asking = policy.and_then(|policy| pen::asking(policy, &route.vars));
        let own = |reason| judge::own_answer(route, reason);
        Self {
            label: route.path.value.to_string().into(),
            scheme: name.into(),
            scheme_value: HeaderValue::from_str(name).unwrap_or(HeaderValue::from_static("")),
            demands,
            refusals: RouteRefusals::new(name, route.realm.as_deref(), asking.as_ref(), own),
            pen: route.sign.as_ref().map(|sign| RequestPen::new(route, sign, stores)),
            answer_pen: route
                .sign_response
                .as_ref()
                .map(|sign| AnswerPen::new(sign, config.server.transport, config.upstream.response, stores)),
            paths: route.paths,
            spool: Arc::new(spool),
            upstream,
            mode: route.mode,
            allow: route.allow.iter().map(|key_id| key_id.as_bytes().into()).collect(),
            index,
        }
    }

    /// Whether a key may use the route.
    pub(crate) fn allows(&self, key_id: Option<&[u8]>) -> bool {
        self.allow.is_empty() || key_id.is_some_and(|key_id| self.allow.contains(key_id))
    }

    pub(crate) fn observing(&self) -> Option<Observing> {
        match self.mode {
            Mode::Enforce => None,
            Mode::Observe => Some(Observing(())),
        }
    }

    pub(crate) fn counters<'a>(&self, site: &'a Site) -> Option<&'a RouteCounters> {
        site.counters.route(self.index)
    }
}
