"""AWS Signature Version 4A, by AWS's common runtime."""

import io
from datetime import datetime, timezone

from awscrt.auth import (
    AwsCredentialsProvider,
    AwsSignatureType,
    AwsSignedBodyHeaderType,
    AwsSigningAlgorithm,
    AwsSigningConfig,
    aws_sign_request,
)
from awscrt.http import HttpHeaders, HttpRequest

SDK = "awscrt==0.38.1"
SCHEMES = ["aws-sigv4a", "aws-sigv4a-query"]
QUICK = True


def sign(scheme, rng, hostile):
    host = hostile.host(rng)
    # The runtime reads a target with `:/` in it as a URL with a scheme.
    target = hostile.path(rng, dots=rng.random() < 0.2).replace(":", "%3A")
    query = hostile.query_string(rng, hostile.query(rng), bare=True).replace(":", "%3A")
    target += f"?{query}" if query else ""
    headers = [(name, value) for name, value in hostile.headers(rng)]
    line = {
        "method": hostile.method(rng),
        "url": f"https://{host}{target}",
        "headers": [["Host", host], *map(list, headers)],
        "key_id": f"AKID{hostile.word(rng, 12).upper()}",
        "secret": hostile.secret(rng, 40, 40),
        "now": hostile.now(rng),
        "vars": {"normalize": rng.choice(["true", "false"])},
    }
    if rng.random() < 0.5:
        line["vars"]["region"] = "eu-west-1"
    # The runtime is handed the body as text; what it hashes is UTF-8.
    line["body"] = hostile.body_text(rng) if rng.random() < 0.6 else ""
    token = hostile.secret(rng, 20, 200) if rng.random() < 0.3 else None
    regions = rng.choice(["eu-west-1", "*", "us-east-1,eu-west-1", "eu-*"])
    return signed(scheme, line, regions, token, rng.random() < 0.5)


def signed(scheme, line, regions, token=None, digest=False):
    link = scheme == "aws-sigv4a-query"
    _, _, rest = line["url"].partition("://")
    target = rest[rest.index("/") :]
    request = HttpRequest(line["method"], target, HttpHeaders([tuple(pair) for pair in line["headers"]]))
    if line["body"]:
        request.body_stream = io.BytesIO(line["body"].encode())
    config = AwsSigningConfig(
        algorithm=AwsSigningAlgorithm.V4_ASYMMETRIC,
        signature_type=AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS if link else AwsSignatureType.HTTP_REQUEST_HEADERS,
        credentials_provider=AwsCredentialsProvider.new_static(line["key_id"], line["secret"], token),
        region=regions,
        service="service",
        date=datetime.fromtimestamp(line["now"], timezone.utc),
        should_normalize_uri_path=line["vars"]["normalize"] == "true",
        signed_body_header_type=AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256 if digest and not link else AwsSignedBodyHeaderType.NONE,
        expiration_in_seconds=3600 if link else None,
    )
    aws_sign_request(request, config).result()
    host = rest[: rest.index("/")]
    return {**line, "url": f"https://{host}{request.path}", "headers": [list(pair) for pair in request.headers]}


def fixed(scheme):
    link = scheme == "aws-sigv4a-query"
    key = {"key_id": "AKIDEXAMPLE", "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "now": 1440938160}
    cases = {
        "get": ("GET", "/a%20b/c?b=2&a=1&a=0&c", [], "", "us-east-1"),
        "post": ("POST", "/things", [["Content-Type", "application/json"], ["X-Tag", "a   b"]], '{"name":"Zoë"}', "us-*,eu-west-1"),
    }
    lines = []
    for id, (method, target, headers, body, regions) in cases.items():
        line = {"method": method, "url": f"https://example.amazonaws.com{target}", "headers": [["Host", "example.amazonaws.com"], *headers], "body": body, "vars": {"normalize": "true", "region": "us-east-1"}, **key}
        covered = ["method", "host", "path", "query", "secret", "query.a", "query.b"] + [f"header.{name.lower()}" for name, _ in headers]
        names = ["Algorithm", "Credential", "Date", "SignedHeaders", "Expires", "Region-Set", "Signature"]
        covered += [f"query.X-Amz-{name}" for name in names] if link else ["header.x-amz-date", "header.x-amz-region-set", "header.authorization"]
        common = {
            "id": f"awscrt-{id}",
            "source": f"{SDK}, aws_sign_request(V4_ASYMMETRIC)",
            "expect": "verified",
            "covered": [*covered, "body", *(["key-id"] if link else [])],
            "open": ["scheme", "header.user-agent"],
        }
        lines.append({**common, **signed(scheme, line, regions)})
    return lines
