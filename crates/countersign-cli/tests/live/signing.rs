//! Requests signed as the articles' clients sign them, from nothing but a hash function.

use countersign_core::alg::Hash;

/// The first article's user and secret.
pub const USER: &str = "123456789@qq.com";
pub const TOKEN: &str = "abc";

/// The first article's route.
pub const ASSET: &str = r#"
[[route]]
path     = "/asset/*"
scheme   = "md5-token"
upstream = "{upstream}"
"#;

/// The second article's key and route.
pub const APP: &str = "transfer-app";
pub const SHARED: &str = "a shared secret of some length";
pub const API: &str = r#"
[[route]]
path     = "/api/*"
scheme   = "spring-sign"
key      = "transfer-app"
upstream = "{upstream}"
"#;

/// The first article's query.
pub fn md5_query(user: &str, secret: &str, time: i64) -> String {
    let digest = md5(format!("{user}\n{time}\n{secret}").as_bytes());
    format!("user={user}&timestamp={time}&token={}", &digest[10..17])
}

/// A request of the first article, good for once at that time.
pub fn md5_request(time: i64) -> Vec<u8> {
    get(&format!("/asset/asset_report/?{}", md5_query(USER, TOKEN, time)))
}

/// A request of the second article.
#[derive(Debug, Clone)]
pub struct Transfer {
    pub body: String,
    pub nonce: String,
    pub time: i64,
    pub upper: bool,
}

impl Transfer {
    pub fn new(nonce: &str, time: i64) -> Self {
        let body = r#"{"from":"a","to":"b","amount":100}"#.to_owned();
        Self { body, nonce: nonce.to_owned(), time, upper: false }
    }

    /// Signed, as bytes.
    pub fn wire(&self) -> Vec<u8> {
        self.wire_with(SHARED)
    }

    /// The same with another secret.
    pub fn wire_with(&self, secret: &str) -> Vec<u8> {
        let Self { body, nonce, time, .. } = self;
        let digest = md5(format!("/api/transfer\n\n{body}\n{nonce}\n{time}\n{secret}").as_bytes());
        let sign = if self.upper { digest.to_ascii_uppercase() } else { digest };
        format!(
            "POST /api/transfer HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\n\
             timestamp: {time}\r\nnonce: {nonce}\r\nsign: {sign}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}

/// A request without a body.
pub fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n").into_bytes()
}

fn md5(bytes: &[u8]) -> String {
    format!("{:032x}", u128::from_be_bytes(Hash::Md5.digest(bytes).as_bytes().try_into().unwrap()))
}
