#!/usr/bin/env python3
"""Signs messages by RFC 9421 with PyPI's http-message-signatures, and by draft-cavage with PyPI's cryptography, for the
schemes whose clients are those of the standard.

    python3 vectors/message_signatures.py

writes `sdk.jsonl` and `refused.jsonl` of each. Needs `pip install http-message-signatures==3.0.0`; nothing of the engine is
used. ECDSA and RSA-PSS draw random numbers: their lines are other ones each time.
"""

import base64
import datetime
import hashlib
import importlib.metadata
import json
from email.utils import formatdate
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms
from http_message_signatures.digests import ContentDigest

HERE = Path(__file__).resolve().parent
NOW = 1714566896
SECRET = "correct horse battery staple, and a nail"
SOURCE = f"http-message-signatures=={importlib.metadata.version('http-message-signatures')}, HTTPMessageSigner.sign"
JSON = ["Content-Type", "application/json"]
ALGORITHMS = {
    "hmac": algorithms.HMAC_SHA256,
    "ed25519": algorithms.ED25519,
    "p256": algorithms.ECDSA_P256_SHA256,
    "p384": algorithms.ECDSA_P384_SHA384,
    "rsa": algorithms.RSA_V1_5_SHA256,
    "rsa-pss": algorithms.RSA_PSS_SHA512,
}


class Keys(HTTPSignatureKeyResolver):
    def __init__(self, kind):
        self.kind = kind

    def resolve_private_key(self, key_id):
        return SECRET.encode() if self.kind == "hmac" else private(self.kind)

    def resolve_public_key(self, key_id):
        raise NotImplementedError


def pem(kind):
    return (HERE / "keys" / f"{kind.split('-')[0]}.pem").read_text()


def private(kind):
    return serialization.load_pem_private_key(pem(kind).encode(), None)


class Headers(dict):
    """Names in any case."""

    def __contains__(self, name):
        return any(known.lower() == name.lower() for known in self)


class Message:
    """A request or an answer, as the library wants it."""

    def __init__(self, line, request=None):
        self.headers = Headers(line["headers"])
        if "status" in line:
            self.status_code, self.request = line["status"], request
        else:
            self.method, self.url = line["method"], line["url"]


class AnyDigest(ContentDigest):
    """Traps have digests that the library would not sign."""

    @classmethod
    def prepare(cls, fields, body, **_):
        pass


class Signer(HTTPMessageSigner):
    content_digest_class = AnyDigest


def sha(name, body):
    digest = hashlib.new(name.replace("-", ""), body.encode()).digest()
    return f"{name}=:{base64.b64encode(digest).decode()}:"


def request(method, url, headers=(), body=None, digest="sha-256"):
    line = {"method": method, "url": url, "headers": [list(pair) for pair in headers]}
    if body is not None:
        line["headers"].append(["Content-Digest", sha(digest, body)])
        line["body"] = body
    return line


def answer(status, to, headers=(), body=""):
    return {"status": status, "headers": [*map(list, headers), ["Content-Digest", sha("sha-256", body)]], "body": body, "request": to}


def signed(line, kind, components, *, key_id="key-1", created=NOW, ttl=None, nonce=None, tag=None, alg=False, label="sig1"):
    """The line with a signature more, as the library makes it."""
    line = {**line, "headers": list(line["headers"])}
    message = Message(line, Message(line["request"]) if "request" in line else None)
    when = lambda seconds: datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    Signer(signature_algorithm=ALGORITHMS[kind], key_resolver=Keys(kind)).sign(
        message,
        key_id=key_id,
        created=when(created),
        expires=when(created + ttl) if ttl is not None else None,
        nonce=nonce,
        tag=tag,
        label=label,
        include_alg=alg,
        covered_component_ids=components,
        append_if_signature_exists=True,
    )
    known = [name for name, _ in line["headers"] if name not in ("Signature-Input", "Signature")]
    line["headers"] = [pair for pair in line["headers"] if pair[0] in known]
    line["headers"] += [[name, message.headers[name]] for name in ("Signature-Input", "Signature")]
    return {**line, "key_id": key_id, **key(kind)}


