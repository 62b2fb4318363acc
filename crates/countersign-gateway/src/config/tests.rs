//! Configurations as people write them, and what they are told of those that cannot be.

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Config, ConfigFaults> {
    parse_in(Path::new("/etc/gateway"), text)
}

fn parse_in(folder: &Path, text: &str) -> Result<Config, ConfigFaults> {
    Config::parse("gateway.toml", text.to_owned(), folder)
}

/// Places and messages of all faults.
fn faults(text: &str) -> Vec<String> {
    let faults = parse(text).expect_err("it has faults");
    faults.files[0]
        .located()
        .iter()
        .map(|fault| {
            format!("{}:{} {} | {}", fault.line, fault.column, fault.message, fault.hint.as_deref().unwrap_or(""))
        })
        .collect()
}

const PLAIN: &str = r#"
[server]
listen = "127.0.0.1:8080"

[[route]]
path     = "/*"
scheme   = "md5-token"
upstream = "http://127.0.0.1:8000"
"#;

#[test]
fn what_is_left_out_has_its_default() {
    let config = parse(PLAIN).unwrap();
    assert_eq!(config.server, ServerConfig::at("127.0.0.1:8080".parse().unwrap()));
    assert_eq!(config.store.path, Path::new("/etc/gateway/countersign-data"));
    assert_eq!(config.upstream, UpstreamLimits::default());
    let route = &config.routes[0];
    assert_eq!(route.path.value, PathPattern::Prefix("/".to_owned()));
    assert_eq!(route.scheme.as_ref().unwrap().scheme.name, "md5-token");
    assert_eq!(route.upstream, UpstreamAddress { host: "127.0.0.1".to_owned(), port: 8000 });
    assert_eq!((route.mode, route.paths, route.errors), (Mode::Enforce, PathPolicy::Strict, ErrorStyle::Problem));
    assert_eq!(route.body_limit, 8 * 1024 * 1024);
    assert!(route.methods.is_empty() && route.allow.is_empty() && route.vars.is_empty() && route.key.is_none());
}

/// The rows of a section's table in `docs/configuration.md`: the keys, and the default where it is a value.
fn documented(section: &str) -> Vec<(Vec<String>, Option<String>)> {
    let page = include_str!("../../../../docs/configuration.md");
    let (_, table) = page.split_once(&format!("## `{section}`\n")).expect(section);
    let table = table.split("\n## ").next().unwrap();
    let code = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let default = cells[2].trim_matches('`');
        let number = default.parse::<u64>().is_ok();
        let text = cells[2].starts_with('`') && cells[2].ends_with('`') && !default.contains('`');
        let value = if number { Some(default.to_owned()) } else { text.then(|| format!("\"{default}\"")) };
        (code(cells[0]), value)
    })
    .collect()
}

#[test]
fn the_page_has_every_key_and_no_other_and_the_defaults_that_hold() {
    for (section, keys) in [
        ("[server]", sections::SERVER),
        ("[store]", store::STORE),
        ("[upstream]", sections::UPSTREAM),
        ("[[route]]", sections::ROUTE),
    ] {
        let rows = documented(section);
        let mut named: Vec<&str> = rows.iter().flat_map(|(keys, _)| keys).map(String::as_str).collect();
        let mut known = keys.to_vec();
        named.sort_unstable();
        known.sort_unstable();
        assert_eq!(named, known, "{section}");
    }
    // Said, they are the same as left out.
    let said = |section: &str| -> String {
        let rows = documented(section);
        let one = rows.iter().filter(|(keys, _)| keys.len() == 1);
        one.filter_map(|(keys, value)| Some(format!("{} = {}\n", keys[0], value.as_ref()?))).collect()
    };
    let (server, rest) = PLAIN.split_once("\n\n").unwrap();
    let text = format!(
        "{server}\n{}[store]\n{}[upstream]\n{}{rest}{}",
        said("[server]"),
        said("[store]"),
        said("[upstream]"),
        said("[[route]]")
    );
    assert!(text.lines().count() > 25, "{text}");
    let (mut said, left_out) =
        (parse(&text).unwrap_or_else(|faults| panic!("{faults}\n{text}")), parse(PLAIN).unwrap());
    said.source = left_out.source.clone();
    for (said, left_out) in said.routes.iter_mut().zip(&left_out.routes) {
        said.path.span = left_out.path.span;
    }
    assert_eq!(said, left_out);
}

