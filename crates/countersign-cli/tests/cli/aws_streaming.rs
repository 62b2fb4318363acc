//! The upload with a trailer of the AWS documentation: verified, signed to the same bytes, and explained.

use crate::support::jsonl;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// "Signature Calculations for the Authorization Header: Including Trailing Headers", with the signatures printed
/// there.
#[test]
fn the_upload_with_a_trailer_of_the_aws_documentation_verifies_and_is_signed_the_same() {
    let mut line = json!({
        "id": 1, "scheme": "aws-sigv4-streaming", "method": "PUT", "now": 1_369_353_600,
        "url": "https://s3.amazonaws.com/examplebucket/chunkObject.txt",
        "key_id": "AKIAIOSFODNN7EXAMPLE", "secret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "headers": [
            ["Host", "s3.amazonaws.com"],
            ["Content-Encoding", "aws-chunked"],
            ["x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"],
            ["x-amz-date", "20130524T000000Z"],
            ["x-amz-decoded-content-length", "66560"],
            ["x-amz-storage-class", "REDUCED_REDUNDANCY"],
            ["x-amz-trailer", "x-amz-checksum-crc32c"],
        ],
    });
    let mut unsigned = line.clone();
    unsigned["body"] = json!("a".repeat(66_560));
    unsigned["vars"] = json!({ "region": "us-east-1", "service": "s3" });
    let signatures = json!([
        "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
        "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
        "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
    ]);
    let trailer = "x-amz-checksum-crc32c:sOO8/Q==\r\n\
                   x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n";
    let seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
    in_chunks(&mut line, seed, signatures.as_array().unwrap(), trailer);
    let answer = &jsonl("verify", &[line.clone()])[0];
    assert_eq!(answer["verdict"], "verified", "{answer}");
    let signed = &jsonl("sign", &[unsigned])[0];
    assert_eq!((&signed["signature"], &signed["body"]), (&json!(seed), &line["body"]), "{}", signed["headers"]);
    // Each string to sign, and where claimed and computed part.
    let damaged = line["body"].as_str().unwrap().replacen("\r\n400;", "b\r\n400;", 1).replacen("10000;", "10001;", 1);
    let changed = line["body"].as_str().unwrap().replacen("\na", "\nb", 1);
    for (body, names, detail) in [
        (line["body"].as_str().unwrap(), vec!["chunk 1", "chunk 2", "chunk 3", "trailer"], None),
        (
            &changed,
            vec!["chunk 1"],
            Some("the signature of chunk 1 of the body is not the one that this key makes for it"),
        ),
        (
            &damaged,
            vec!["chunk 1"],
            Some("the signature of chunk 1 of the body is not the one that this key makes for it"),
        ),
    ] {
        let mut line = line.clone();
        line["body"] = json!(body);
        let answer = &jsonl("explain", &[line])[0];
        assert_eq!(answer["detail"].as_str(), detail);
        let stages = answer["stages"].as_array().unwrap();
        for name in &names {
            let base = stages.iter().find(|stage| stage["name"] == *name).unwrap_or_else(|| panic!("{name}"));
            assert!(base["text"].as_str().unwrap().starts_with("AWS4-HMAC-SHA256-"), "{base}");
            let signature = stages.iter().find(|stage| stage["name"] == format!("{name} signature")).unwrap();
            let same = signature["claimed_base64"] == signature["bytes_base64"];
            assert_eq!(same, detail.is_none(), "{signature}");
        }
        let shown = stages.iter().filter(|stage| stage["name"].as_str().unwrap().ends_with(" signature")).count();
        assert_eq!(shown, names.len());
    }
}

/// The upload of the AWS documentation: 66 560 times `a` in chunks of 64 KiB, of which only the signatures are listed.
fn in_chunks(line: &mut Value, seed: &str, signatures: &[Value], trailer: &str) {
    let mut names: Vec<String> = Vec::new();
    for header in line["headers"].as_array().unwrap() {
        names.push(header[0].as_str().unwrap().to_ascii_lowercase());
    }
    names.sort();
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders={},\
         Signature={seed}",
        names.join(";")
    );
    line["headers"].as_array_mut().unwrap().push(json!(["Authorization", authorization]));
    let mut body = String::new();
    for (size, signature) in [65_536, 1_024, 0].into_iter().zip(signatures) {
        let content = "a".repeat(size);
        let end = if size == 0 { trailer } else { "\r\n" };
        write!(body, "{size:x};chunk-signature={}\r\n{content}{end}", signature.as_str().unwrap()).unwrap();
    }
    line["body"] = json!(body + "\r\n");
}
