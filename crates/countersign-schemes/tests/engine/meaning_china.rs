//! The exceptions of the schemes of Chinese clouds, from their vendors' documents: see `meaning`.

use crate::meaning::{decoded, pairs};
use crate::support::Message;
use countersign_core::canon;

/// What a part means, where that is not the part as it stands.
pub(crate) fn of(scheme: &str, part: &str, message: &Message) -> Option<Vec<u8>> {
    match part {
        "method" => method(scheme, message),
        "authority" if signs_host(scheme) => Some(message.authority.to_ascii_lowercase().into_bytes()),
        "path" => path(scheme, message),
        "query" => query(scheme, message.query().unwrap_or_default()),
        "body" if scheme.starts_with("aliyun-rpc") => Some(parameters(&message.body, "Signature", Order::Name)),
        _ => header(scheme, part.strip_prefix("header ")?, message),
    }
}

/// What the signature says of its coverage in an order that it does not sign.
pub(crate) fn lists_in_any_order(scheme: &str) -> bool {
    scheme == "aliyun-api-gateway"
}

fn method(scheme: &str, message: &Message) -> Option<Vec<u8>> {
    match scheme {
        "tencent-cos" | "tencent-cos-query" => Some(message.method.to_ascii_lowercase().into_bytes()),
        // Good for both methods that read.
        "qiniu-download" if message.method == "HEAD" => Some(b"GET".to_vec()),
        _ => None,
    }
}

/// Those that sign the Host field, whose case means nothing.
fn signs_host(scheme: &str) -> bool {
    matches!(
        scheme,
        "aliyun-acs3"
            | "baidu-bce-v1"
            | "huawei-sdk-ecdsa-p256"
            | "huawei-sdk-hmac"
            | "huawei-sdk-hmac-sm3"
            | "huawei-sdk-sm2"
            | "huawei-v11-hmac"
            | "tencent-cos"
            | "tencent-cos-query"
            | "tencent-tc3"
            | "volcengine-v4"
    )
}

fn path(scheme: &str, message: &Message) -> Option<Vec<u8>> {
    let mut path = decoded(message.path(), false);
    match scheme {
        "huawei-sdk-ecdsa-p256"
        | "huawei-sdk-hmac"
        | "huawei-sdk-hmac-sm3"
        | "huawei-sdk-sm2"
        | "huawei-v11-hmac" => {
            if path.last() != Some(&b'/') {
                path.push(b'/');
            }
            Some(path)
        }
        "baidu-bce-v1" | "volcengine-v4" => Some(path),
        _ if scheme.starts_with("aliyun-oss-") || scheme.starts_with("tencent-cos") => Some(path),
        _ => None,
    }
}

/// How parameters are sorted, and what of them is kept apart.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    /// By name; those of one name as they came.
    Name,
    /// By name and value.
    NameValue,
}

fn query(scheme: &str, raw: &[u8]) -> Option<Vec<u8>> {
    Some(match scheme {
        "aliyun-rpc" | "aliyun-rpc-form" => parameters(raw, "Signature", Order::Name),
        "volcengine-v4" => parameters(raw, "", Order::Name),
        "baidu-bce-v1"
        | "huawei-sdk-ecdsa-p256"
        | "huawei-sdk-hmac"
        | "huawei-sdk-hmac-sm3"
        | "huawei-sdk-sm2"
        | "huawei-v11-hmac" => parameters(raw, "", Order::NameValue),
        "aliyun-oss-v4" | "aliyun-oss-v4-query" => parameters(raw, "x-oss-signature", Order::NameValue),
        // Names are encoded, and in lower case only then.
        "tencent-cos" | "tencent-cos-query" => lower_names(raw, scheme == "tencent-cos-query"),
        // Names are signed as they are, values encoded or as they are: no parameter is told from two.
        "aliyun-acs3" => unescaped(raw, true),
        "aliyun-roa" | "aliyun-api-gateway" => unescaped(raw, false),
        // As sent, wherever the token stands.
        "qiniu-download" => {
            let pieces = raw.split(|byte| *byte == b'&');
            let others = pieces.filter(|piece| !piece.is_empty() && !piece.starts_with(b"token="));
            others.collect::<Vec<_>>().join(&b'&')
        }
        _ => return None,
    })
}

fn sorted(raw: &[u8], without: &str, order: Order) -> Vec<(Vec<u8>, Vec<u8>)> {
    let pairs = pairs(raw, true).into_iter().map(|(name, value)| (name, value.unwrap_or_default()));
    let mut pairs: Vec<_> = pairs.filter(|(name, _)| name != without.as_bytes()).collect();
    match order {
        Order::Name => pairs.sort_by(|(name, _), (other, _)| name.cmp(other)),
        Order::NameValue => pairs.sort(),
    }
    pairs
}

fn parameters(raw: &[u8], without: &str, order: Order) -> Vec<u8> {
    format!("{:?}", sorted(raw, without, order)).into_bytes()
}

/// `link`: without the parameters that carry the credentials.
fn lower_names(raw: &[u8], link: bool) -> Vec<u8> {
    let carries = |name: &[u8]| link && name.starts_with(b"q-");
    let encoded = |(name, value): (Vec<u8>, Vec<u8>)| (encoded(&name).to_ascii_lowercase(), value);
    let mut pairs: Vec<_> = sorted(raw, "", Order::Name).into_iter().map(encoded).collect();
    pairs.retain(|(name, _)| !carries(name));
    pairs.sort();
    format!("{pairs:?}").into_bytes()
}

fn unescaped(raw: &[u8], values_encoded: bool) -> Vec<u8> {
    let written = |(name, value): (Vec<u8>, Vec<u8>)| match (values_encoded, value.is_empty()) {
        (true, _) => [name, encoded(&value)].join(&b'='),
        (false, true) => name,
        (false, false) => [name, value].join(&b'='),
    };
    sorted(raw, "", Order::Name).into_iter().map(written).collect::<Vec<_>>().join(&b'&')
}

fn encoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    canon::pct(text, &mut out);
    out
}

fn header(scheme: &str, name: &str, message: &Message) -> Option<Vec<u8>> {
    let lines = message.fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    let mut values: Vec<Vec<u8>> = lines.map(|(_, value)| value.trim_ascii().to_vec()).collect();
    match scheme {
        "tencent-tc3" => Some(values.join(&b',').to_ascii_lowercase()),
        "huawei-sdk-ecdsa-p256"
        | "huawei-sdk-hmac"
        | "huawei-sdk-hmac-sm3"
        | "huawei-sdk-sm2"
        | "huawei-v11-hmac"
        | "volcengine-v4" => Some(values.join(&b',')),
        "aliyun-acs3" => {
            values.sort();
            Some(values.join(&b','))
        }
        "baidu-bce-v1" => {
            values.retain(|value| !value.is_empty());
            values.sort();
            Some(values.join(&b'\n'))
        }
        _ => None,
    }
}