#[test]
fn certificates_are_read_with_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../countersign-certificates/tests/certificates");
    std::fs::create_dir(folder.path().join("platform")).unwrap();
    std::fs::copy(certificates.join("wechatpay.pem"), folder.path().join("platform/a.pem")).unwrap();
    let with = |scheme: &str| PLAIN.replace("md5-token", scheme) + "certificates = \"platform\"\n";
    let config = parse_in(folder.path(), &with("wechatpay-v3-response")).unwrap();
    let found = config.routes[0].certificates.as_ref().unwrap();
    assert_eq!(found.ids(), ["408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB"]);
    let told = |text: &str| parse_in(folder.path(), text).unwrap_err().to_string();
    assert!(told(&with("md5-token")).contains("`md5-token` does not say how a key id names a certificate"));
    std::fs::write(folder.path().join("platform/b.pem"), "none").unwrap();
    assert!(told(&with("wechatpay-v3-response")).contains("neither a certificate nor a public key"));
}

#[test]
fn everything_can_be_said() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("schemes")).unwrap();
    std::fs::write(
        folder.path().join("schemes/mine.toml"),
        "extends = \"md5-token\"\n[query]\nuser = false\n[sign]\nbase = \"{timestamp}{secret}{env}\"\n[vars]\nenv = {}\n",
    )
    .unwrap();
    let config = parse_in(
        folder.path(),
        r#"
[server]
listen = "[::1]:0"
console = "127.0.0.1:8081"
workers = 2
max-connections = 100
header-timeout = "5s"
idle-timeout = "1m"
body-timeout = "500ms"
body-rate = 10
body-memory = "1 MiB"
body-folder = "spool"
grace = "1h"
transport = "https"

[store]
path = "/var/lib/gateway"
durability = "power"

[upstream]
connect-timeout = "1s"
response-timeout = "2s"
idle-timeout = "3s"
idle-connections = 4

[[route]]
path = "/a/b"
methods = ["GET", "PROPFIND"]
scheme = "schemes/mine.toml"
upstream = "http://[::1]/"
mode = "observe"
key = "me"
allow = ["a", "b"]
vars = { env = "test" }
body-limit = "512 KiB"
max-failures = 20
paths = "as-sent"
realm = "assets"
errors = "scheme"
"#,
    );
    let config = config.unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(config.server.workers, NonZeroUsize::new(2));
    assert_eq!(config.server.body_folder, Some(folder.path().join("spool")));
    assert_eq!(config.server.transport, Transport::Https);
    let replay = ReplayConfig::Embedded;
    assert_eq!(
        config.store,
        StoreConfig { path: "/var/lib/gateway".into(), durability: Durability::Power, seal: None, replay }
    );
    assert_eq!(config.upstream.idle_connections, 4);
    let route = &config.routes[0];
    assert_eq!(route.path.value, PathPattern::Exact("/a/b".to_owned()));
    assert_eq!(route.scheme.as_ref().unwrap().scheme.name, "mine");
    assert_eq!(route.upstream, UpstreamAddress { host: "::1".to_owned(), port: 80 });
    assert_eq!(route.methods.len(), 2);
    assert_eq!(route.max_failures, NonZeroU32::new(20));
    assert_eq!(route.vars, [("env".to_owned(), "test".to_owned())]);
    assert_eq!((route.mode, route.paths, route.errors), (Mode::Observe, PathPolicy::AsSent, ErrorStyle::Scheme));
}

