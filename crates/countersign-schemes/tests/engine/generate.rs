//! Hostile messages: everything that HTTP lets through, and a little more.
//!
//! Values hold no line feed, which no HTTP implementation lets into a field. All else is fair: delimiters of every
//! scheme, names that come twice, pairs without a value, escapes that are none.

use crate::support::Message;
use countersign_core::alg::Hash;
use countersign_core::canon;
use countersign_core::request::Transport;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed};

/// As many cases as the tests of this folder can afford, and the same each time, so that a red run tells of the
/// change that was made. `PROPTEST_CASES=25600` is a hundred times more, and draws others in each run.
pub(crate) fn cases(count: u32) -> Config {
    let usual = Config::default();
    // A third of the cases may be rejected, which is how messages that cannot be signed are passed over.
    let rng_seed = if usual.cases == 256 { RngSeed::Fixed(9421) } else { usual.rng_seed };
    Config { cases: usual.cases.saturating_mul(count).div_ceil(256), rng_seed, ..usual }
}

const PIECES: &[&str] = &[
    "a", "b", "A", "0", "7", "=", "&", "%", "+", ";", ",", "\"", "\\", "'", "/", "?", ":", "@", "|", "~", ".", "-",
    "_", "*", "<", ">", "{", "}", "[", "]", "(", ")", "!", "$", "^", "`", "é", "😀", " ", "a=b", "&a=", "%26", "%3D",
    "%00", "%C3", "sign", "v1=", "..", "//", "secret",
];

/// Text with the delimiters of every scheme. It may begin and end with a space.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z0-9]{1,8}".boxed(),
        4 => vec(select(PIECES), 0..6).prop_map(|pieces| pieces.concat()).boxed(),
        1 => "\\PC{0,8}".boxed(),
    ]
}

/// The same, without what a field value cannot begin and end with.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        9 => text().prop_map(|text| text.trim().as_bytes().to_vec()),
        1 => vec(any::<u8>().prop_filter("no line ends", |byte| !matches!(byte, b'\n' | b'\r')), 0..8),
    ]
}

fn name() -> impl Strategy<Value = String> {
    let common = &[
        "X-Other",
        "x-other",
        "Content-Type",
        "Accept",
        "Cookie",
        "X-Amz-Meta-A",
        "x-amz-meta-b",
        "X-Amz-Meta-A",
        "Digest",
        "User-Agent",
        "X-Body",
        "X-1",
        "x_other",
        "Host",
        "X-Amz-Content-Sha256",
    ];
    let odd =
        &["@request-target", "request-line", "(target)", "@method", "x y", "naïve", "", "sign", "line", ":path"];
    prop_oneof![12 => select(&common[..]), 1 => select(&odd[..])].prop_map(str::to_owned)
}

const QUERY: &[&str] = &[
    "a",
    "b",
    "A",
    "aa",
    "x",
    "sign",
    "%61",
    "%2b",
    "+",
    "%20",
    "%26",
    "%3D",
    "%25",
    "é",
    "%C3%A9",
    "%ff",
    ";",
    "\"",
    "\\",
    "'",
    "|",
    "/",
    "?",
    "",
    "1",
    "~",
    "*",
    "%7e",
    "bodySHA256",
];

/// The pairs of a query or a form, encoded.
pub(crate) fn pairs() -> impl Strategy<Value = String> {
    let piece = || vec(select(QUERY), 0..3).prop_map(|pieces| pieces.concat());
    let pair = (piece(), option(piece()), any::<u8>()).prop_map(|(name, value, odd)| match value {
        // Now and then an escape that is none.
        Some(value) if odd == 0 => format!("{name}={value}%zz"),
        Some(value) => format!("{name}={value}"),
        None => name,
    });
    vec(pair, 0..5).prop_map(|pairs| pairs.join("&"))
}

fn option<S: Strategy<Value = String>>(inner: S) -> impl Strategy<Value = Option<String>> {
    prop_oneof![4 => inner.prop_map(Some), 1 => Just(None)]
}

fn target() -> impl Strategy<Value = Vec<u8>> {
    let segment = prop_oneof![
        Just(""),
        Just("a"),
        Just("b%20c"),
        Just("."),
        Just(".."),
        Just("%2F"),
        Just("%2e%2E"),
        Just("é"),
        Just("a+b"),
        Just("a;v=1"),
        Just("*"),
        Just("%zz"),
        Just("{}"),
        Just("~a"),
        Just("c|d\\")
    ];
    let path = vec(segment, 0..4).prop_map(|segments| format!("/{}", segments.join("/")));
    let usual = (path, option(pairs())).prop_map(|(path, query)| match query {
        Some(query) => format!("{path}?{query}").into_bytes(),
        None => path.into_bytes(),
    });
    let odd = prop_oneof![
        Just(b"*".to_vec()),
        Just(Vec::new()),
        Just(b"http://other.example/a".to_vec()),
        Just(b"/a b".to_vec()),
        Just(b"/a#b".to_vec()),
        Just(b"/\xff\xfe?\x80=\xff".to_vec()),
    ];
    prop_oneof![20 => usual.boxed(), 1 => odd.boxed()]
}