def key(kind):
    if kind == "hmac":
        return {"secret": SECRET}
    if kind.startswith("rsa"):
        # The other half is longer than all the rest, and stands in `keys`.
        return {"public_key": (HERE / "keys" / "rsa.pub.pem").read_text()}
    return {"private_key": pem(kind)}


def good(id, line, covered, opened=(), source=SOURCE, now=NOW):
    notes = {"covered": list(covered), "open": list(opened)}
    return {"id": id, "source": source, "expect": "verified", **notes, "now": now, **line}


def refused(id, expect, line, now=NOW):
    return {"id": id, "expect": expect, "now": now, **line}


def without(line, *names):
    return {**line, "headers": [pair for pair in line["headers"] if pair[0].lower() not in names]}


def replaced(line, name, old, new):
    headers = [[known, value.replace(old, new, 1) if known == name else value] for known, value in line["headers"]]
    assert headers != line["headers"], (name, old)
    return {**line, "headers": headers}


# --- the schemes ---

URL = "https://api.example.com/transfers?dry=1&b=%20"
BODY = '{"to":"bob","amount":100}'
PARAMETERS = ["parameter.created", "parameter.keyid"]
STRICT = ["@method", "@target-uri", "content-type", "content-digest"]
POST = request("POST", URL, [JSON], BODY)
EVERYTHING = [
    "method", "scheme", "host", "path", "query", "body", "header.content-type", "header.content-digest",
    "header.signature-input", "header.signature", "signature", "components", "key-id", "secret", *PARAMETERS,
    "parameter.nonce",
]  # fmt: skip


def rfc9421():
    nonce = "3f9c1d0a7b5e42688c11"
    hmac = signed(POST, "hmac", STRICT, nonce=nonce)
    yield good("hmac-post", hmac, EVERYTHING, ["header.x-other"])
    get = request("GET", URL)
    line = signed(get, "ed25519", ["@method", "@authority", "@path", "@query"], nonce=nonce, ttl=60, alg=True)
    parts = [part for part in EVERYTHING if part not in ("scheme", "header.content-type", "header.content-digest")]
    yield good("ed25519-get-in-parts", line, [*parts, "parameter.expires", "parameter.alg"], ["scheme", "header.x-other"])
    for kind in ("p256", "p384", "rsa", "rsa-pss"):
        line = signed(POST, kind, STRICT, nonce=nonce, alg=kind.startswith("rsa"))
        yield good(f"{kind}-post", line, EVERYTHING, ["header.x-other"])
    several = request("PUT", URL, [JSON, ["X-Dictionary", "a=1, b=2;x=1,  c=(a b c)"], ["Date", formatdate(NOW, usegmt=True)]], BODY, "sha-512")
    components = [
        "@method", "@target-uri", '"x-dictionary";key="b"', '"@query-param";name="dry"', '"date";bs', '"content-digest";sf',
        "content-type", "@request-target", "@scheme",
    ]  # fmt: skip
    yield good("ed25519-parameters", signed(several, "ed25519", components, nonce=nonce), [*EVERYTHING, "header.date"])
    to = {key: value for key, value in hmac.items() if key in ("method", "url", "headers", "body")}
    components = ["@status", "content-type", "content-digest", '"@method";req', '"@target-uri";req', '"content-digest";req']
    line = signed(answer(200, to, [JSON], '{"done":true}'), "ed25519", components, key_id="server")
    parts = ["status", "body", "header.content-type", "header.content-digest", "signature", "components", "secret", *PARAMETERS]
    parts += ["request.method", "request.host", "request.path", "request.query", "request.header.content-digest"]
    yield good("ed25519-answer", line, parts, ["header.x-other"])