#[test]
fn a_route_has_to_fit_its_scheme() {
    for (from, to, expected) in [
        ("md5-token", "md5-tokens", "`md5-tokens` is not a scheme of the catalogue | did you mean `md5-token`?"),
        ("md5-token", "paypal-webhook", "`paypal-webhook` needs a value for `webhook-id`: the webhook's id"),
        ("md5-token", "no/such.toml", "no/such.toml cannot be read"),
        ("\"md5-token\"", "\"md5-token\"\nkey = \"me\"", "requests of `md5-token` name their key"),
        ("md5-token", "github-webhook", "requests of `github-webhook` do not say whose key"),
        ("md5-token", "paypal-webhook", "`paypal-webhook` needs a value for `webhook-id`"),
        ("\"md5-token\"", "\"md5-token\"\nvars = { x = \"y\" }", "`x` is not a variable of `md5-token`"),
        ("\"md5-token\"", "\"rfc9421\"\nvars = { require = \"@metod\" }", "`@metod` is none, or there twice"),
        ("\"md5-token\"", "\"rfc9421\"\nvars = { structured = \"a=b\" }", "`a=b` is not NAME=dictionary"),
        ("\"md5-token\"", "\"web-bot-auth\"\nkey = \"me\"", "requests of `web-bot-auth` name their key"),
        ("\"md5-token\"", "\"countersign-v1\"\nerrors = \"scheme\"", "`countersign-v1` has no [errors] of its own"),
    ] {
        let found = faults(&PLAIN.replacen(from, to, 1));
        assert!(found.iter().any(|fault| fault.contains(expected)), "{to}: {found:#?}");
    }
    for vars in ["", "\nkey = \"me\"", "\nvars = { require = \"@method\", tag = \"acme\" }"] {
        assert!(parse(&PLAIN.replacen("\"md5-token\"", &format!("\"rfc9421\"{vars}"), 1)).is_ok(), "{vars}");
    }
    assert!(parse(&PLAIN.replacen("\"md5-token\"", "\"spring-sign\"\nkey = \"me\"", 1)).is_ok());
    assert!(parse(&PLAIN.replacen("\"md5-token\"", "\"spring-sign\"", 1)).is_ok());
}

#[test]
fn what_is_wrong_with_a_scheme_is_told_beside_what_is_wrong_with_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.toml"), "[sigh]\n").unwrap();
    let faults =
        parse_in(folder.path(), &PLAIN.replace("md5-token", "bad.toml").replace("[server]", "[server]\nx = 1"));
    let shown = faults.unwrap_err().to_string();
    assert!(shown.contains("gateway.toml:3:1"), "{shown}");
    assert!(shown.contains("bad.toml:1:"), "{shown}");
}

#[test]
fn all_faults_are_told_at_once_each_with_its_place() {
    let found = faults(
        r#"[server]
listen = "localhost"
workers = 0
idle_timeout = "5s"

[[route]]
path = "asset/*"
shceme = "md5-token"
upstream = "https://a"

[sever]
"#,
    );
    assert_eq!(
        found,
        [
            "2:10 `listen` of [server] is not an address to listen at | write an IP address and a port, as in \"127.0.0.1:8080\" or \"[::1]:8080\"",
            "3:11 `workers` of [server] is out of range | it may be from 1 to 1024",
            "4:1 `idle_timeout` is not a key of [server] | it is written `idle-timeout`",
            "6:1 [[route]] has no `scheme` | add one, as in `scheme = \"countersign-v1\"`",
            "7:8 `path` of [[route]] does not begin with a slash | write an exact path, \"/a/b\", or a prefix that ends in a slash and a star, \"/a/*\"",
            "8:1 `shceme` is not a key of [[route]] | it may be `path`, `methods`, `scheme`, `upstream`, `mode`, `key`, `certificates`, `allow`, `vars`, `body-limit`, `max-failures`, `paths`, `realm`, `errors`, `fallback`, `sign`, `sign-response`, `link` or `value`",
            "9:12 `upstream` of [[route]] is an https URL, which upstreams cannot have yet | write \"http://host:port\", without a path",
            "11:2 `sever` is not a section | it may be [server], [store], [upstream] or [[route]]",
        ]
    );
}

#[test]
fn a_fault_is_shown_with_its_line_marked() {
    let faults = parse(&PLAIN.replace("/*", "/a*")).unwrap_err();
    let shown = faults.to_string();
    assert!(shown.contains("gateway.toml:6:12"), "{shown}");
    assert!(shown.contains("path     = \"/a*\""), "{shown}");
    assert!(shown.contains("^^^^"), "{shown}");
    assert!(shown.contains("hint: "), "{shown}");
}

