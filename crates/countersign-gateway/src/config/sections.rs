//! The sections of a configuration file.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::ops::Range;
use std::path::Path;

use countersign_core::request::Transport;
use http::Method;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{ConfigFaults, Fault, SchemeError, Source, fault};
use super::reader::{Section, alternatives, kind};
use super::schemes::{self, Schemes, Use};
use super::{
    At, Config, ErrorStyle, Fallback, Mode, PathPattern, PathPolicy, RouteConfig, SchemeName, ServerConfig,
    StoreConfig,
};
use super::{bearer, sharing, sign, store};
use crate::paths;
use crate::upstream::{UpstreamAddress, UpstreamLimits};

const SECTIONS: &[&str] = &["server", "store", "upstream", "route"];

pub(super) const SERVER: &[&str] = &[
    "listen",
    "console",
    "gateways",
    "workers",
    "max-connections",
    "header-timeout",
    "idle-timeout",
    "body-timeout",
    "body-rate",
    "body-memory",
    "body-folder",
    "grace",
    "transport",
];

pub(super) const UPSTREAM: &[&str] = &["connect-timeout", "response-timeout", "idle-timeout", "idle-connections"];

pub(super) const ROUTE: &[&str] = &[
    "path",
    "methods",
    "scheme",
    "upstream",
    "mode",
    "key",
    "certificates",
    "allow",
    "vars",
    "body-limit",
    "max-failures",
    "paths",
    "realm",
    "errors",
    "fallback",
    "sign",
    "sign-response",
    "link",
    "value",
];

/// Reads a whole configuration. `folder` is what relative paths in it are relative to.
pub(super) fn config(source: Source, folder: &Path) -> Result<Config, ConfigFaults> {
    let mut faults = Vec::new();
    let mut schemes = Schemes::default();
    let config = read(&source, folder, &mut schemes, &mut faults);
    match config {
        Some(config) if faults.is_empty() && schemes.errors.is_empty() => Ok(config),
        _ => {
            let own = (!faults.is_empty()).then(|| SchemeError::new(vec![source], faults));
            Err(ConfigFaults { files: own.into_iter().chain(schemes.errors).collect() })
        }
    }
}

/// Reads the store's section. The others are looked at by whoever serves them.
pub(super) fn store_alone(source: Source, folder: &Path) -> Result<StoreConfig, ConfigFaults> {
    let mut faults = Vec::new();
    let config = document(&source.text, &mut faults).map(|document| {
        let document = document.get_ref();
        known_sections(document, &mut faults);
        store_of(document, folder, &mut faults)
    });
    match config {
        Some(config) if faults.is_empty() => Ok(config),
        _ => Err(ConfigFaults { files: vec![SchemeError::new(vec![source], faults)] }),
    }
}

/// Bytes. More than any list of routes needs, and little enough for every offset to fit.
const LONGEST: usize = 16 * 1024 * 1024;

fn read(source: &Source, folder: &Path, schemes: &mut Schemes, faults: &mut Vec<Fault>) -> Option<Config> {
    let document = document(&source.text, faults)?;
    let document = document.get_ref();
    known_sections(document, faults);
    if !document.contains_key("server") {
        faults.push(fault(0..0, "there is no [server]", "add one, with `listen = \"127.0.0.1:8080\"`".to_owned()));
    }
    let server = table(document, "server", faults)
        .and_then(|(place, table)| server(Section::new("[server]", place, table, SERVER, faults), folder));
    let store = store_of(document, folder, faults);
    let upstream = match table(document, "upstream", faults) {
        Some((place, table)) => upstream_limits(Section::new("[upstream]", place, table, UPSTREAM, faults)),
        None => UpstreamLimits::default(),
    };
    let routes = routes(document, folder, schemes, faults);
    sharing::note_misfits(document, server.as_ref(), &store, faults);
    Some(Config { server: server?, store, upstream, routes, source: source.clone() })
}

fn document<'a>(text: &'a str, faults: &mut Vec<Fault>) -> Option<Spanned<DeTable<'a>>> {
    if text.len() > LONGEST {
        faults.push(fault(0..0, "the file is too long for a configuration", None));
        return None;
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        faults.push(fault(error.span().unwrap_or(0..0), error.message(), None));
    }
    Some(document)
}