def rfc9421_refused():
    nonce = "3f9c1d0a7b5e42688c11"
    sign = lambda components=STRICT, line=POST, **more: signed(line, "hmac", components, **{"nonce": nonce, **more})
    hmac = sign()
    yield refused("stale", "timestamp-stale", hmac, NOW + 301)
    yield refused("stale by the window, and good", "verified", hmac, NOW + 300)
    yield refused("in the future", "timestamp-future", hmac, NOW - 301)
    yield refused("expired", "expired", sign(ttl=10), NOW + 11)
    yield refused("no nonce", "field-missing", sign(nonce=None))
    yield refused("nobody signed", "signature-missing", {**POST, **key("hmac"), "key_id": "key-1"})
    yield refused("no method", "coverage-too-thin", sign(["@target-uri", "content-digest"]))
    yield refused("no query", "coverage-too-thin", sign(["@method", "@authority", "@path", "content-digest"]))
    yield refused("no digest of the body", "coverage-too-thin", sign(["@method", "@target-uri"]))
    yield refused("one parameter for the query", "coverage-too-thin", sign(["@method", "@authority", "@path", '"@query-param";name="dry"', "content-digest"]))
    yield refused("the digest of another body", "digest-mismatch", sign(line={**POST, "body": BODY.replace("bob", "eve")}))
    yield refused("a digest that nobody compares", "coverage-too-thin", sign(line={**POST, "headers": [JSON, ["Content-Digest", "md5=:AAAAAAAAAAAAAAAAAAAAAA==:"]]}))
    yield refused("a signature without its input", "label-unpaired", without(hmac, "signature-input"))
    yield refused("an input without its signature", "label-unpaired", without(hmac, "signature"))
    yield refused("under another label", "label-unpaired", replaced(hmac, "Signature", "sig1=", "sig2="))
    yield refused("a component twice", "component-duplicated", replaced(hmac, "Signature-Input", '"@method"', '"@method" "@method"'))
    yield refused("an unknown component", "component-unknown", replaced(hmac, "Signature-Input", '"@method"', '"@method" "@nonsense"'))
    yield refused("of a request that it does not answer", "component-invalid", replaced(hmac, "Signature-Input", '"@method"', '"@method";req'))
    yield refused("a field that is not there", "component-missing", replaced(hmac, "Signature-Input", '"@method"', '"@method" "x-none"'))
    yield refused("a component's unknown parameter", "component-invalid", replaced(hmac, "Signature-Input", '"@method"', '"@method";odd'))
    yield refused("a time that is none", "signature-input-malformed", replaced(hmac, "Signature-Input", f"created={NOW}", f'created="{NOW}"'))
    yield refused("a time before all time", "parameter-out-of-range", replaced(hmac, "Signature-Input", f"created={NOW}", f"created=-{NOW}"))
    text = [[name, 'sig1="x"'] if name == "Signature" else [name, value] for name, value in hmac["headers"]]
    yield refused("a signature that is text", "signature-malformed", {**hmac, "headers": text})
    yield refused("of two that do, neither", "signature-ambiguous", sign(line=without(hmac), label="sig2"))
    beside = signed(hmac, "hmac", ["@authority"], label="proxy", tag="proxy")
    yield refused("another one beside it, and good", "verified", beside)
    five = hmac
    for number in range(2, 6):
        five = signed(five, "hmac", ["@authority"], label=f"sig{number}")
    yield refused("five of them", "signatures-too-many", five)
    public = (HERE / "keys" / "ed25519.pub.pem").read_text()
    forged = sign(alg=True)
    yield refused("a MAC for a key pair", "key-unsuitable", {**{k: v for k, v in forged.items() if k != "secret"}, "public_key": public})
    yield refused("another algorithm than the key's", "key-unsuitable", replaced(forged, "Signature-Input", "hmac-sha256", "ed25519"))


def thumbprint(kind):
    """RFC 7638, with RFC 8037, appendix A.3."""
    raw = private(kind).public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    url = lambda data: base64.urlsafe_b64encode(data).decode().rstrip("=")
    members = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": url(raw)}, separators=(",", ":"))
    return url(hashlib.sha256(members.encode()).digest())


BOT = {"key_id": thumbprint("ed25519"), "ttl": 3600, "tag": "web-bot-auth"}
AGENT = ["Signature-Agent", 'sig1="https://bot.example.com"']
BOT_PARAMETERS = [*PARAMETERS, "parameter.expires", "parameter.tag"]