#[test]
fn every_value_is_checked() {
    for (from, to, expected) in [
        ("[server]", "[server]\nlisten = 1\n[other]", "`listen` of [server] is a number"),
        ("[server]", "[[server]]", "`server` is a list"),
        ("[[route]]", "[route]", "`route` is a table"),
        ("[[route]]", "[[route]]\nmode = \"off\"", "`mode` of [[route]] is none of the words it may be"),
        ("[[route]]", "[[route]]\nmode = true", "`mode` of [[route]] is true or false"),
        ("[[route]]", "[[route]]\nmethods = \"GET\"", "`methods` of [[route]] is a text"),
        ("[[route]]", "[[route]]\nmethods = []", "`methods` is empty"),
        ("[[route]]", "[[route]]\nmethods = [\"G T\"]", "`G T` is not a method"),
        ("[[route]]", "[[route]]\nmethods = [\"get\"]", "`get` is in lower case"),
        ("[[route]]", "[[route]]\nmethods = [1]", "`methods` of [[route]] is a number"),
        ("[[route]]", "[[route]]\nvars = { a = 1 }", "`vars` of [[route]] is a number"),
        ("[[route]]", "[[route]]\nvars = []", "`vars` of [[route]] is a list"),
        ("[[route]]", "[[route]]\nbody-limit = 512", "`body-limit` of [[route]] is a number"),
        ("[[route]]", "[[route]]\nbody-limit = \"512 KB\"", "`body-limit` of [[route]] is not a size"),
        ("[[route]]", "[[route]]\nrealm = 'a\"b'", "`realm` of [[route]] has characters that cannot be quoted"),
        (
            "[[route]]",
            "[[route]]\nrealm = \"a\\r\\nX: y\"",
            "`realm` of [[route]] has characters that cannot be quoted",
        ),
        ("[[route]]", "[[route]]\nkey = \"\"", "`key` of [[route]] is empty"),
        ("/*", "/a/../*", "`path` of [[route]] can be read in two ways"),
        ("/*", "/a//b", "`path` of [[route]] can be read in two ways"),
        ("/*", "/a/*/b", "`path` of [[route]] has a star that is not at its end"),
        ("/*", "/a?b", "`path` of [[route]] is more than a path"),
        ("/*", "/é", "`path` of [[route]] has characters that must be percent-encoded"),
        ("http://127.0.0.1:8000", "http://", "`upstream` of [[route]] has no host"),
        ("http://127.0.0.1:8000", "http://a:", "`upstream` of [[route]] has a port that is none"),
        ("http://127.0.0.1:8000", "http://a:0", "`upstream` of [[route]] has a port that is none"),
        ("http://127.0.0.1:8000", "http://a:70000", "`upstream` of [[route]] has a port that is none"),
        ("http://127.0.0.1:8000", "http://a/b", "`upstream` of [[route]] is more than a host and a port"),
        ("http://127.0.0.1:8000", "http://u@a", "`upstream` of [[route]] is more than a host and a port"),
        ("http://127.0.0.1:8000", "a:80", "`upstream` of [[route]] is not an http URL"),
        ("md5-token", "", "`scheme` of [[route]] is empty"),
        ("[server]", "[server]\nconsole = \"127.0.0.1:8080\"", "`console` is the address of `listen`"),
        ("[server]", "[server]\ngrace = \"0s\"", "`grace` of [server] is not a duration that can be waited for"),
        ("[server]", "[server]\ngrace = 5", "`grace` of [server] is a number"),
    ] {
        let text = PLAIN.replacen(from, to, 1);
        let found = faults(&text);
        assert!(found.iter().any(|fault| fault.contains(expected)), "{to}: {found:#?}");
    }
}

