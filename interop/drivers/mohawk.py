"""Hawk, by mohawk: requests, answers and links, both ways."""

import mohawk.base
import mohawk.bewit
from mohawk import Receiver, Sender
from mohawk.base import EmptyValue, Resource
from mohawk.exc import HawkFail
from mohawk.util import normalize_string

SDK = "mohawk==1.1.0"
SCHEMES = ["hawk", "hawk-bewit"]
QUICK = True


def sign(scheme, rng, hostile):
    line = request(scheme, rng, hostile)
    ext = attribute(rng, hostile) if rng.random() < 0.5 else None
    if scheme == "hawk-bewit":
        return linked(line, line["now"] + 300, ext)
    line = requested(line, hostile.word(rng), ext, *parties(rng, hostile), hashed=rng.random() < 0.7)
    return answered(line, hostile.body_text(rng), ext, rng.random() < 0.7) if rng.random() < 0.3 else line


def unsigned(scheme, rng, hostile):
    line = request(scheme, rng, hostile)
    if scheme == "hawk-bewit" or rng.random() < 0.7:
        return line
    line = requested(line, hostile.word(rng), attribute(rng, hostile), *parties(rng, hostile), hashed=True)
    return {**answer(line, hostile.body_text(rng)), "headers": [["Content-Type", "text/plain"]]}


def request(scheme, rng, hostile):
    link = scheme == "hawk-bewit"
    method = "GET" if link else hostile.method(rng)
    # mohawk reads URLs with urlparse, which takes what follows `;` in the last segment out of the path, and drops the
    # `?` of an empty query.
    path = hostile.path(rng).replace(";", "%3B")
    query = hostile.query_string(rng, hostile.query(rng))
    return {
        "method": method,
        "url": f"{rng.choice(['https', 'http'])}://{hostile.host(rng)}{path}" + (f"?{query}" if query else ""),
        "headers": [["Content-Type", rng.choice(["text/plain", "Application/JSON; charset=utf-8"])]],
        "body": "" if link else hostile.body_text(rng),
        "key_id": attribute(rng, hostile) if not link else hostile.word(rng),
        "secret": hostile.secret(rng),
        "alg": rng.choice(["hmac-sha256", "hmac-sha1"]),
        "now": hostile.now(rng),
        # Signing a link says when it ends.
        **({"vars": {"ttl": 300}} if link else {}),
    }


def attribute(rng, hostile):
    """What Hawk admits in an attribute: printable ASCII without quotes and backslashes."""
    return hostile.header_value(rng).replace('"', "'").replace("\\", "/")


def parties(rng, hostile):
    """Application and delegate."""
    if rng.random() < 0.7:
        return None, None
    return attribute(rng, hostile), attribute(rng, hostile) if rng.random() < 0.5 else None


def credentials(line):
    return {"id": line["key_id"], "key": line["secret"], "algorithm": line.get("alg", "hmac-sha256").removeprefix("hmac-")}


def field(line, wanted):
    return next((value for name, value in line["headers"] if name.lower() == wanted), "")


def content_type(line):
    return field(line, "content-type")


def sender(line, nonce, ext, app, dlg, hashed):
    content = {"content": line["body"].encode(), "content_type": content_type(line)} if hashed else {}
    return Sender(
        credentials(line), line["url"], line["method"], nonce=nonce, ext=ext, app=app, dlg=dlg,
        always_hash_content=hashed, _timestamp=line["now"], **content,
    )  # fmt: skip


def requested(line, nonce, ext, app, dlg, hashed):
    header = sender(line, nonce, ext, app, dlg, hashed).request_header
    return {**line, "headers": [*line["headers"], ["Authorization", header]]}


def answer(line, body):
    """The answer to a signed request, unsigned."""
    request = {name: line[name] for name in ("method", "url", "headers", "body")}
    kept = {name: line[name] for name in line if name not in request}
    return {**kept, "status": 200, "body": body, "request": request}


def answered(line, body, ext, hashed):
    kind = "text/plain"
    content = {"content": body.encode(), "content_type": kind} if hashed else {}
    header = received(line).respond(ext=ext, always_hash_content=hashed, **content)
    return {**answer(line, body), "headers": [["Content-Type", kind], ["Server-Authorization", header]]}


def linked(line, until, ext):
    resource = Resource(credentials=credentials(line), url=line["url"], method="GET", nonce="", timestamp=until, ext=ext)
    # It pads, which the reference does not do; what is padded is refused.
    bewit = mohawk.bewit.get_bewit(resource).rstrip("=")
    return {**line, "url": line["url"] + ("&" if "?" in line["url"] else "?") + f"bewit={bewit}"}