def web_bot_auth():
    get = request("GET", URL, [["User-Agent", "bot/1"], AGENT])
    parts = ["host", "header.signature-agent", "header.signature-input", "signature", "components", "key-id", "secret"]
    # What the drafts leave open.
    opened = ["method", "scheme", "path", "query", "body", "header.user-agent"]
    line = signed(get, "ed25519", ["@authority", '"signature-agent";key="sig1"'], nonce="ZO3/XMEZjrvSnLtAP9M7jA==", **BOT)
    yield good("bot", line, [*parts, *BOT_PARAMETERS, "parameter.nonce"], opened)
    legacy = request("GET", URL, [["Signature-Agent", '"https://bot.example.com"']])
    yield good("bot-with-an-agent-of-old", signed(legacy, "ed25519", ["@authority", "signature-agent"], **BOT), [*parts, *BOT_PARAMETERS], opened[:-1])
    line = signed(request("POST", URL, [JSON, AGENT], BODY), "ed25519", ["@method", "@target-uri", "content-digest", '"signature-agent";key="sig1"'], **BOT)
    yield good("bot-that-signs-more", line, [*parts, "method", "scheme", "path", "query", "body", *BOT_PARAMETERS], ["header.content-type"])
    asked = request("GET", "https://bot.example.com/.well-known/http-message-signatures-directory")
    media = ["Content-Type", "application/http-message-signatures-directory+json"]
    line = answer(200, asked, [media], '{"keys":[]}')
    line = signed(line, "ed25519", ['"@authority";req', "content-digest"], **{**BOT, "tag": "http-message-signatures-directory"})
    yield good("directory", line, ["body", "header.content-digest", "signature", "components", "secret", "request.host", *BOT_PARAMETERS], ["status", "header.content-type"])


def web_bot_auth_refused():
    get = request("GET", URL, [AGENT])
    components = ["@authority", '"signature-agent";key="sig1"']
    sign = lambda components=components, line=get, **more: signed(line, "ed25519", components, **{**BOT, **more})
    yield refused("another tag", "signature-missing", sign(tag="other"))
    yield refused("no tag", "signature-missing", sign(tag=None))
    yield refused("an agent that is not signed", "coverage-too-thin", sign(["@authority"]))
    yield refused("the agent of another label", "coverage-too-thin", sign(components, label="sig2"))
    yield refused("no agent, and good", "verified", sign(["@authority"], request("GET", URL)))
    yield refused("no authority", "coverage-too-thin", sign(['"signature-agent";key="sig1"', "@path"]))
    yield refused("no expiry", "field-missing", sign(ttl=None))
    yield refused("expired", "expired", sign(), NOW + 3601)
    yield refused("a day old", "timestamp-stale", sign(ttl=86400 * 3), NOW + 86401)
    yield refused("with a key of another kind", "key-unsuitable", signed(get, "p256", components, **BOT))
    yield refused("with a secret", "key-unsuitable", signed(get, "hmac", components, **BOT))


TOKEN = ["Authorization", "DPoP Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"]
PROOF = ["DPoP", "eyJ0eXAiOiJkcG9wK2p3dCJ9.e30.c2lnbmF0dXJl"]
FAPI = ["@method", "@target-uri", "authorization"]


def fapi():
    more = {"tag": "fapi-2-request", "key_id": "client"}
    post = signed(request("POST", URL, [JSON, TOKEN, PROOF], BODY), "p256", [*FAPI, "dpop", "content-digest"], **more)
    parts = ["method", "scheme", "host", "path", "query", "body", "header.authorization", "signature", "components", "key-id", "secret"]
    parts += [*PARAMETERS, "parameter.tag"]
    yield good("fapi-post", post, [*parts, "header.dpop", "header.content-digest"], ["header.content-type", "header.x-other"])
    get = signed(request("GET", URL, [["Authorization", "Bearer token"]]), "ed25519", FAPI, **more)
    yield good("fapi-get", get, parts, ["header.x-other"])
    yield good("fapi-get-pss", signed(request("GET", URL, [["Authorization", "Bearer token"]]), "rsa-pss", FAPI, **more), parts, ["header.x-other"])
    to = {name: value for name, value in post.items() if name in ("method", "url", "headers", "body")}
    linked = ['"@method";req', '"@target-uri";req', '"content-digest";req']
    components = ["@status", "content-digest", *linked, '"signature-input";req;key="sig1"', '"signature";req;key="sig1"']
    line = signed(answer(201, to, [JSON], '{"id":7}'), "p256", components, key_id="server", tag="fapi-2-response")
    parts = ["status", "body", "header.content-digest", "signature", "components", "secret", *PARAMETERS, "parameter.tag"]
    parts += ["request.method", "request.host", "request.path", "request.query", "request.header.content-digest", "request.header.signature"]
    yield good("fapi-answer", line, parts, ["header.content-type"])


