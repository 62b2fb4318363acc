//! Signed policies: a JSON text that says for which resources, until when and from where something is granted.
//!
//! The language is the part of AWS's policy language that `CloudFront` takes for signed URLs
//! (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-custom-policy.html>,
//! 2026-11-22): one statement with a resource, an end, and perhaps a beginning and a network of addresses.
//!
//! Whoever judges less than a policy says grants more than was signed, so whatever is not known here makes the policy
//! malformed: other members, a second statement, a condition twice. Deliberately absent: defaults. `CloudFront` takes
//! a policy without a resource for one of all resources; here it is malformed.

use super::{JsonValue, Malformed, json_members, wildcard};
use std::net::IpAddr;

/// What a policy grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// `DateGreaterThan`: it holds only after this Unix second.
    pub after: Option<u64>,
    /// `DateLessThan`: it holds only before this Unix second.
    pub before: u64,
    /// `IpAddress`: it holds only for addresses in this network.
    pub network: Option<Network>,
    /// `Resource`: it holds for what fits this pattern.
    pub resource: Vec<u8>,
}

/// Addresses that begin alike (RFC 4632, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// How many bits they share.
    shared: u8,
}

impl Policy {
    /// Reads a policy.
    pub fn parse(text: &[u8]) -> Result<Self, Malformed> {
        let statements = sole_member(text, "Statement")?;
        let (mut resource, mut condition) = (None, None);
        for (name, value) in members(sole_item(&statements)?)? {
            match (name.as_slice(), value) {
                (b"Resource", Value::String(pattern)) => resource = Some(pattern),
                (b"Condition", Value::Raw(raw)) => condition = Some(raw),
                _ => return Err(Malformed),
            }
        }
        let (mut after, mut before, mut network) = (None, None, None);
        for (name, value) in members(&condition.ok_or(Malformed)?)? {
            let Value::Raw(raw) = value else { return Err(Malformed) };
            match name.as_slice() {
                b"DateGreaterThan" => after = Some(second(&raw)?),
                b"DateLessThan" => before = Some(second(&raw)?),
                b"IpAddress" => network = Some(Network::parse(&sole_string(&raw, "AWS:SourceIp")?)?),
                _ => return Err(Malformed),
            }
        }
        Ok(Self { after, before: before.ok_or(Malformed)?, network, resource: resource.ok_or(Malformed)? })
    }

    /// Whether it is for this resource. `*` in its pattern is any run of bytes, `?` any one.
    #[must_use]
    pub fn is_for(&self, resource: &[u8]) -> bool {
        wildcard(&self.resource, resource)
    }

    /// Whether it is for a client at this address. One whose address is not known is at none.
    #[must_use]
    pub fn admits(&self, address: Option<&str>) -> bool {
        let at = || address?.parse().ok();
        self.network.is_none_or(|network| at().is_some_and(|address| network.holds(address)))
    }
}