#[test]
fn links_and_values_are_asked_for_or_told_to_be_wrong() {
    let with = |more: &str| {
        let text =
            PLAIN.replace("scheme   = \"md5-token\"\n", "").replace("[[route]]", &format!("[[route]]\n{more}"));
        assert!(!text.contains("md5-token"), "{text}");
        text
    };
    for fine in [
        "link = { keys = [\"a\", \"b\"] }",
        "value = { format = \"django\", cookie = \"sessionid\", salt = \"s\", keys = [\"a\"] }",
        "value = { format = \"rails\", header = \"X-Token\", keys = [\"a\"], purpose = \"login\" }",
        "value = { format = \"countersign\", query = \"t\", keys = [\"a\"], purpose = \"p\", once = true, max-age = \"1d\" }",
        "link = { keys = [\"a\"] }\nvalue = { format = \"flask\", cookie = \"session\", keys = [\"a\"] }",
    ] {
        let config = parse(&with(fine)).unwrap_or_else(|faults| panic!("{faults}"));
        assert!(config.routes[0].scheme.is_none() && config.routes[0].demands().starts_with("signed-"));
    }
    for (more, expected) in [
        ("", "[[route]] has no `scheme`"),
        ("link = {}", "link has no `keys`"),
        ("link = { keys = [] }", "`keys` is empty"),
        ("link = { keys = [\"\"] }", "a key id is empty"),
        ("link = { keys = [\"a\"], uses = 1 }", "`uses` is not a key of link"),
        ("link = true", "`link` of [[route]] is true or false"),
        ("link = { keys = [\"a\"] }\nallow = [\"b\"]", "`allow` means nothing without a `scheme`"),
        ("link = { keys = [\"a\"] }\nkey = \"b\"", "`key` means nothing without a `scheme`"),
        ("value = { keys = [\"a\"], cookie = \"c\" }", "value has no `format`"),
        ("value = { format = \"pickle\", keys = [\"a\"], cookie = \"c\" }", "`format` of value is none of the words"),
        ("value = { format = \"django\", cookie = \"c\" }", "value has no `keys`"),
        ("value = { format = \"django\", keys = [\"a\"] }", "`value` has to say where it is carried"),
        (
            "value = { format = \"django\", keys = [\"a\"], cookie = \"c\", query = \"q\" }",
            "`value` has to say where",
        ),
        ("value = { format = \"django\", keys = [\"a\"], cookie = \"c d\" }", "`cookie` of value is no name"),
        (
            "value = { format = \"django\", keys = [\"a\"], header = \"Cookie\" }",
            "`header` of value is where cookies are",
        ),
        (
            "value = { format = \"django\", keys = [\"a\"], cookie = \"c\", digest = \"sha\" }",
            "`digest` of value is no digest",
        ),
        (
            "value = { format = \"django\", keys = [\"a\"], cookie = \"c\", old-digests = [\"sha\"] }",
            "`sha` of `old-digests`",
        ),
        (
            "value = { format = \"django\", keys = [\"a\"], cookie = \"c\", separator = \"a\" }",
            "the separator may not",
        ),
        (
            "value = { format = \"django\", keys = [\"a\"], cookie = \"c\", purpose = \"p\" }",
            "`purpose` means nothing to `django`",
        ),
        (
            "value = { format = \"django\", keys = [\"a\"], cookie = \"c\", once = true }",
            "a value that may be used once has to be",
        ),
        (
            "value = { format = \"django\", keys = [\"a\"], cookie = \"c\", text = true, max-age = \"1h\" }",
            "`django` does not tell when",
        ),
        (
            "value = { format = \"express\", keys = [\"a\"], cookie = \"c\", max-age = \"1h\" }",
            "`express` does not tell when",
        ),
        (
            "value = { format = \"express\", keys = [\"a\"], cookie = \"c\", salt = \"s\" }",
            "`salt` means nothing to `express`",
        ),
        (
            "value = { format = \"express\", keys = [\"a\"], cookie = \"c\", claims = { user = \"u\" } }",
            "a text has no `claims`",
        ),
        (
            "value = { format = \"django-cookie\", keys = [\"a\"], query = \"q\" }",
            "`django-cookie` is read from a cookie",
        ),
        ("value = { format = \"countersign\", keys = [\"a\"], query = \"q\" }", "`countersign` needs a `purpose`"),
        (
            "value = { format = \"rails\", keys = [\"a\"], query = \"q\", salt = \"s\" }",
            "`salt` and `key-digest` belong together",
        ),
        (
            "value = { format = \"django\", keys = [\"a\"], cookie = \"c\", claims = { User = \"u\" } }",
            "`User` cannot be the end",
        ),
        (
            "value = { format = \"django\", keys = [\"a\"], cookie = \"c\", claims = { json = \"u\" } }",
            "`json` cannot be the end",
        ),
        (
            "value = { format = \"flask\", keys = [\"a\"], cookie = \"c\", timed = false }",
            "`timed` means nothing to `flask`",
        ),
    ] {
        let found = faults(&with(more));
        assert!(found.iter().any(|fault| fault.contains(expected)), "{more}: {found:#?}");
    }
}

