//! Messages of vendors' own libraries, as `vectors/NAME/sdk.jsonl` has them.

use countersign_core::alg::{Asymmetric, Hash};
use countersign_core::{Key, UnixTime};
use serde_json::Value;

/// A message to measure, and what has to be hashed for it.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) scheme: &'static str,
    /// The line's id.
    pub(crate) id: &'static str,
    /// What is digested on the way to the signature base.
    pub(crate) digests: &'static [(Hash, Input)],
    /// The signature, where it is not a MAC: by which algorithm, and how its text is decoded.
    pub(crate) signature: Option<(Asymmetric, Decode)>,
}

/// How a signature's text is decoded.
pub(crate) type Decode = fn(&[u8], &mut Vec<u8>) -> Result<(), countersign_core::canon::Malformed>;

/// What a digest is of.
#[derive(Debug)]
pub(crate) enum Input {
    /// The body, between texts of the scheme.
    Body(&'static str, &'static str),
    /// An entry of `[let]`.
    Let(&'static str),
}

const BODY: (Hash, Input) = (Hash::Sha256, Input::Body("", ""));
const CANONICAL: (Hash, Input) = (Hash::Sha256, Input::Let("canonical"));

/// Large schemes, and those whose signatures are asymmetric behind them.
pub(crate) const RECORDED: &[Recorded] = &[
    Recorded { scheme: "tencent-tc3", id: "tencentcloud-post-json", digests: &[BODY, CANONICAL], signature: None },
    Recorded { scheme: "aliyun-acs3", id: "tea-openapi-post-json", digests: &[BODY, CANONICAL], signature: None },
    Recorded {
        scheme: "hawk",
        id: "mohawk-post",
        digests: &[(Hash::Sha256, Input::Body("hawk.1.payload\ntext/plain\n", "\n"))],
        signature: None,
    },
    Recorded { scheme: "akamai-edgegrid", id: "edgegrid-python-post", digests: &[BODY], signature: None },
    Recorded {
        scheme: "azure-sharedkey",
        id: "azure-storage-blob-put",
        digests: &[(Hash::Md5, Input::Body("", ""))],
        signature: None,
    },
    Recorded {
        scheme: "gcs-v4",
        id: "google-cloud-storage-get",
        digests: &[CANONICAL],
        signature: Some((Asymmetric::RsaPkcs1(Hash::Sha256), countersign_core::canon::unhex)),
    },
    Recorded {
        scheme: "wechatpay-v3",
        id: "wechatpayv3-post",
        digests: &[],
        signature: Some((Asymmetric::RsaPkcs1(Hash::Sha256), countersign_core::canon::unb64)),
    },
    Recorded {
        scheme: "discord-ed25519",
        id: "discord-interactions-json",
        digests: &[],
        signature: Some((Asymmetric::Ed25519, countersign_core::canon::unhex)),
    },
];

/// A line of a vector file.
#[derive(Debug)]
pub(crate) struct Line(Value);

impl Recorded {
    /// The line.
    pub(crate) fn line(&self) -> Line {
        let path = format!("{}/../vectors/{}/sdk.jsonl", env!("CARGO_MANIFEST_DIR"), self.scheme);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
        Line(lines.into_iter().find(|line| line["id"] == self.id).expect("a line of this id"))
    }
}

impl Line {
    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    pub(crate) fn method(&self) -> String {
        self.text("method").expect("a method").to_owned()
    }

    /// Authority and target of the URL.
    pub(crate) fn url(&self) -> (String, Vec<u8>) {
        let rest = self.text("url").and_then(|url| url.strip_prefix("https://")).expect("a URL of https");
        let (authority, target) = rest.split_at(rest.find('/').expect("a path"));
        (authority.to_owned(), target.as_bytes().to_vec())
    }

    pub(crate) fn fields(&self) -> Vec<(String, Vec<u8>)> {
        let pairs: Vec<(String, String)> = serde_json::from_value(self.0["headers"].clone()).expect("field lines");
        pairs.into_iter().map(|(name, value)| (name, value.into_bytes())).collect()
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        self.text("body").expect("a body of text").as_bytes().to_vec()
    }

    pub(crate) fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.0["now"].as_i64().expect("an instant"))
    }

    /// Variables, by name.
    pub(crate) fn vars(&self) -> Vec<(String, String)> {
        let vars = self.0.get("vars").and_then(Value::as_object);
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        vars.into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
    }

    /// The key, as its holder's peer has it: of a pair, the public half.
    pub(crate) fn key(&self) -> Key {
        let key = match (self.text("secret"), self.text("public_key")) {
            (Some(secret), None) => Key::secret(secret.as_bytes()),
            (None, Some(public)) => Key::public(public).expect("a public key"),
            _ => panic!("a secret or a public key"),
        };
        match self.text("key_id") {
            Some(id) => key.with_id(id),
            None => key,
        }
    }
}
