"""Discord's interactions: signed by PyNaCl, verified by Discord's own library, which is made for it."""

import contextlib
import sys
from base64 import b64decode, b64encode
from pathlib import Path

from discord_interactions import verify_key
from nacl.signing import SigningKey

import webhook

SDK = "discord-interactions==0.4.0"
ALSO = ["PyNaCl==1.6.2"]
SCHEMES = ["discord-ed25519"]
QUICK = True


def sign(scheme, rng, hostile):
    key = SigningKey(rng.randbytes(32))
    line = {**webhook.unsigned(rng, hostile), "public_key": public(key)}
    del line["secret"]
    return webhook.accepted(verify, scheme, signed(line, key))


def public(key):
    """As the developer portal shows it."""
    return key.verify_key.encode().hex()


def signed(line, key):
    time = str(line["now"])
    signature = key.sign(time.encode() + line["body"].encode()).signature.hex()
    return webhook.with_headers(line, ["X-Signature-Ed25519", signature], ["X-Signature-Timestamp", time])


def unsigned(scheme, rng, hostile):
    key = SigningKey(rng.randbytes(32))
    line = {**webhook.unsigned(rng, hostile), "private_key": pem(key)}
    del line["secret"]
    return line


def pem(key):
    """PKCS#8, RFC 8410, section 7."""
    der = bytes.fromhex("302e020100300506032b657004220420") + key.encode()
    return f"-----BEGIN PRIVATE KEY-----\n{b64encode(der).decode()}\n-----END PRIVATE KEY-----\n"


def verify(scheme, line):
    if "private_key" in line:
        line["public_key"] = public(SigningKey(b64decode("".join(line["private_key"].split("\n")[1:-2]))[-32:]))
    signature, time = (webhook.header(line, f"X-Signature-{name}") for name in ("Ed25519", "Timestamp"))
    # It prints why it refuses, where the answers go.
    with contextlib.redirect_stdout(sys.stderr):
        return verify_key(line["body"].encode(), signature, time, line["public_key"])


def fixed(scheme):
    keys = Path(__file__).resolve().parents[2] / "vectors/keys"
    text = (keys / "ed25519.pem").read_text()
    key = SigningKey(b64decode("".join(text.split("\n")[1:-2]))[-32:])
    half = (keys / "ed25519.pub.pem").read_text()
    names = ["x-signature-ed25519", "x-signature-timestamp"]
    lines = webhook.fixed(f"{SDK}, verify_key", lambda line: signed(line, key), names, public_key=half)
    for line in lines:
        del line["secret"]
        webhook.accepted(verify, scheme, {**line, "public_key": public(key)})
    # The same key as it is published. What is changed needs a key of `vectors/keys`, so only the message is.
    covered = [component for component in lines[0]["covered"] if component != "secret"]
    raw = {**lines[0], "id": f"{lines[0]['id']}-hex-key", "public_key": public(key), "covered": covered}
    return [*lines, raw]
