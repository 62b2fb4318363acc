"""draft-cavage HTTP Signatures by httpsig: HMAC and RSA, in Authorization and in Signature; and its verifier."""

from base64 import b64encode
from email.utils import formatdate
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from httpsig.sign import HeaderSigner
from httpsig.verify import HeaderVerifier

SDK = "httpsig==1.3.0"
# pkg_resources, which it imports, went out of setuptools later.
ALSO = ["setuptools==65.5.0"]
SCHEMES = [
    "draft-cavage-12",
    "draft-cavage-12-rsa-sha256",
    "draft-cavage-12-field",
    "draft-cavage-12-field-rsa-sha256",
]

KEYS = Path(__file__).resolve().parents[2] / "vectors" / "keys"


def sign(scheme, rng, hostile):
    line = unsigned(scheme, rng, hostile)
    line.pop("vars")
    listed = ["(request-target)", "host", "date"]
    if "body" in line:
        listed.append("digest")
    listed += [name.lower() for name, _ in line["headers"] if name.startswith("X-") and rng.random() < 0.7]
    rng.shuffle(listed)
    if "secret" in line:
        line["alg"] = rng.choice(["hmac-sha256", "hmac-sha256", "hmac-sha512", "hmac-sha1"])
    return signed(scheme, line, listed, hostile.now(rng))


def unsigned(scheme, rng, hostile):
    query = hostile.query_string(rng, hostile.query(rng), plus=True, bare=True)
    line = {
        "method": hostile.method(rng),
        "url": f"https://{hostile.host(rng)}{hostile.path(rng)}" + (f"?{query}" if query else ""),
        "headers": [list(pair) for pair in hostile.headers(rng)],
        "key_id": rng.choice(["Test", "https://example.com/users/alice#main-key", "a b,c"]),
    }
    if line["method"] not in ("GET", "HEAD") and rng.random() < 0.7:
        line["body"] = hostile.body_text(rng) or "x"
        line["headers"].append(["Content-Type", "text/plain"])
    # httpsig refuses a signature that names no algorithm; to ours it is optional.
    if "rsa" in scheme:
        return line | private() | {"vars": {"algorithm": "rsa-sha256"}}
    return line | {"secret": hostile.secret(rng), "vars": {"algorithm": "hmac-sha256"}}


def private():
    return {"private_key": (KEYS / "rsa.pem").read_text()}


def place(scheme):
    return "Signature" if "-field" in scheme else "Authorization"


def signed(scheme, line, listed, now):
    url = urlsplit(line["url"])
    headers = [["Host", url.netloc], ["Date", formatdate(now, usegmt=True)], *line["headers"]]
    if "body" in line:
        headers.append(["Digest", "SHA-256=" + b64encode(sha256(line["body"].encode()).digest()).decode()])
    rsa = "rsa" in scheme
    signer = HeaderSigner(
        line["key_id"],
        line["private_key"] if rsa else line["secret"],
        algorithm="rsa-sha256" if rsa else line.get("alg", "hmac-sha256"),
        headers=listed,
        sign_header=place(scheme).lower(),
    )
    target = line["url"][line["url"].index(url.netloc) + len(url.netloc) :]
    value = signer.sign(dict(map(tuple, headers)), method=line["method"], path=target)[place(scheme).lower()]
    return {**line, "headers": [*headers, [place(scheme), value]], "now": now}


def verify(scheme, line):
    url = urlsplit(line["url"])
    headers = {"Host": url.netloc, **dict(map(tuple, line["headers"]))}
    key = (KEYS / "rsa.pub.pem").read_text() if "rsa" in scheme else line["secret"]
    target = line["url"][line["url"].index(url.netloc) + len(url.netloc) :]
    wanted = ["(request-target)", "host", "date"]
    return HeaderVerifier(headers, key, required_headers=wanted, method=line["method"], path=target, sign_header=place(scheme).lower()).verify()


def fixed(scheme):
    key = private() if "rsa" in scheme else {"secret": "a test secret for signatures"}
    get = {"method": "GET", "url": "https://example.com/foo?param=value&pet=dog", "headers": [["X-Tag", 'a "b", c']]}
    post = {
        "method": "POST",
        "url": "https://example.com:8443/f%20oo/?param=v%26lue",
        "headers": [["Content-Type", "application/json"]],
        "body": '{"hello": "world"}',
    }
    lines = []
    for id, line, listed in [
        ("get", get, ["(request-target)", "host", "date", "x-tag"]),
        ("post", post, ["date", "digest", "(request-target)", "host", "content-type"]),
    ]:
        named = [name for name in listed if name not in ("(request-target)", "host")]
        covered = ["method", "host", "path", "query", "query.param", "body", "secret"]
        covered += [f"header.{name}" for name in [*named, place(scheme).lower()]]
        lines.append(
            {
                "id": f"httpsig-{id}",
                "source": f"{SDK}, HeaderSigner.sign",
                "expect": "verified",
                "covered": covered,
                "open": ["scheme", "header.x-other"],
                **signed(scheme, {**line, **key, "key_id": "https://example.com/users/alice#main-key"}, listed, 1402170695),
            }
        )
    return lines
