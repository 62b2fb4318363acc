"""AWS's signatures before version 4, which botocore still makes: SigV2 and S3's first one."""

import email.utils
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SDK = "botocore==1.44.5"
SCHEMES = ["aws-sigv2", "aws-sigv2-form", "aws-s3-v1", "aws-s3-v1-query"]
QUICK = True

SELECTORS = ["acl", "uploads", "uploadId", "partNumber", "versionId", "response-content-type", "tagging", "delete"]


def sign(scheme, rng, hostile):
    now = hostile.now(rng)
    credentials = {"key_id": f"AKID{hostile.word(rng, 12).upper()}", "secret": hostile.secret(rng, 40, 40)}
    # The library signs the host as it is; AWS lowers its case.
    url = f"https://{hostile.host(rng).lower()}{hostile.path(rng)}"
    if scheme.startswith("aws-sigv2"):
        params = dict(hostile.distinct([*hostile.query(rng), ("Version", "2011-10-01")]))
        method = "POST" if scheme == "aws-sigv2-form" else rng.choice(["GET", "GET", "HEAD", "POST"])
        return sigv2(scheme, {"method": method, "url": url, **credentials, "now": now}, params)
    query = hostile.query(rng) + [(rng.choice(SELECTORS), hostile.value(rng)) for _ in range(rng.randint(0, 3))]
    rng.shuffle(query)
    # The library splits a query at `&` and reads an empty one as a parameter without a name.
    text = hostile.query_string(rng, query, bare=True)
    line = {"method": hostile.method(rng), "url": f"{url}?{text}" if text else url, **credentials, "now": now}
    if rng.random() < 0.3:
        line["vars"] = {"bucket": hostile.word(rng, 8).lower()}
    headers = []
    # In a link the library moves these into the query, where only S3 looks for them.
    if scheme == "aws-s3-v1":
        headers = [(f"X-Amz-{name[2:]}", value) for name, value in hostile.headers(rng)]
        headers += [("X-Amz-Acl", "private"), ("Content-Type", "text/plain"), ("Content-MD5", "CY9rzUYh03PK3k6DJie09g==")][: rng.randint(0, 3)]
        line |= {"body": hostile.body_text(rng)}
    return s3(scheme, line, headers)


def sigv2(scheme, line, params):
    form = scheme == "aws-sigv2-form"
    request = AWSRequest(line["method"], line["url"], **({"data": params} if form else {"params": params}))
    at(line["now"], lambda: botocore.auth.SigV2Auth(credentials(line)).add_auth(request))
    if not form:
        # So that a POST's parameters stay in the query.
        request.data = b""
    prepared = request.prepare()
    headers = [["Content-Type", "application/x-www-form-urlencoded"]] if form else []
    return {**line, "url": prepared.url, "headers": headers, "body": prepared.body if form else ""}


def s3(scheme, line, headers):
    request = AWSRequest(line["method"], line["url"])
    for name, value in headers:
        request.headers.add_header(name, value)
    if "vars" in line:
        request.auth_path = f"/{line['vars']['bucket']}{urlsplit(line['url']).path}"
    signer = botocore.auth.HmacV1Auth if scheme == "aws-s3-v1" else botocore.auth.HmacV1QueryAuth
    at(line["now"], lambda: signer(credentials(line)).add_auth(request))
    carried = [[name, value] for name, value in request.headers.items() if scheme == "aws-s3-v1"]
    return {**line, "url": request.url, "headers": carried}


def credentials(line):
    return Credentials(line["key_id"], line["secret"])


def at(now, run):
    clock, dates = botocore.auth.time, botocore.auth.formatdate
    botocore.auth.time = SimpleNamespace(strftime=time.strftime, gmtime=lambda: time.gmtime(now), time=lambda: now)
    botocore.auth.formatdate = lambda usegmt: email.utils.formatdate(now, usegmt=usegmt)
    try:
        run()
    finally:
        botocore.auth.time, botocore.auth.formatdate = clock, dates


def fixed(scheme):
    key = {"key_id": "AKIDEXAMPLE", "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "now": 1714566896}
    if scheme.startswith("aws-sigv2"):
        place = "form" if scheme == "aws-sigv2-form" else "query"
        names = ["AWSAccessKeyId", "SignatureVersion", "SignatureMethod", "Timestamp", "Signature"]
        cases = {
            "plain": {"Action": "ListMatchingProducts", "Version": "2011-10-01"},
            "awkward": {"Action": "Put", "Query": "a b*c~d+e&f=g", "é": "日本", "a.b": "", "A": "/:"},
        }
        lines = []
        for id, params in cases.items():
            common = {
                "id": f"botocore-{id}",
                "source": f"{SDK}, SigV2Auth.add_auth",
                "expect": "verified",
                "covered": ["method", "host", "path", "query", "key-id", "secret"] + [f"{place}.{name}" for name in [*params, *names]],
                "open": ["scheme", "header.user-agent"] + (["body"] if place == "query" else []),
            }
            if place == "form":
                common["covered"].append("form")
            url = "https://mws.amazonservices.com/Products/2011-10-01"
            line = {"method": "POST" if place == "form" else "GET", "url": url, **key}
            lines.append({**common, **sigv2(scheme, line, dict(params))})
        return lines
    link = scheme == "aws-s3-v1-query"
    cases = {
        "object": ("https://s3.amazonaws.com/bucket/a%20b/key", [], None),
        "sub-resource": ("https://s3.amazonaws.com/bucket/key?acl&versionId=3%2FL4&foo=bar", [("X-Amz-Meta-Author", "foo@bar.com, b")], None),
        "virtual-host": ("https://bucket.s3.amazonaws.com/key?uploads", [("Content-Type", "text/html"), ("Content-MD5", "nZ5Q5GEgPKb1+MU0V+FMZQ==")], "bucket"),
    }
    lines = []
    for id, (url, headers, bucket) in cases.items():
        headers = [] if link else headers
        line = {"method": "GET" if link else "PUT", "url": url, **key}
        if bucket:
            line["vars"] = {"bucket": bucket}
        if not link:
            line["body"] = "x"
        covered = ["method", "path", "secret", "header.x-amz-acl", "header.content-type", "header.content-md5", "query.acl", "query.versionId", "query.uploads"]
        covered += ["query.Expires", "query.Signature"] if link else ["header.date", "header.authorization"]
        covered += [f"header.{name.lower()}" for name, _ in headers if name.startswith("X-Amz")] + (["var.bucket"] if bucket else [])
        common = {
            "id": f"botocore-{id}",
            "source": f"{SDK}, {'HmacV1QueryAuth' if link else 'HmacV1Auth'}.add_auth",
            "expect": "verified",
            "covered": covered,
            "open": ["scheme", "host", "query", "body", "key-id", "query.foo", "header.user-agent"],
        }
        lines.append({**common, **s3(scheme, line, headers)})
    return lines
