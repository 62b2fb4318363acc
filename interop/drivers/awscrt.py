"""AWS Signature Version 4, by AWS's common runtime, which its newer SDKs share."""

import re
from datetime import datetime, timezone

from awscrt.auth import (
    AwsCredentialsProvider,
    AwsSignatureType,
    AwsSignedBodyHeaderType,
    AwsSignedBodyValue,
    AwsSigningAlgorithm,
    AwsSigningConfig,
    aws_sign_request,
)
from awscrt.http import HttpHeaders, HttpRequest
from io import BytesIO

SDK = "awscrt==0.38.1"
SCHEMES = ["aws-sigv4", "aws-sigv4-query", "aws-sigv4-s3", "aws-sigv4-query-s3"]


def sign(scheme, rng, hostile):
    link = "query" in scheme
    s3 = "s3" in scheme
    method = "GET" if link else hostile.method(rng)
    host = hostile.host(rng)
    query = hostile.query_string(rng, hostile.query(rng), bare=True).replace(":", "%3A")
    # It reads the target as a URI, which `//` in front and `:/` anywhere lead astray.
    path = re.sub("^/+", "/", hostile.path(rng, dots=rng.random() < 0.3)).replace(":", "%3A")
    line = {
        "method": method,
        "url": f"https://{host}{path}" + (f"?{query}" if query else ""),
        "headers": [["Host", host], *hostile.headers(rng)],
        "body": "" if method in ("GET", "HEAD") else hostile.body_text(rng),
        "key_id": f"AKIA{hostile.word(rng)}",
        "secret": hostile.secret(rng, 40, 40),
    }
    token = hostile.secret(rng, 50, 200) if rng.random() < 0.3 else None
    service = "s3" if s3 else rng.choice(["service", "execute-api"])
    return signed(scheme, line, token, hostile.now(rng), rng.choice(["us-east-1", "eu-west-3"]), service)


def signed(scheme, line, token, now, region, service):
    link, s3 = "query" in scheme, "s3" in scheme
    target = line["url"].split("://", 1)[1]
    target = target[target.index("/") :]
    request = HttpRequest(line["method"], target, HttpHeaders([tuple(pair) for pair in line["headers"]]))
    if line["body"]:
        request.body_stream = BytesIO(line["body"].encode())
    config = AwsSigningConfig(
        algorithm=AwsSigningAlgorithm.V4,
        signature_type=AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS if link else AwsSignatureType.HTTP_REQUEST_HEADERS,
        credentials_provider=AwsCredentialsProvider.new_static(line["key_id"], line["secret"], token),
        region=region,
        service=service,
        date=datetime.fromtimestamp(now, timezone.utc),
        use_double_uri_encode=not s3,
        should_normalize_uri_path=not s3,
        signed_body_value=AwsSignedBodyValue.UNSIGNED_PAYLOAD if s3 and link else None,
        signed_body_header_type=AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256 if s3 and not link else AwsSignedBodyHeaderType.NONE,
        expiration_in_seconds=900 if link else None,
    )
    result = aws_sign_request(request, config).result(60)
    origin = line["url"][: -len(target)]
    variables = {"region": region, "service": service}
    return {**line, "url": origin + result.path, "headers": [list(pair) for pair in result.headers], "now": now, "vars": variables}
