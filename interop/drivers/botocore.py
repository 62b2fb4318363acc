"""AWS Signature Version 4, by botocore, under AWS's CLI and SDK for Python."""

import botocore.auth
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.utils import percent_encode_sequence
from datetime import datetime, timezone

SDK = "botocore==1.44.5"
SCHEMES = ["aws-sigv4", "aws-sigv4-query", "aws-sigv4-s3", "aws-sigv4-query-s3"]

AUTH = {
    "aws-sigv4": SigV4Auth,
    "aws-sigv4-query": SigV4QueryAuth,
    "aws-sigv4-s3": S3SigV4Auth,
    "aws-sigv4-query-s3": S3SigV4QueryAuth,
}


def sign(scheme, rng, hostile):
    link = "query" in scheme
    method = "GET" if link else hostile.method(rng)
    # Of two parameters of one name the query signer drops one before it signs.
    query = hostile.distinct(hostile.query(rng)) if link else hostile.query(rng)
    # botocore collapses empty segments and resolves dots, as the services do, and S3's signer leaves them.
    path = hostile.path(rng, dots=rng.random() < 0.3)
    line = {
        "method": method,
        # Its HTTP client sends the host in lower case, and that is what it signs.
        "url": f"{rng.choice(['https', 'http'])}://{hostile.host(rng).lower()}{path}",
        "headers": hostile.headers(rng),
        "body": "" if method in ("GET", "HEAD") else hostile.body_text(rng),
        "key_id": f"AKIA{hostile.word(rng)}",
        "secret": hostile.secret(rng, 40, 40),
    }
    token = hostile.secret(rng, 50, 200) if rng.random() < 0.3 else None
    return signed(scheme, line, query, token, hostile.now(rng), rng.choice(["us-east-1", "eu-west-3"]), rng.choice(["service", "execute-api"]))


def signed(scheme, line, query, token, now, region="us-east-1", service="service"):
    service = "s3" if "s3" in scheme else service
    # As its clients write a query.
    url = line["url"] + (f"?{percent_encode_sequence(query)}" if query else "")
    request = AWSRequest(line["method"], url, data=line["body"].encode())
    # Added one by one: of a mapping the last of each name would be left.
    for name, value in line["headers"]:
        request.headers.add_header(name, value)
    botocore.auth.get_current_datetime = lambda: datetime.fromtimestamp(now, timezone.utc).replace(tzinfo=None)
    auth = AUTH[scheme](Credentials(line["key_id"], line["secret"], token), service, region)
    auth.add_auth(request)
    headers = [[name, value] for name, value in request.headers.items()]
    return {**line, "url": request.url, "headers": headers, "now": now, "vars": {"region": region, "service": service}}


def base(scheme, line):
    """The canonical request, which the base holds a digest of."""
    request = AWSRequest(line["method"], line["url"], dict(line["headers"]), line.get("body", "").encode())
    date = request.headers.get("X-Amz-Date") or ""
    request.context["timestamp"] = date
    del request.headers["Authorization"]
    return AUTH[scheme](Credentials("", ""), "", "").canonical_request(request)


def fixed(scheme):
    found = []
    for id, method, path, query, headers, body, token in CASES:
        if "query" in scheme and method != "GET":
            continue
        line = {
            "method": method,
            "url": f"https://example.amazonaws.com{path}",
            "headers": headers,
            "body": body,
            "key_id": "AKIDEXAMPLE",
            "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        }
        made = signed(scheme, line, query, token, 1714566896)
        names = [name for name, _ in made["headers"] if name.lower() != "authorization"]
        covered = ["method", "host", "path", "query", "secret", *(f"header.{name.lower()}" for name in names)]
        opened = ["scheme", "key-id"]
        # The key id is part of the query that is signed, but in the Authorization field it is part of nothing.
        if "query" in scheme:
            signed_parameters = ["Credential", "Date", "Expires", "SignedHeaders", "Algorithm", "Signature"]
            covered += [f"query.X-Amz-{name}" for name in signed_parameters]
            covered += ["query.X-Amz-Security-Token"] if token else []
            covered, opened = covered + ["key-id"], ["scheme"]
        covered += [f"query.{name}" for name in dict(query)]
        (opened if scheme == "aws-sigv4-query-s3" else covered).append("body")
        found.append({
            "id": f"botocore-{id}",
            "source": f"{SDK}, {AUTH[scheme].__name__}.add_auth",
            "expect": "verified",
            "covered": covered,
            "open": [*opened, "header.user-agent"],
            **made,
        })
    return found


CASES = [
    ("get", "GET", "/a%20b/c", [("Param2", "value2"), ("Param1", "val ue/1"), ("empty", "")], [["My-Header", "two  spaces"]], "", None),
    ("get-token", "GET", "/", [("list-type", "2"), ("prefix", "Zoë & Söhne=+~*")], [], "", "FwoGZXIvYXdzEXAMPLETOKEN=="),
    ("post", "POST", "/orders", [("dry", "1")], [["Content-Type", "application/json"]], '{"item":7,"name":"Zoë"}', None),
]