fn known_sections(document: &DeTable<'_>, faults: &mut Vec<Fault>) {
    for key in document.keys() {
        let name = key.get_ref().as_ref();
        if !SECTIONS.contains(&name) {
            let hint = alternatives(["[server]", "[store]", "[upstream]", "[[route]]"].map(str::to_owned));
            faults.push(fault(key.span(), format!("`{name}` is not a section"), format!("it may be {hint}")));
        }
    }
}

fn store_of(document: &DeTable<'_>, folder: &Path, faults: &mut Vec<Fault>) -> StoreConfig {
    let found = table(document, "store", faults);
    store::store(found, folder, faults)
}

fn table<'a>(
    document: &'a DeTable<'a>,
    name: &str,
    faults: &mut Vec<Fault>,
) -> Option<(Range<usize>, &'a DeTable<'a>)> {
    let value = document.get(name)?;
    match value.get_ref() {
        DeValue::Table(table) => Some((value.span(), table)),
        other => {
            faults.push(fault(value.span(), format!("`{name}` is {}", kind(other)), format!("write [{name}]")));
            None
        }
    }
}

fn server(mut section: Section<'_, '_>, folder: &Path) -> Option<ServerConfig> {
    let listen = address(&mut section, "listen");
    let listen = section.require("listen", listen, "\"127.0.0.1:8080\"");
    let console = address(&mut section, "console");
    if let (Some(listen), Some(console)) = (&listen, &console)
        && listen.value == console.value
        && listen.value.port() != 0
    {
        let hint = "give the console an address that clients cannot reach".to_owned();
        let message = "`console` is the address of `listen`".to_owned();
        section.faults().push(Fault { span: console.span, message, hint: Some(hint) });
    }
    let gateways = section.count("gateways", 1..=10_000);
    let workers = section.count("workers", 1..=1024).and_then(|count| usize::try_from(count).ok()?.try_into().ok());
    let max_connections = section.count("max-connections", 1..=1_000_000);
    let header_timeout = section.duration("header-timeout");
    let idle_timeout = section.duration("idle-timeout");
    let body_timeout = section.duration("body-timeout");
    let body_rate = section.count("body-rate", 1..=1_000_000_000);
    let body_memory = section.size("body-memory");
    let body_folder = section.text("body-folder");
    let grace = section.duration("grace");
    let transport = section.word("transport", &[("http", Transport::Http), ("https", Transport::Https)]);

    let defaults = ServerConfig::at(listen?.value);
    Some(ServerConfig {
        console: console.map(|console| console.value),
        gateways,
        workers,
        max_connections: max_connections
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(defaults.max_connections),
        header_timeout: header_timeout.unwrap_or(defaults.header_timeout),
        idle_timeout: idle_timeout.unwrap_or(defaults.idle_timeout),
        body_timeout: body_timeout.unwrap_or(defaults.body_timeout),
        body_rate: body_rate.unwrap_or(defaults.body_rate),
        body_memory: body_memory.and_then(|size| usize::try_from(size).ok()).unwrap_or(defaults.body_memory),
        body_folder: body_folder.map(|path| folder.join(path.value)),
        grace: grace.unwrap_or(defaults.grace),
        transport: transport.unwrap_or(defaults.transport),
        ..defaults
    })
}

fn address(section: &mut Section<'_, '_>, key: &str) -> Option<At<SocketAddr>> {
    let hint = "write an IP address and a port, as in \"127.0.0.1:8080\" or \"[::1]:8080\"";
    section.parsed(key, hint, |text| text.parse().map_err(|_| "is not an address to listen at"))
}

fn upstream_limits(mut section: Section<'_, '_>) -> UpstreamLimits {
    let defaults = UpstreamLimits::default();
    UpstreamLimits {
        connect: section.duration("connect-timeout").unwrap_or(defaults.connect),
        response: section.duration("response-timeout").unwrap_or(defaults.response),
        idle: section.duration("idle-timeout").unwrap_or(defaults.idle),
        idle_connections: section
            .count("idle-connections", 0..=100_000)
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(defaults.idle_connections),
    }
}

fn routes(document: &DeTable<'_>, folder: &Path, schemes: &mut Schemes, faults: &mut Vec<Fault>) -> Vec<RouteConfig> {
    let Some(value) = document.get("route") else {
        faults.push(fault(
            0..0,
            "there is no [[route]]",
            "add at least one; nothing is forwarded without".to_owned(),
        ));
        return Vec::new();
    };
    let DeValue::Array(items) = value.get_ref() else {
        let hint = "write [[route]], with two brackets".to_owned();
        faults.push(fault(value.span(), format!("`route` is {}", kind(value.get_ref())), hint));
        return Vec::new();
    };
    let mut routes = Vec::new();
    for item in items {
        let DeValue::Table(table) = item.get_ref() else {
            faults.push(fault(
                item.span(),
                format!("a route is {}", kind(item.get_ref())),
                "write [[route]]".to_owned(),
            ));
            continue;
        };
        routes.extend(route(Section::new("[[route]]", item.span(), table, ROUTE, faults), folder, schemes));
    }
    note_overlaps(&routes, faults);
    routes
}