fn json() -> impl Strategy<Value = Vec<u8>> {
    vec((text(), text()), 0..4).prop_map(|members| {
        let members: serde_json::Map<_, _> = members.into_iter().map(|(k, v)| (k, v.into())).collect();
        serde_json::to_vec(&members).expect("JSON")
    })
}

fn xml() -> impl Strategy<Value = Vec<u8>> {
    vec((0_u8..4, "[a-z&;<0-9é ]{0,8}"), 0..3).prop_map(|children| {
        let children = children.into_iter().map(|(name, text)| {
            let text = text.replace('&', "&amp;").replace('<', "&lt;");
            format!("<c{name}>{text}</c{name}>")
        });
        format!("<xml>{}</xml>", children.collect::<String>()).into_bytes()
    })
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => Just(Vec::new()),
        3 => pairs().prop_map(String::into_bytes),
        4 => json(),
        3 => xml(),
        2 => vec(any::<u8>(), 0..200),
        1 => vec(any::<u8>(), 4000..9000),
    ]
}

/// A body of any kind, mostly of the one that a scheme reads.
pub(crate) fn body(scheme: &str) -> BoxedStrategy<Vec<u8>> {
    let fitting = match scheme {
        "binance-body" | "kraken" | "kraken-ms" | "sink-form" | "twilio-form" => {
            pairs().prop_map(String::into_bytes).boxed()
        }
        "feishu-bot" | "kraken-json" | "linear-webhook" | "pusher-webhook" | "sink-json" => json().boxed(),
        "alipay-notify" => pairs().prop_map(String::into_bytes).boxed(),
        "sink-xml" | "wechatpay-v2-hmac" | "wechatpay-v2-md5" => xml().boxed(),
        _ => any_body().boxed(),
    };
    prop_oneof![4 => fitting, 1 => any_body()].boxed()
}

/// A request. Most can be signed under the scheme.
pub(crate) fn message(scheme: &str) -> impl Strategy<Value = Message> + use<> {
    let method = prop_oneof![
        // Some links are for reading only.
        12 => select(if matches!(scheme, "hawk-bewit" | "qiniu-download") { &["GET", "HEAD"][..] } else { &["GET", "POST", "PUT", "DELETE", "HEAD"] }),
        1 => select(&["get", "M-SEARCH", "", "G T", "Ä"][..]),
    ];
    let authority = prop_oneof![
        12 => select(&["api.example.com", "api.example.com:8443", "API.Example.com", "[::1]:80", "localhost"][..]),
        1 => select(&["", "a b", "x:y:z", "[::1", ":", "ä"][..]),
    ];
    let fields = vec((name(), value()), 0..5);
    let uploads = scheme.ends_with("-upload");
    // It has to be signed there, and so to be there.
    let typed = scheme == "tencent-tc3";
    let with_token = scheme == "fapi-http-signatures";
    (method, target(), authority, any::<bool>(), fields, body(scheme), any::<bool>()).prop_map(
        move |(method, target, authority, tls, mut fields, body, peer)| {
            if typed && !fields.iter().any(|(name, _)| name == "Content-Type") {
                fields.push(("Content-Type".to_owned(), b"text/plain".to_vec()));
            }
            if with_token && !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
                fields.push(("Authorization".to_owned(), b"Bearer token".to_vec()));
            }
            let message = Message {
                method: method.to_owned(),
                target,
                authority: authority.to_owned(),
                transport: if tls { Transport::Https } else { Transport::Http },
                fields,
                body,
                peer: peer.then(|| "192.0.2.7".to_owned()),
                status: None,
                answers: None,
            };
            if uploads { upload(message) } else { message }
        },
    )
}

/// The message with its body as the file of an upload.
fn upload(mut message: Message) -> Message {
    // Whatever it is, it is not the boundary.
    let hex = |bytes: &[u8]| {
        let mut digits = Vec::new();
        canon::hex_lower(bytes, &mut digits);
        String::from_utf8(digits).expect("digits")
    };
    let file = hex(&message.body);
    let meta = format!("{{\"sha256\":\"{}\"}}", hex(Hash::Sha256.digest(file.as_bytes()).as_bytes()));
    message.fields.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    message = message.with_field("Content-Type", "multipart/form-data; boundary=b");
    let part = |name: &str, content: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
    };
    let body = [part("meta", &meta), part("data", "{}"), part("file", &file), "--b--\r\n".to_owned()];
    message.with_body(&body.concat())
}

/// How a body is cut into pieces.
pub(crate) fn cuts() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![Just(0_usize), 1..4_usize, 60..70_usize, 1000..3000_usize], 0..8)
}