def received(line):
    mohawk.base.utc_now = lambda offset_in_seconds=0.0: line["now"] + int(offset_in_seconds)
    header = field(line, "authorization")
    has_hash = 'hash="' in header
    return Receiver(
        lambda id: credentials(line) if id == line["key_id"] else {}[id], header, line["url"], line["method"],
        content=line["body"].encode() if has_hash else EmptyValue, content_type=content_type(line) if has_hash else EmptyValue,
        accept_untrusted_content=not has_hash, seen_nonce=lambda id, nonce, timestamp: False,
    )  # fmt: skip


def accept(line):
    """Takes an answer as the client does that sent the request."""
    request = {**line, **line["request"]}
    sent = mohawk.util.parse_authorization_header(field(request, "authorization"))
    mohawk.base.utc_now = lambda offset_in_seconds=0.0: line["now"]
    client = sender(request, sent["nonce"], sent.get("ext"), sent.get("app"), sent.get("dlg"), True)
    client.accept_response(field(line, "server-authorization"), content=line["body"].encode(), content_type=content_type(line))


def verify(scheme, line):
    try:
        if scheme == "hawk-bewit":
            # It decodes base64 that is padded, and of the other alphabet.
            bewit, _ = mohawk.bewit.strip_bewit(line["url"])
            padded = bewit.replace("-", "+").replace("_", "/") + "=" * (-len(bewit) % 4)
            return mohawk.bewit.check_bewit(line["url"].replace(bewit, padded), lambda id: credentials(line), now=line["now"])
        if "status" in line:
            accept(line)
        else:
            received(line)
        return True
    except HawkFail:
        return False


def base(scheme, line):
    if scheme == "hawk-bewit" or "status" in line:
        return None
    attributes = mohawk.util.parse_authorization_header(field(line, "authorization"))
    resource = Resource(
        credentials=credentials(line), url=line["url"], method=line["method"], nonce=attributes["nonce"], timestamp=attributes["ts"],
        ext=attributes.get("ext"), app=attributes.get("app"), dlg=attributes.get("dlg"),
    )  # fmt: skip
    return normalize_string("header", resource, attributes.get("hash"))


def fixed(scheme):
    return [{"source": f"{SDK}, {call}", "expect": "verified", **line} for call, line in cases(scheme)]


def cases(scheme):
    line = {
        "method": "POST",
        "url": "https://example.com:8443/resource/1?b=1&a=Zo%C3%AB",
        "headers": [["Content-Type", "text/plain"]],
        "body": "Thank you for flying Hawk, Zoë",
        "key_id": "dh37fgj492je",
        "secret": "werxhqb98rpaxn39848xrunpaw3489ruxnpa98w4rxn",
        "now": 1353832234,
    }
    where = ["scheme", "host", "path", "query", "query.a", "query.b"]
    always = ["header.authorization", "secret"]
    if scheme == "hawk-bewit":
        link = {**line, "method": "GET", "body": "", "headers": []}
        # Both ends of https without a port: another scheme is another port.
        for id, url, ext, more in [("port", line["url"], None, where[1:]), ("ext", "https://example.com/a/b?c=d", "xandyandz", ["scheme", "host", "path", "query", "query.c"])]:
            yield "bewit.get_bewit", {
                "id": f"mohawk-bewit-{id}",
                "covered": ["method", *more, "query.bewit", "secret"],
                "open": ["body", "header.content-type", *(["scheme"] if id == "port" else [])],
                **linked({**link, "url": url}, line["now"] + 300, ext),
            }
        return
    opened = ["key-id", "header.x-other"]
    yield "Sender.request_header", {
        "id": "mohawk-post",
        "covered": ["method", "host", "path", "query", "query.a", "query.b", "body", "header.content-type", *always],
        "open": [*opened, "scheme"],
        **requested(line, "j4h3g2", "some-app-ext-data", None, None, True),
    }
    without_port = {**line, "url": "https://example.com/resource/1?b=1&a=2"}
    yield "Sender.request_header", {
        "id": "mohawk-no-hash",
        "covered": ["method", *where, *always],
        "open": [*opened, "body", "header.content-type:longer"],
        **requested({**without_port, "alg": "hmac-sha1"}, "Ygvqdz", None, "24s23423f34dx", "234sz34tww3sd", False),
    }
    yield "Receiver.respond", {
        "id": "mohawk-answer",
        "covered": ["header.server-authorization", "header.content-type", "body", "request.method", "request.path", "request.host", "request.query", "secret"],
        "open": ["status", "header.x-other", "request.body"],
        **answered(requested(line, "j4h3g2", "some-app-ext-data", "24s23423f34dx", "234sz34tww3sd", True), "OK", "response-specific", True),
    }
