//! What a service learns about its client: the PROXY protocol, version 2 (`proxy-protocol.txt` of `HAProxy`, sections 2.2
//! to 2.2.8, read 2026-11-29), with the key id in a type-length-value of the range for custom use.

use std::net::{IpAddr, SocketAddr};

/// The first of the types that are for custom use (section 2.2.8): the key id, as UTF-8.
pub(crate) const KEY_ID: u8 = 0xe0;

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Version 2, and a connection that is relayed.
const PROXY: u8 = 0x21;
const TCP_OVER_IPV4: u8 = 0x11;
const TCP_OVER_IPV6: u8 = 0x21;

/// The header for a connection from `peer` to `local`.
pub(crate) fn header(peer: SocketAddr, local: SocketAddr, key_id: Option<&str>) -> Vec<u8> {
    let mut content = Vec::with_capacity(64);
    let family = match (peer.ip(), local.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            content.extend_from_slice(&from.octets());
            content.extend_from_slice(&to.octets());
            TCP_OVER_IPV4
        }
        (from, to) => {
            for address in [from, to] {
                let octets = match address {
                    IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
                    IpAddr::V6(v6) => v6.octets(),
                };
                content.extend_from_slice(&octets);
            }
            TCP_OVER_IPV6
        }
    };
    content.extend_from_slice(&peer.port().to_be_bytes());
    content.extend_from_slice(&local.port().to_be_bytes());
    if let Some(key_id) = key_id {
        content.push(KEY_ID);
        content.extend_from_slice(&length(key_id.as_bytes()));
        content.extend_from_slice(key_id.as_bytes());
    }
    let mut header = SIGNATURE.to_vec();
    header.extend_from_slice(&[PROXY, family]);
    header.extend_from_slice(&length(&content));
    header.extend_from_slice(&content);
    header
}

/// Key ids are short: a handshake's frames are.
fn length(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_to_the_byte() {
        let at = |text: &str| text.parse().unwrap();
        let start = b"\r\n\r\n\0\r\nQUIT\n\x21";
        let four = [&start[..], b"\x11\0\x14\x7f\0\0\x01\x7f\0\0\x02\x12\x34\0\x50\xe0\0\x05alice"].concat();
        assert_eq!(header(at("127.0.0.1:4660"), at("127.0.0.2:80"), Some("alice")), four);
        let six = [
            &start[..],
            b"\x21\0\x24",
            &"::1".parse::<std::net::Ipv6Addr>().unwrap().octets(),
            &"2001:db8::2".parse::<std::net::Ipv6Addr>().unwrap().octets(),
            b"\x12\x34\0\x50",
        ]
        .concat();
        let made = header(at("[::1]:4660"), at("[2001:db8::2]:80"), None);
        assert_eq!(made, six);
    }
}