fn route(mut section: Section<'_, '_>, folder: &Path, schemes: &mut Schemes) -> Option<RouteConfig> {
    let pattern_hint = "write an exact path, \"/a/b\", or a prefix that ends in a slash and a star, \"/a/*\"";
    let path = section.parsed("path", pattern_hint, pattern);
    let path = section.require("path", path, "\"/*\"");
    let methods = methods(&mut section);
    let scheme = section.parsed("scheme", "write a name of the catalogue, or a file's path", |text| {
        scheme_name(text, folder).ok_or("is empty")
    });
    let link = bearer::link(&mut section);
    let value = bearer::value(&mut section);
    let carries = section.has("link") || section.has("value");
    let scheme = if carries { scheme } else { section.require("scheme", scheme, "\"countersign-v1\"") };
    if !section.has("scheme") && carries {
        note_schemeless(&mut section);
    }
    let upstream_hint = "write \"http://host:port\", without a path";
    let upstream = section.parsed("upstream", upstream_hint, upstream_address);
    let upstream = section.require("upstream", upstream, "\"http://127.0.0.1:8000\"");
    let mode = section.word("mode", &[("enforce", Mode::Enforce), ("observe", Mode::Observe)]);
    let key = section.parsed("key", "write the id of a key in the store", non_empty);
    let folder_of_certificates = section.parsed("certificates", "write the path of a folder", non_empty);
    let allow = section.texts("allow").unwrap_or_default();
    let vars = section.text_table("vars").unwrap_or_default();
    let body_limit = section.size("body-limit");
    let max_failures = section.count("max-failures", 1..=1_000_000).and_then(NonZeroU32::new);
    let paths = section.word("paths", &[("strict", PathPolicy::Strict), ("as-sent", PathPolicy::AsSent)]);
    let realm = section.parsed("realm", "use letters, digits and signs, without quotes and backslashes", quotable);
    let errors = section.word("errors", &[("problem", ErrorStyle::Problem), ("scheme", ErrorStyle::Scheme)]);
    let errors = errors.unwrap_or_default();
    let fallback = section.word("fallback", &[("none", Fallback::None), ("local", Fallback::Local)]);
    let file = scheme.as_ref().and_then(|name| schemes.open(name, section.faults()));
    let signs = sign::request(&mut section, folder, schemes, file.as_deref());
    let signs_response = sign::response(&mut section, folder, schemes);
    let mut certificates = None;
    if let (Some(name), Some(file)) = (&scheme, &file) {
        let route = Use { name: name.span, key: key.as_ref().map(|key| key.span), vars: &vars, errors };
        schemes::note_misfits(&route, &file.scheme, section.faults());
        if let Some(path) = &folder_of_certificates {
            let path = At::new(folder.join(&path.value), path.span);
            certificates = schemes::certificates(&path, &file.scheme, section.faults());
        }
    }
    Some(RouteConfig {
        path: path?,
        methods: methods?,
        scheme: if section.has("scheme") { Some(file?) } else { None },
        link: link?,
        value: value?,
        upstream: upstream?.value,
        mode: mode.unwrap_or_default(),
        key: key.map(|key| key.value),
        certificates,
        allow: allow.into_iter().map(|key_id| key_id.value).collect(),
        vars: vars.into_iter().map(|(name, value)| (name.value, value.value)).collect(),
        body_limit: body_limit.unwrap_or(DEFAULT_BODY_LIMIT),
        max_failures,
        paths: paths.unwrap_or_default(),
        realm: realm.map(|realm| realm.value),
        sign: signs?,
        sign_response: signs_response?,
        errors,
        fallback: fallback.unwrap_or_default(),
    })
}

/// What only a signed request has is a fault where none is asked for: it would be missed silently.
fn note_schemeless(section: &mut Section<'_, '_>) {
    for key in ["key", "certificates", "allow", "vars", "errors", "max-failures"] {
        if let Some(span) = section.place_of(key) {
            section.faults().push(fault(
                span,
                format!("`{key}` means nothing without a `scheme`"),
                format!("leave `{key}` out, or add a `scheme`"),
            ));
        }
    }
}