def fapi_refused():
    more = {"tag": "fapi-2-request", "key_id": "client"}
    post = request("POST", URL, [JSON, TOKEN, PROOF], BODY)
    sign = lambda components, line=post, **other: signed(line, "p256", components, **{**more, **other})
    yield refused("no access token signed", "coverage-too-thin", sign(["@method", "@target-uri", "dpop", "content-digest"]))
    yield refused("no proof signed", "coverage-too-thin", sign([*FAPI, "content-digest"]))
    yield refused("no proof sent, and good", "verified", sign([*FAPI, "content-digest"], without(post, "dpop")))
    yield refused("no digest", "coverage-too-thin", sign([*FAPI, "dpop"]))
    yield refused("no method", "coverage-too-thin", sign(["@target-uri", "authorization", "dpop", "content-digest"]))
    yield refused("the tag of an answer", "signature-missing", sign([*FAPI, "dpop", "content-digest"], tag="fapi-2-response"))
    yield refused("two minutes old", "timestamp-stale", sign([*FAPI, "dpop", "content-digest"]), NOW + 120)
    yield refused("PKCS#1 v1.5", "key-unsuitable", signed(post, "rsa", [*FAPI, "dpop", "content-digest"], **more, alg=True))
    to = {name: value for name, value in sign([*FAPI, "dpop", "content-digest"]).items() if name in ("method", "url", "headers", "body")}
    linked = ['"@method";req', '"@target-uri";req', '"content-digest";req']
    reply = lambda components: signed(answer(201, to, [JSON], '{"id":7}'), "p256", components, key_id="server", tag="fapi-2-response")
    yield refused("an answer to nothing", "coverage-too-thin", reply(["@status", "content-digest"]))
    yield refused("an answer without its status", "coverage-too-thin", reply(["content-digest", *linked]))
    yield refused("an answer without its body", "coverage-too-thin", reply(["@status", *linked]))


ACTOR = "https://social.example/users/alice#main-key"
INBOX = "https://example.com/users/bob/inbox"
ACTIVITY = ["Content-Type", "application/activity+json"]
NOTE = '{"type":"Create","actor":"https://social.example/users/alice"}'


def activitypub():
    parts = ["method", "scheme", "host", "path", "query", "signature", "components", "key-id", "secret", *PARAMETERS]
    date = ["Date", formatdate(NOW, usegmt=True)]
    # As Fedify lists them.
    post = request("POST", INBOX, [["Host", "example.com"], date, ACTIVITY], NOTE)
    components = ["@method", "@target-uri", "@authority", "host", "date", "content-digest"]
    line = signed(post, "rsa", components, key_id=ACTOR, alg=True)
    yield good("fedify-delivery", line, [*parts, "body", "header.date", "header.content-digest", "parameter.alg"], ["header.content-type"])
    # As Mastodon documents it.
    get = request("GET", "https://example.com/users/bob?page=1", [["Accept", "application/activity+json"]])
    yield good("mastodon-fetch", signed(get, "rsa", ["@method", "@target-uri"], key_id=ACTOR), parts, ["header.accept"])
    line = signed(request("POST", INBOX, [ACTIVITY], NOTE), "ed25519", ["@method", "@target-uri", "content-digest"], key_id=ACTOR)
    yield good("ed25519-delivery", line, [*parts, "body", "header.content-digest"], ["header.content-type"])


def activitypub_refused():
    post = request("POST", INBOX, [ACTIVITY], NOTE)
    sign = lambda components, kind="rsa", **more: signed(post, kind, components, **{"key_id": ACTOR, **more})
    whole = ["@method", "@target-uri", "content-digest"]
    yield refused("no body signed", "coverage-too-thin", sign(["@method", "@target-uri"]))
    yield refused("no target", "coverage-too-thin", sign(["@method", "content-digest"]))
    yield refused("the authority is no target", "coverage-too-thin", sign(["@method", "@authority", "@path", "content-digest"]))
    yield refused("two hours old", "timestamp-stale", sign(whole), NOW + 7200)
    yield refused("with a secret", "key-unsuitable", sign(whole, "hmac"))
    yield refused("RSA-PSS", "key-unsuitable", sign(whole, "rsa-pss", alg=True))