#[test]
fn a_shared_database_is_said_in_full() {
    let with = |store: &str| PLAIN.to_owned() + "[store]\nkind = \"postgres\"\n[store.postgres]\n" + store;
    let config = parse(&with("url = \"postgres://c@db/x\"\npassword-file = \"pw\"\nentries = 7")).unwrap();
    let ReplayConfig::Postgres(postgres) = config.store.replay else { panic!("it is shared") };
    assert_eq!((postgres.entries, postgres.entries_per_key, postgres.schema.as_str()), (7, 4, "countersign"));
    assert_eq!(postgres.password, Some(SecretSource::File("/etc/gateway/pw".into())));
    for (store, expected) in [
        ("", "[store.postgres] has no `url`"),
        ("url = \"postgres://c:canary@db/x\"", "holds a password"),
        ("url = \"host=db password=canary\"", "holds a password"),
        ("url = \"postgres://c@db/x\"\npassword-env = \"A\"\npassword-file = \"b\"", "told in more than one way"),
        ("url = \"postgres://c@db/x\"\ntls = false\ntls-authorities = \"b\"", "no use without TLS"),
        ("url = \"postgres://c@db/x\"\nschema = \"a; drop\"", "is not a plain name"),
        ("url = \"postgres://c@db/x\"\nbogus = 1", "`bogus` is not a key"),
    ] {
        let found = faults(&with(store));
        let found: Vec<_> = found.iter().filter(|fault| fault.contains(expected)).collect();
        assert_eq!(found.len(), 1, "{store}: {:?}", faults(&with(store)));
        assert!(!found[0].contains("canary"), "{found:?}");
    }
    let found = faults(&(PLAIN.to_owned() + "[store]\nkind = \"postgres\"\n"));
    assert!(found.iter().any(|fault| fault.contains("there is no [store.postgres]")), "{found:?}");
    let found = faults(&(PLAIN.to_owned() + "[store.postgres]\nurl = \"postgres://c@db/x\"\n"));
    assert!(found.iter().any(|fault| fault.contains("is not used")), "{found:?}");
}

#[test]
fn what_seals_keys_is_told_in_one_way_and_once() {
    let with = |store: &str| PLAIN.to_owned() + "[store]\n" + store;
    let seal = |store: &str| parse(&with(store)).unwrap().store.seal;
    assert_eq!(seal(""), None);
    let current = SecretSource::Environment("SEAL".to_owned());
    assert_eq!(seal("seal-key-env = \"SEAL\""), Some(SealSources { current: current.clone(), former: None }));
    let former = Some(SecretSource::File("/etc/gateway/old".into()));
    let both = "seal-key-env = \"SEAL\"\nformer-seal-key-file = \"old\"";
    assert_eq!(seal(both), Some(SealSources { current, former }));
    let database = "kind = \"postgres\"\n[store.postgres]\nurl = \"postgres://c@db/x\"\n";
    // Replay entries in the database, keys in the folder.
    assert!(seal(&format!("seal-key-env = \"SEAL\"\n{database}")).is_some());
    let two = format!("seal-key-env = \"SEAL\"\n{database}seal-key-env = \"OTHER\"");
    let late = format!("{database}former-seal-key-env = \"OTHER\"");
    for (store, expected) in [
        ("seal-key-env = \"A\"\nseal-key-file = \"b\"", "told in more than one way"),
        ("former-seal-key-env = \"A\"", "none that comes after it"),
        ("seal-key = \"canary\"", "`seal-key` is not a key"),
        ("seal-key-command = \"one word\"", "seal-key-command"),
        (two.as_str(), "there are two seal keys"),
        (late.as_str(), "none that comes after it"),
    ] {
        let found = faults(&with(store));
        assert!(found.iter().any(|fault| fault.contains(expected)), "{store}: {found:?}");
        assert!(!found.iter().any(|fault| fault.contains("canary")), "{found:?}");
    }
}

