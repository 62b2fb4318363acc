"""HTTP Message Signatures by the crate httpsig, and its verifier. The crate knows no messages, only values of components:
what the values of a field's lines and of derived components are, this says, and the crate makes base and signature."""

import json
import os
import subprocess
import time
from functools import cache

import message_signatures as made

SDK = "httpsig==0.0.26"
CARGO = True
SCHEMES = ["rfc9421"]

# Where it deviates from RFC 9421, or cannot do it, it is not asked:
# - `bs` and `tr` are not implemented (sections 2.1.3 and 2.1.4);
# - `@method` in upper case; section 2.2.1: "no transformation to the input method value's case";
# - the authority is taken as it is given but for its case; section 2.2.3: "the default port is omitted";
# - parameters of the query are not decoded and encoded again (section 2.2.8);
# - `sf` and `key` look at each line by itself; sections 2.1.1 and 2.1.2 have the combined value. A dictionary whose keys
#   all stand alone is taken for a list, which differs where a key comes twice;
# - strings of parameters are written without escapes (RFC 9651, section 4.1.6);
# - it writes signature parameters in an order of its own: created, expires, nonce, alg, keyid, tag, and drops others;
#   section 3.2: "The value of the @signature-params input is the value of the Signature-Input field for this signature". So
#   what it is to verify has no more than one of the three in the middle, which we write in another order.
CAN = made.EVERYTHING - {"bs", "method-case", "default-port", "param-encoded", "sf-lines", "keys-twice", "escapes", "order", "unknown"}


@cache
def peer():
    return subprocess.Popen([os.environ["INTEROP_PEER"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def asked(question):
    peer().stdin.write(json.dumps(question) + "\n")
    peer().stdin.flush()
    answer = json.loads(peer().stdout.readline())
    if "error" in answer and question["do"] == "sign":
        raise RuntimeError(answer["error"])
    return answer


def value(line, identifier):
    """The values of a component: of a derived one its value, of a field each line's."""
    name, *parameters = identifier.split(";")
    name = name.strip('"')
    if "req" in parameters:
        line = line["request"]
    if not name.startswith("@"):
        return [text.strip() for known, text in line["headers"] if known.lower() == name]
    if name == "@status":
        return [str(line["status"])]
    scheme, rest = line["url"].split("://")
    authority, target = rest.split("/", 1)
    path, _, query = ("/" + target).partition("?")
    return {
        "@method": [line["method"]],
        "@target-uri": [line["url"]],
        "@authority": [authority],
        "@scheme": [scheme],
        "@request-target": ["/" + target],
        "@path": [path],
        "@query": ["?" + query],
        "@query-param": query.split("&"),
    }[name]


def material(line):
    return {"alg": line["alg"], **({"secret": line["secret"]} if "secret" in line else {"private_key": line["private_key"]})}


def covered(line, chosen):
    return [{"id": one, "values": value(line, one)} for one in chosen]


def sign(scheme, rng, hostile):
    now = hostile.now(rng)
    line, known = made.message(rng, hostile, CAN)
    line |= made.key(rng, hostile)
    chosen = made.components(rng, known)
    labels = rng.sample(["sig", "sig1", "a", "*x.y-1"], rng.choice([1, 1, 2, 3]))
    counts = rng.choice(labels)
    fields = []
    for label in labels:
        words = made.words(rng, hostile, now, CAN)
        if label == counts:
            expected = made.expected(words)
        fields += signature(line, label, chosen, {**words, "name_alg": rng.random() < 0.5})
    return {**line, "headers": line["headers"] + fields, "now": now, "vars": made.insisted(rng, chosen, counts), **expected}


def signature(line, label, chosen, words):
    """The two field lines of a signature."""
    answer = asked({"do": "sign", **material(line), **words, "label": label, "covered": covered(line, chosen)})
    return [["Signature-Input", answer["signature_input"]], ["Signature", answer["signature"]]]


def unsigned(scheme, rng, hostile):
    line = made.unsigned(rng, hostile, CAN - {"no-created"})
    # Often beside a signature of its own, under another label.
    if rng.random() < 0.3:
        line["headers"] += signature(line, "theirs", [], {})
    kept = rng.choice(["key_id", "nonce", "alg"])
    if kept != "key_id":
        line.pop("key_id")
    if kept != "nonce":
        line.pop("nonce", None)
    if kept != "alg":
        line["vars"].pop("alg", None)
    # Its clock is the machine's.
    if "ttl" in line["vars"]:
        line["vars"]["ttl"] = str(100_000 + int(line["vars"]["ttl"]))
    return line | {"now": int(time.time())}


def question(line, what):
    # Ours come last.
    fields = {name.lower(): text for name, text in line["headers"] if name.lower().startswith("signature")}
    label = fields["signature-input"].split("=")[0]
    pieces = line["vars"]["components"].split()
    given = {"signature_input": fields["signature-input"], "signature": fields["signature"], "label": label}
    answer = {"do": what, "alg": line["alg"], **given, "covered": covered(line, pieces)}
    return answer | ({"secret": line["secret"]} if "secret" in line else {"public_key": made.public(line).decode()})


def verify(scheme, line):
    return asked(question(line, "verify")).get("accepted", False)


def base(scheme, line):
    if "components" not in line["vars"]:
        return None
    answer = asked(question(line, "base"))
    return answer.get("base", f"none: {answer.get('error')}")
