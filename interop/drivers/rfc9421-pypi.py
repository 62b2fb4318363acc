"""HTTP Message Signatures by http-message-signatures, and its verifier: requests and responses, all six algorithms."""

import datetime
from types import SimpleNamespace

import http_message_signatures as library
from http_message_signatures import algorithms, signatures

import message_signatures as made

SDK = "http-message-signatures==3.0.0"
SCHEMES = ["rfc9421"]

BY_NAME = {
    "hmac-sha256": algorithms.HMAC_SHA256,
    "ed25519": algorithms.ED25519,
    "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256,
    "ecdsa-p384-sha384": algorithms.ECDSA_P384_SHA384,
    "rsa-pss-sha512": algorithms.RSA_PSS_SHA512,
    "rsa-v1_5-sha256": algorithms.RSA_V1_5_SHA256,
}

# Methods in lower case it refuses: RFC 9421, section 2.2.1, has "no transformation to the input method value's case".
# It knows the types of registered fields alone (section 2.1.1: of a type that the signer "knows"), and no `tr` (2.1.4).
# It signs with the six registered parameters, in an order of its own, `created` always among them, and refuses others
# (section 2.3: the list of parameters can be extended); what it verifies has a key id.
CAN = made.EVERYTHING - {"method-case", "sf-own", "unknown"}


class Fields:
    """Field lines as the library takes them: every line of its own, in order."""

    def __init__(self, lines):
        self.lines = [list(line) for line in lines]

    def items(self):
        return [tuple(line) for line in self.lines]

    def __iter__(self):
        return iter([name for name, _ in self.lines])

    def __contains__(self, name):
        return any(known.lower() == name.lower() for known in self)

    def __getitem__(self, name):
        return next(value for known, value in self.lines if known.lower() == name.lower())

    def __setitem__(self, name, value):
        if name in self:
            del self[name]
        self.lines.append([name, value])

    def __delitem__(self, name):
        self.lines = [line for line in self.lines if line[0].lower() != name.lower()]


class Resolver(library.HTTPSignatureKeyResolver):
    def __init__(self, line):
        self.line = line

    def resolve_public_key(self, key_id):
        return made.public(self.line)

    def resolve_private_key(self, key_id):
        return self.line["secret"].encode() if "secret" in self.line else self.line["private_key"].encode()


def message(line):
    if "status" in line:
        return SimpleNamespace(status_code=line["status"], headers=Fields(line["headers"]), request=message(line["request"]))
    return SimpleNamespace(method=line["method"], url=line["url"], headers=Fields(line["headers"]))


def sign(scheme, rng, hostile):
    now = hostile.now(rng)
    line, known = made.message(rng, hostile, CAN)
    chosen = made.components(rng, known)
    line |= made.key(rng, hostile)
    labels = rng.sample(["pyhms", "sig1", "a", "*x.y-1"], rng.choice([1, 1, 2, 3]))
    for label in labels:
        words = made.words(rng, hostile, now, CAN - {"no-created"})
        line["headers"] = signed(line, label, chosen, words, rng.random() < 0.5)
    return {**line, "now": now, "vars": made.insisted(rng, chosen, rng.choice(labels))}


def signed(line, label, chosen, words, include_alg):
    """The field lines of a message with a signature more."""
    found = message(line)
    instant = lambda seconds: datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)  # noqa: E731
    signer = library.HTTPMessageSigner(signature_algorithm=BY_NAME[line["alg"]], key_resolver=Resolver(line))
    signer.sign(
        found,
        key_id=words["keyid"],
        created=instant(words["created"]),
        expires=instant(words["expires"]) if "expires" in words else None,
        nonce=words.get("nonce"),
        tag=words.get("tag"),
        label=label,
        include_alg=include_alg,
        covered_component_ids=chosen,
        append_if_signature_exists=True,
    )
    return found.headers.lines


def unsigned(scheme, rng, hostile):
    line = made.unsigned(rng, hostile, CAN)
    # Often beside a signature of its own, under another label.
    if rng.random() < 0.3:
        line["vars"].setdefault("label", "sig")
        line["headers"] = signed(line, "theirs", [], {"keyid": "Test", "created": 1}, False)
    return line


class Verifier(library.HTTPMessageVerifier):
    allow_label_only_selection = True
    require_created = False


def verify(scheme, line):
    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(line["now"], tz)

    kept = signatures.datetime
    signatures.datetime = SimpleNamespace(datetime=Clock, timezone=datetime.timezone, timedelta=datetime.timedelta)
    try:
        verifier = Verifier(signature_algorithm=BY_NAME[line["alg"]], key_resolver=Resolver(line))
        aged = "created=" in line["vars"].get("parameters", "created=")
        age = {} if aged else {"max_age": None}
        return len(verifier.verify(message(line), expect_label=line["vars"].get("label"), **age)) == 1
    except library.HTTPMessageSignaturesException:
        return False
    finally:
        signatures.datetime = kept


def base(scheme, line):
    """The base of the signature that counts; where the library cannot make it, why."""
    verifier = Verifier(signature_algorithm=BY_NAME[line["alg"]], key_resolver=Resolver(line))
    try:
        label = line["vars"].get("label")
        for _, listed, _ in verifier._get_sig_inputs_and_signatures(message(line), expect_label=label):
            return verifier._build_signature_base(message(line), covered_component_ids=list(listed), signature_params=listed.params)[0]
    except library.HTTPMessageSignaturesException as why:
        return f"none: {why}"