#[test]
fn routes_that_cannot_be_told_apart_are_a_fault() {
    let two = |first: &str, second: &str| {
        let route = "scheme = \"md5-token\"\nupstream = \"http://a\"\n";
        parse(&format!("[server]\nlisten = \"127.0.0.1:0\"\n[[route]]\n{first}\n{route}[[route]]\n{second}\n{route}"))
    };
    assert!(two("path = \"/a\"", "path = \"/b\"").is_ok());
    assert!(two("path = \"/a/*\"", "path = \"/*\"").is_ok());
    assert!(two("path = \"/a/\"", "path = \"/a/*\"").is_ok());
    assert!(two("path = \"/a\"\nmethods = [\"GET\"]", "path = \"/a\"\nmethods = [\"PUT\"]").is_ok());
    assert!(two("path = \"/a\"", "path = \"/a\"").is_err());
    assert!(two("path = \"/a\"", "path = \"/a\"\nmethods = [\"GET\"]").is_err());
    assert!(two("path = \"/a\"\nmethods = [\"GET\", \"PUT\"]", "path = \"/a\"\nmethods = [\"PUT\"]").is_err());
}

#[test]
fn an_empty_file_lacks_what_it_must_have() {
    let found = faults("");
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("there is no [server]"), "{found:#?}");
    assert!(found[1].contains("there is no [[route]]"), "{found:#?}");
}

#[test]
fn faults_of_the_language_are_told_beside_the_others() {
    let found = faults("[server]\nlisten = \"127.0.0.1:80\nworkers = x\nbogus = 1\n");
    assert!(found.len() > 2, "{found:#?}");
    assert!(found.iter().any(|fault| fault.contains("`bogus` is not a key")), "{found:#?}");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Config::load(Path::new("/no/such/gateway.toml")).unwrap_err();
    assert!(error.to_string().contains("/no/such/gateway.toml"), "{error}");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_faults(text in "(?s).{0,200}") {
        if let Err(faults) = parse(&text) {
            prop_assert!(!faults.files[0].faults.is_empty());
            let _ = faults.to_string();
        }
    }

    #[test]
    fn a_damaged_configuration_is_read_or_refused_with_faults(at in 0..PLAIN.len(), replacement in "\\PC{0,4}") {
        let mut text = PLAIN.to_owned();
        text.replace_range(at..=at, &replacement);
        if let Err(faults) = parse(&text) {
            prop_assert!(!faults.files[0].faults.is_empty());
            let _ = faults.to_string();
        }
    }
}

const REDIS: &str = "[server]\nlisten = \"127.0.0.1:8080\"\ngateways = 3\n[store]\nkind = \"redis\"\n";
const ROUTE: &str = "[[route]]\npath = \"/*\"\nscheme = \"md5-token\"\nupstream = \"http://127.0.0.1:8000\"\n";

fn redis(lines: &str) -> String {
    format!("{REDIS}[store.redis]\n{lines}\n{ROUTE}")
}

#[test]
fn a_redis_store_has_defaults_and_can_be_said_in_full() {
    let config = parse(&redis("addresses = [\"redis-1:6379\"]")).unwrap();
    assert_eq!(config.server.gateways, Some(3));
    let ReplayConfig::Redis(plain) = config.store.replay else { panic!("not Redis") };
    assert_eq!((plain.mode, plain.addresses), (RedisMode::Single, vec![("redis-1".to_owned(), 6379)]));
    assert_eq!((plain.prefix.as_str(), plain.replicas, plain.tls), ("countersign", 0, false));
    assert_eq!((plain.entries, plain.entries_per_key), (10_000_000, 5_000_000));
    assert_eq!((plain.deadline, plain.clock_margin), (Duration::from_millis(250), Duration::from_secs(2)));
    let config = parse(&redis(
        r#"mode = "sentinel"
addresses = ["s1:26379", "[::1]:26379"]
master = "replay"
user = "countersign"
password-file = "secret"
sentinel-password-command = ["pass", "show", "sentinel"]
tls = true
tls-authorities = "ca.pem"
tls-certificate = "own.pem"
tls-key = "own.key"
prefix = "prod:countersign"
database = 2
deadline = "100ms"
replicas = 1
clock-margin = "500ms"
entries = 1000
entries-per-key = 10"#,
    ))
    .unwrap();
    let ReplayConfig::Redis(full) = config.store.replay else { panic!("not Redis") };
    assert_eq!(full.mode, RedisMode::Sentinel("replay".to_owned()));
    assert_eq!(full.addresses, [("s1".to_owned(), 26_379), ("::1".to_owned(), 26_379)]);
    assert_eq!(full.password, Some(SecretSource::File("/etc/gateway/secret".into())));
    let words = ["pass", "show", "sentinel"].map(str::to_owned).to_vec();
    assert_eq!(full.sentinel_password, Some(SecretSource::Command(words)));
    assert_eq!(full.tls_client, Some(("/etc/gateway/own.pem".into(), "/etc/gateway/own.key".into())));
    assert_eq!((full.entries, full.entries_per_key, full.database, full.replicas), (1000, 10, 2, 1));
}