impl Network {
    /// Reads `203.0.113.0/24`, `2001:db8::/32`, or one address.
    fn parse(text: &[u8]) -> Result<Self, Malformed> {
        let text = str::from_utf8(text).map_err(|_| Malformed)?;
        let (address, shared) =
            text.split_once('/').map_or((text, None), |(address, shared)| (address, Some(shared)));
        let address: IpAddr = address.parse().map_err(|_| Malformed)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let shared = match shared {
            None => most,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| Malformed)?
            }
            Some(_) => return Err(Malformed),
        };
        if shared > most {
            return Err(Malformed);
        }
        Ok(Self { address, shared })
    }

    /// Whether an address is in it. One of IPv4 that is written as one of IPv6 (`::ffff:…`) is one of IPv4.
    fn holds(&self, address: IpAddr) -> bool {
        let differing = match (self.address, address.to_canonical()) {
            (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
            (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
            _ => return false,
        };
        differing >= u32::from(self.shared)
    }
}

/// A value of a policy: text, or an object or number as it stands.
enum Value {
    Raw(Vec<u8>),
    String(Vec<u8>),
}

fn members(object: &[u8]) -> Result<Vec<(Vec<u8>, Value)>, Malformed> {
    let mut found = Vec::new();
    json_members(object, &mut |name, value| {
        let value = match value {
            JsonValue::Raw(raw) => Value::Raw(raw.to_vec()),
            JsonValue::String(text) => Value::String(text.to_vec()),
        };
        found.push((name.to_vec(), value));
    })?;
    Ok(found)
}

/// The value of an object that has this member and no other.
fn sole_member(object: &[u8], name: &str) -> Result<Vec<u8>, Malformed> {
    match members(object)?.as_mut_slice() {
        [(known, Value::Raw(raw))] if known.as_slice() == name.as_bytes() => Ok(std::mem::take(raw)),
        _ => Err(Malformed),
    }
}

fn sole_string(object: &[u8], name: &str) -> Result<Vec<u8>, Malformed> {
    match members(object)?.as_mut_slice() {
        [(known, Value::String(text))] if known.as_slice() == name.as_bytes() => Ok(std::mem::take(text)),
        _ => Err(Malformed),
    }
}

/// What stands in the brackets of a list. Reading it as one object refuses a second item.
fn sole_item(list: &[u8]) -> Result<&[u8], Malformed> {
    match list {
        [b'[', item @ .., b']'] => Ok(item),
        _ => Err(Malformed),
    }
}

/// `{"AWS:EpochTime": 1700000000}`
fn second(object: &[u8]) -> Result<u64, Malformed> {
    let digits = sole_member(object, "AWS:EpochTime")?;
    let is_number = digits.iter().all(u8::is_ascii_digit) && digits.len() <= LONGEST_SECOND;
    let text = str::from_utf8(&digits).map_err(|_| Malformed)?;
    if is_number { text.parse().map_err(|_| Malformed) } else { Err(Malformed) }
}

/// As many digits as a capture of type `unix` may have.
const LONGEST_SECOND: usize = 11;

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(resource: &str, condition: &str) -> Result<Policy, Malformed> {
        Policy::parse(
            format!(r#"{{"Statement":[{{"Resource":"{resource}","Condition":{{{condition}}}}}]}}"#).as_bytes(),
        )
    }

    const UNTIL: &str = r#""DateLessThan":{"AWS:EpochTime":1700000000}"#;

    #[test]
    fn members_stand_in_any_order_and_spacing() {
        let text = b"{ \r\n \"Statement\" : [ { \"Condition\" : { \"IpAddress\":{\"AWS:SourceIp\":\"192.0.2.0/24\"},\
            \"DateGreaterThan\":{ \"AWS:EpochTime\": 5 }, \"DateLessThan\":{\"AWS:EpochTime\":9}}, \
            \"Resource\":\"http:\\/\\/a\\/*\"} ] }\r\n";
        let policy = Policy::parse(text).expect("a policy");
        assert_eq!((policy.after, policy.before, policy.resource.as_slice()), (Some(5), 9, &b"http://a/*"[..]));
        assert!(policy.admits(Some("192.0.2.255")) && !policy.admits(Some("192.0.3.0")) && !policy.admits(None));
    }

    #[test]
    fn what_is_not_judged_is_not_granted() {
        assert!(policy("*", UNTIL).is_ok());
        for condition in [
            "",
            r#""DateGreaterThan":{"AWS:EpochTime":1}"#,
            r#""DateLessThan":{"AWS:EpochTime":"1700000000"}"#,
            r#""DateLessThan":{"AWS:EpochTime":1e9}"#,
            r#""DateLessThan":{"AWS:EpochTime":-1}"#,
            r#""DateLessThan":{"AWS:EpochTime":1700000000000}"#,
            r#""DateLessThan":{"AWS:EpochTime":1,"AWS:Other":2}"#,
            r#""DateLessThan":{}"#,
            r#""DateLessThan":{"AWS:EpochTime":1},"DateLessThan":{"AWS:EpochTime":2}"#,
            r#""DateLessThan":{"AWS:EpochTime":1},"Date\u004cessThan":{"AWS:EpochTime":2}"#,
            r#""DateLessThan":{"AWS:EpochTime":1},"Bool":{"aws:SecureTransport":"true"}"#,
            r#""DateLessThan":{"AWS:EpochTime":1},"IpAddress":{"AWS:SourceIp":["192.0.2.1"]}"#,
            r#""DateLessThan":{"AWS:EpochTime":1},"IpAddress":{"AWS:SourceIp":"192.0.2.0/33"}"#,
            r#""DateLessThan":{"AWS:EpochTime":1},"IpAddress":{"AWS:SourceIp":"192.0.2.0/+1"}"#,
            r#""DateLessThan":{"AWS:EpochTime":1},"IpAddress":{"AWS:SourceIp":"192.0.2"}"#,
        ] {
            assert_eq!(policy("*", condition), Err(Malformed), "{condition}");
        }
        let statement = format!(r#"{{"Resource":"*","Condition":{{{UNTIL}}}}}"#);
        for text in [
            String::new(),
            "{}".into(),
            statement.clone(),
            format!(r#"{{"Statement":{statement}}}"#),
            format!(r#"{{"Statement":[{statement},{statement}]}}"#),
            format!(r#"{{"Statement":[{statement}],"Version":"2012-10-17"}}"#),
            format!(r#"{{"Statement":[{statement}]}}x"#),
            format!(r#"{{"Statement":[{{"Condition":{{{UNTIL}}}}}]}}"#),
            format!(r#"{{"Statement":[{{"Resource":["*"],"Condition":{{{UNTIL}}}}}]}}"#),
            format!(r#"{{"Statement":[{{"Effect":"Deny","Resource":"*","Condition":{{{UNTIL}}}}}]}}"#),
        ] {
            assert_eq!(Policy::parse(text.as_bytes()), Err(Malformed), "{text}");
        }
    }

    #[test]
    fn a_network_is_its_first_bits() {
        let holds = |network: &str, address: &str| {
            Network::parse(network.as_bytes()).expect(network).holds(address.parse().expect(address))
        };
        for (network, address) in [
            ("0.0.0.0/0", "203.0.113.9"),
            ("203.0.113.9", "203.0.113.9"),
            ("203.0.113.9/32", "::ffff:203.0.113.9"),
            ("203.0.113.77/24", "203.0.113.9"),
            ("2001:db8::/32", "2001:db8:1::1"),
            ("::/0", "2001:db8::1"),
        ] {
            assert!(holds(network, address), "{network} {address}");
        }
        for (network, address) in [
            ("203.0.113.8", "203.0.113.9"),
            ("203.0.113.0/29", "203.0.113.9"),
            ("0.0.0.0/0", "2001:db8::1"),
            ("::/0", "203.0.113.9"),
            ("2001:db8::/33", "2001:db8:8000::"),
        ] {
            assert!(!holds(network, address), "{network} {address}");
        }
    }

    #[test]
    fn a_resource_fits_as_a_whole() {
        let policy = policy("https://a.example/i?/*.jpg", UNTIL).expect("a policy");
        assert!(policy.is_for(b"https://a.example/i1/x/y.jpg"));
        for other in ["https://a.example/i/x.jpg", "https://a.example/i1/x.jpg?a=1", "http://a.example/i1/x.jpg"] {
            assert!(!policy.is_for(other.as_bytes()), "{other}");
        }
    }
}