def cavage(line, names, algorithm="rsa-sha256", query=True):
    """draft-cavage-http-signatures-12, section 2.3, in the Signature field (4.1)."""
    url = urlsplit(line["url"])
    headers = {name.lower(): value for name, value in line["headers"]}
    target = (url.path or "/") + (f"?{url.query}" if url.query and query else "")
    values = {**headers, "(request-target)": f"{line['method'].lower()} {target}"}
    base = "\n".join(f"{name}: {values[name]}" for name in names)
    signature = base64.b64encode(private("rsa").sign(base.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    said = f'algorithm="{algorithm}",' if algorithm else ""
    value = f'keyId="{ACTOR}",{said}headers="{" ".join(names)}",signature="{signature}"'
    return {**line, "headers": [*line["headers"], ["Signature", value]], "key_id": ACTOR, **key("rsa")}


def older(method, url, body=None):
    line = {"method": method, "url": url, "headers": [["Host", urlsplit(url).netloc], ["Date", formatdate(NOW, usegmt=True)]]}
    if body is not None:
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        line = {**line, "headers": [*line["headers"], ["Digest", f"SHA-256={digest}"], ACTIVITY], "body": body}
    return line


CAVAGE = "the formula of draft-cavage-http-signatures-12, with PyPI's cryptography"


def activitypub_cavage():
    parts = ["method", "host", "path", "query", "body", "header.date", "header.signature", "secret"]
    post = older("POST", INBOX, NOTE)
    line = cavage(post, ["host", "date", "digest", "content-type", "(request-target)"])
    yield good("mastodon-delivery", line, [*parts, "header.digest", "header.content-type"], ["scheme", "key-id"], CAVAGE)
    line = cavage(post, ["(request-target)", "host", "date", "digest"], "hs2019")
    yield good("hs2019-delivery", line, [*parts, "header.digest"], ["scheme", "key-id", "header.content-type"], CAVAGE)
    line = cavage(older("GET", "https://example.com/users/bob?page=1"), ["(request-target)", "host", "date"], None)
    yield good("fetch", line, parts, ["scheme", "key-id", "header.accept"], CAVAGE)


def activitypub_cavage_refused():
    get = older("GET", "https://example.com/users/bob?page=1")
    post = older("POST", INBOX, NOTE)
    all_of_it = ["(request-target)", "host", "date", "digest"]
    yield refused("signed without its query", "signature-mismatch", cavage(get, ["(request-target)", "host", "date"], query=False))
    yield refused("no host", "coverage-too-thin", cavage(post, ["(request-target)", "date", "digest"]))
    yield refused("no date", "coverage-too-thin", cavage(post, ["(request-target)", "host", "digest"]))
    yield refused("no digest", "coverage-too-thin", cavage(post, ["(request-target)", "host", "date"]))
    yield refused("another algorithm's name", "refused", cavage(post, all_of_it, "hmac-sha256"))
    yield refused("two hours old", "timestamp-stale", cavage(post, all_of_it), NOW + 7200)


def both(one, other):
    named = lambda standard, lines: ({**line, "id": f"{standard}, {line['id']}"} for line in lines)
    return lambda: chain(named("RFC 9421", one()), named("draft-cavage", other()))


SCHEMES = {
    "rfc9421": (rfc9421, rfc9421_refused),
    "web-bot-auth": (web_bot_auth, web_bot_auth_refused),
    "fapi-http-signatures": (fapi, fapi_refused),
    "activitypub-rfc9421": (activitypub, activitypub_refused),
    "activitypub-cavage": (activitypub_cavage, activitypub_cavage_refused),
    # Both sides stand under one name; each message is judged by one of them.
    "activitypub": (both(activitypub, activitypub_cavage), both(activitypub_refused, activitypub_cavage_refused)),
}


def main():
    for name, (sdk, traps) in SCHEMES.items():
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        for file, lines in (("sdk.jsonl", sdk()), ("refused.jsonl", traps())):
            text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
            (folder / file).write_text(text)


if __name__ == "__main__":
    main()