#[test]
fn what_a_redis_store_cannot_be_is_a_fault() {
    let single = "addresses = [\"r:6379\"]\n";
    for (lines, told) in [
        ("", "[store.redis] has no `addresses`"),
        ("addresses = [\"r\"]", "`r` is not a host and a port"),
        ("addresses = [\"redis://r:6379\"]", "is not a host and a port"),
        ("addresses = [\"::1:6379\"]", "is not a host and a port"),
        ("addresses = [\"r:0\"]", "is not a host and a port"),
        ("addresses = [\"a:1\", \"b:2\"]", "a single server has one address"),
        (&format!("{single}mode = \"sentinel\""), "[store.redis] has no `master`"),
        (&format!("{single}master = \"m\""), "only sentinels know masters by name"),
        (&format!("{single}password = \"p\""), "`password` is not a key of [store.redis]"),
        (&format!("{single}password-env = \"A\"\npassword-file = \"b\""), "told in more than one way"),
        (&format!("{single}user = \"u\""), "`user` has no password"),
        (&format!("{single}tls-authorities = \"ca\""), "of no use without TLS"),
        (&format!("{single}tls = true\ntls-key = \"k\""), "belong together"),
        (&format!("{single}prefix = \"a{{b}}\""), "may not have"),
        (&format!("{single}mode = \"cluster\"\ndatabase = 1"), "a cluster has one database"),
    ] {
        let found = faults(&redis(lines));
        assert!(found.len() == 1 && found[0].contains(told), "{lines}: {found:?}");
    }
    let unused = format!("[server]\nlisten = \"127.0.0.1:8080\"\n[store.redis]\n{single}{ROUTE}");
    assert!(faults(&unused)[0].contains("is not used"));
    assert!(faults(&format!("{REDIS}{ROUTE}"))[0].contains("there is no [store.redis]"));
}

#[test]
fn attack_27_several_gateways_with_a_store_each_are_refused() {
    let several = |store: &str| format!("[server]\nlisten = \"127.0.0.1:8080\"\ngateways = 3\n{store}{ROUTE}");
    for store in ["", "[store]\n", "[store]\nkind = \"embedded\"\n"] {
        let found = faults(&several(store));
        assert!(found.len() == 1 && found[0].starts_with("3:12 3 gateways, and each would remember"), "{found:?}");
    }
    assert!(parse(&several("").replace("= 3", "= 1")).is_ok());
    assert!(parse(&redis("addresses = [\"r:6379\"]")).is_ok());
}

#[test]
fn attack_27_only_a_gateway_that_is_the_only_one_falls_back() {
    let fallback = |text: &str| text.replace("[[route]]", "[[route]]\nfallback = \"local\"");
    let shared = redis("addresses = [\"r:6379\"]");
    assert!(faults(&fallback(&shared))[0].contains("does not know what the others accept"));
    assert!(faults(&fallback(&shared.replace("gateways = 3\n", "")))[0].contains("that is not said"));
    let config = parse(&fallback(&shared.replace("= 3", "= 1"))).unwrap();
    assert_eq!(config.routes[0].fallback, Fallback::Local);
    let local = PLAIN.replace("8080\"", "8080\"\ngateways = 1");
    assert!(faults(&fallback(&local))[0].contains("nothing to fall back from"));
}
