"""HTTP Message Signatures by requests-http-signature, and its verifier: requests as `requests` prepares and would send them,
with the digest of their body; and responses, which it verifies."""

import datetime
from types import SimpleNamespace

import requests
import requests_http_signature as library
from http_message_signatures import signatures

import message_signatures as made
import wire

SDK = "requests-http-signature==2.0.0"
ALSO = ["http-message-signatures==3.0.0", "requests==2.34.2"]
SCHEMES = ["rfc9421"]

BY_NAME = {one.algorithm_id: one for one in vars(library.algorithms).values() if hasattr(one, "algorithm_id")}

# It makes its signatures with http-message-signatures, and has its limits: `rfc9421-pypi.py` tells them. Besides, `requests`
# has one line of a name: where several came their values are joined before it sees them. So there is no `bs` of them (RFC 9421,
# section 2.1.3: "each individual field value"), and none is empty: of `a, ` it takes the space off (section 2.1: "Strip leading
# and trailing whitespace from each item in the list", of which there is one).
CAN = made.EVERYTHING - {"method-case", "sf-own", "unknown", "bs", "empty"}


class Resolver(library.HTTPSignatureKeyResolver):
    def __init__(self, line):
        self.line = line

    def resolve_public_key(self, key_id):
        return made.public(self.line)

    def resolve_private_key(self, key_id):
        return self.line["secret"].encode() if "secret" in self.line else self.line["private_key"].encode()


def instant(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


def sign(scheme, rng, hostile):
    now = hostile.now(rng)
    line, known = made.message(rng, hostile, CAN - {"req"})
    # What is covered by name is there by then: the digest and `Date` are added when it signs.
    chosen = made.components(rng, [one for one in known if not one.startswith('"host"')])
    words = made.words(rng, hostile, now, CAN - {"no-created"})
    key = made.key(rng, hostile)

    class Auth(library.HTTPSignatureAuth):
        def get_created(self, request):
            self.add_date(request, words["created"])
            return instant(words["created"])

        def get_expires(self, request, created):
            return instant(words["expires"]) if "expires" in words else None

        def get_nonce(self, request):
            return words.get("nonce")

    auth = Auth(
        signature_algorithm=BY_NAME[key["alg"]],
        key_id=words["keyid"],
        key_resolver=Resolver(key),
        covered_component_ids=chosen,
        label=rng.choice(["sig", "a", "*x.y-1"]),
        tag=words.get("tag"),
        include_alg=rng.random() < 0.5,
    )
    headers = {name.lower(): value for name, value in joined(line["headers"]).items() if name.lower() != "host"}
    body = line.get("body", "").encode()
    sent = wire.sent(lambda: requests.request(line["method"], line["url"], headers=headers, data=body, auth=auth))
    insisted = made.insisted(rng, chosen)
    if body:
        insisted["require"] += ' "content-digest"'
    return {**sent, **key, "now": now, "vars": insisted}


def joined(lines):
    """Field lines as `requests` has them: one of a name (section 2.1: joined with a comma and a space)."""
    found = requests.structures.CaseInsensitiveDict()
    for name, value in lines:
        found[name] = f"{found[name]}, {value.strip()}" if name in found else value.strip()
    return found


def unsigned(scheme, rng, hostile):
    line = made.unsigned(rng, hostile, CAN)
    if line.get("body"):
        # Its verifier wants the digest of a body, and reads none of a response to HEAD or with 204.
        chosen = line["vars"]["components"].split()
        line["vars"]["components"] = " ".join([*chosen, '"content-digest"'])
        line["vars"]["digest"] = rng.choice(["sha-256", "sha-512"])
        if line.get("status") == 204 or line.get("request", {}).get("method") == "HEAD":
            del line["body"]
        whole = line["vars"].get("parameters")
        if whole is not None:
            inside = f'({" ".join(chosen)}'
            line["vars"]["parameters"] = f'{inside}{" " if chosen else ""}"content-digest"{whole[len(inside):]}'
    return line


def message(line):
    body = line.get("body", "").encode()
    if "status" not in line:
        found = requests.PreparedRequest()
        found.method, found.url, found.headers, found.body = line["method"], line["url"], joined(line["headers"]), body
        return found
    found = requests.Response()
    found.status_code, found.headers, found._content = line["status"], joined(line["headers"]), body
    found.request = message(line["request"])
    return found


class Verifier(signatures.HTTPMessageVerifier):
    allow_label_only_selection = True
    require_created = False


class Verifying(library.HTTPSignatureAuth):
    verifier_class = Verifier


def verify(scheme, line):
    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(line["now"], tz)

    clock = SimpleNamespace(datetime=Clock, timezone=datetime.timezone, timedelta=datetime.timedelta)
    aged = "created=" in line["vars"].get("parameters", "created=")
    try:
        with wire.replaced((signatures, "datetime", clock)):
            Verifying.verify(
                message(line),
                require_components=(),
                signature_algorithm=BY_NAME[line["alg"]],
                key_resolver=Resolver(line),
                max_age=datetime.timedelta(days=1) if aged else None,
                expect_label=line["vars"].get("label"),
            )
        return True
    except library.InvalidSignature:
        return False
