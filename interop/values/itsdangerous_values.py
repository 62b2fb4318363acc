"""itsdangerous: the four derivations, Signer, TimestampSigner and the serialisers; and Flask's sessions, by Flask."""

import hashlib

import common
import flask
import itsdangerous
from flask.sessions import SecureCookieSessionInterface


def make(rng):
    line = {"format": "itsdangerous", "keys": [common.key(rng) for _ in range(rng.choice([1, 1, 2, 3]))]}
    if rng.random() < 0.15:
        session = {common.text(rng, 12): common.tree(rng, 3) for _ in range(rng.randrange(5))}
        # Flask reads an object of one member whose name begins with a space as a value of Python's own.
        return {**line, "format": "flask", "op": "dumps", "value": tagless(session)}
    if rng.random() < 0.8:
        line["algorithm"] = rng.choice(common.DIGESTS)
    if rng.random() < 0.7:
        line["key_derivation"] = rng.choice(["concat", "django-concat", "hmac", "none"])
    if rng.random() < 0.6:
        line["salt"] = common.text(rng)
    line["timestamp"] = rng.random() < 0.5
    if rng.random() < 0.5:
        return {**line, "op": "dumps", "url_safe": rng.random() < 0.7, "value": common.tree(rng)}
    if rng.random() < 0.5:
        line["sep"] = common.separator(rng)
    return {**line, "op": "sign", "value": common.text(rng)}


def tagless(value):
    if isinstance(value, dict):
        return {"x" + name: tagless(member) for name, member in value.items()}
    return [tagless(item) for item in value] if isinstance(value, list) else value


def answer(line):
    # The newest key comes last here.
    keys = line["keys"][::-1]
    if line["format"] == "flask":
        return session(line, keys)
    options = {"key_derivation": line.get("key_derivation"), "digest_method": getattr(hashlib, line.get("algorithm", "sha1"))}
    timed, age = line.get("timestamp"), ({"max_age": line["max_age"]} if "max_age" in line else {})
    salt = {"salt": line["salt"]} if "salt" in line else {}
    if line["op"] in ("sign", "unsign"):
        kind = itsdangerous.TimestampSigner if timed else itsdangerous.Signer
        signer = kind(keys, sep=line.get("sep", "."), **salt, **options)
        if line["op"] == "sign":
            return signer.sign(line["value"]).decode()
        return signer.unsign(line["value"], **age).decode()
    if line.get("url_safe", True):
        kind = itsdangerous.URLSafeTimedSerializer if timed else itsdangerous.URLSafeSerializer
    else:
        kind = itsdangerous.TimedSerializer if timed else itsdangerous.Serializer
    serializer = kind(keys, signer_kwargs=options, **salt)
    if line["op"] == "dumps":
        return serializer.dumps(line["value"])
    return serializer.loads(line["value"], **age)


def session(line, keys):
    app = flask.Flask(__name__)
    app.secret_key, app.config["SECRET_KEY_FALLBACKS"] = keys[-1], keys[:-1]
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    if line["op"] == "dumps":
        return serializer.dumps(line["value"])
    return serializer.loads(line["value"], **({"max_age": line["max_age"]} if "max_age" in line else {}))


if __name__ == "__main__":
    common.main(make, answer)