const DEFAULT_BODY_LIMIT: u64 = 8 * 1024 * 1024;

/// The methods of a route; empty where it covers all; `None` where there is a fault among them.
fn methods(section: &mut Section<'_, '_>) -> Option<Vec<Method>> {
    let mut methods = Vec::new();
    let mut right = true;
    for text in section.texts("methods").unwrap_or_default() {
        match Method::from_bytes(text.value.as_bytes()) {
            Ok(method) if text.value.bytes().any(|byte| byte.is_ascii_lowercase()) => {
                let hint =
                    format!("methods are told apart by case; did you mean \"{}\"?", method.as_str().to_uppercase());
                section.faults().push(Fault {
                    span: text.span,
                    message: format!("`{method}` is in lower case"),
                    hint: Some(hint),
                });
                right = false;
            }
            Ok(method) => methods.push(method),
            Err(_) => {
                let message = format!("`{}` is not a method", text.value);
                section.faults().push(Fault {
                    span: text.span,
                    message,
                    hint: Some("write one such as \"GET\"".to_owned()),
                });
                right = false;
            }
        }
    }
    right.then_some(methods)
}

/// Reads a path pattern. What it matches must pass the strict path policy, or it could never match.
fn pattern(text: &str) -> Result<PathPattern, &'static str> {
    let (path, is_prefix) = match text.strip_suffix('*') {
        Some(prefix) => (prefix, true),
        None => (text, false),
    };
    if !path.starts_with('/') {
        Err("does not begin with a slash")
    } else if path.contains('*') {
        Err("has a star that is not at its end")
    } else if is_prefix && !path.ends_with('/') {
        Err("has a star that does not follow a slash")
    } else if path.contains(['?', '#']) {
        Err("is more than a path")
    } else if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        Err("has characters that must be percent-encoded")
    } else if paths::check(path.as_bytes()).is_err() {
        Err("can be read in two ways")
    } else if is_prefix {
        Ok(PathPattern::Prefix(path.to_owned()))
    } else {
        Ok(PathPattern::Exact(path.to_owned()))
    }
}

pub(super) fn scheme_name(text: &str, folder: &Path) -> Option<SchemeName> {
    match text {
        "" => None,
        path if schemes::is_path(path) => Some(SchemeName::File(folder.join(path))),
        name => Some(SchemeName::Catalogue(name.to_owned())),
    }
}

fn upstream_address(text: &str) -> Result<UpstreamAddress, &'static str> {
    if text.starts_with("https://") {
        return Err("is an https URL, which upstreams cannot have yet");
    }
    let authority = text.strip_prefix("http://").ok_or("is not an http URL")?;
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    if authority.contains(['/', '?', '#', '@']) {
        return Err("is more than a host and a port");
    }
    let authority: http::uri::Authority = authority.parse().map_err(|_| "has no host")?;
    let host = authority.host();
    let port = match authority.as_str().strip_prefix(host).unwrap_or_default().strip_prefix(':') {
        None => 80,
        Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or("has a port that is none")?,
    };
    if host.is_empty() {
        return Err("has no host");
    }
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).to_owned();
    Ok(UpstreamAddress { host, port })
}

pub(super) fn non_empty(text: &str) -> Result<String, &'static str> {
    if text.is_empty() { Err("is empty") } else { Ok(text.to_owned()) }
}

/// A text that can stand between quotes in a response field.
fn quotable(text: &str) -> Result<String, &'static str> {
    let plain = |byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) { non_empty(text) } else { Err("has characters that cannot be quoted") }
}

/// Two routes of one pattern must not share a method: which of them holds would be a matter of luck.
fn note_overlaps(routes: &[RouteConfig], faults: &mut Vec<Fault>) {
    let mut seen: HashMap<&PathPattern, Vec<&RouteConfig>> = HashMap::new();
    for route in routes {
        let others = seen.entry(&route.path.value).or_default();
        let shares = |other: &&RouteConfig| {
            other.methods.is_empty()
                || route.methods.is_empty()
                || other.methods.iter().any(|method| route.methods.contains(method))
        };
        if others.iter().any(shares) {
            let message = format!("another route covers `{}` with the same methods", route.path.value);
            let hint = "give them different paths, or `methods` that have none in common".to_owned();
            faults.push(Fault { span: route.path.span, message, hint: Some(hint) });
        }
        others.push(route);
    }
}
