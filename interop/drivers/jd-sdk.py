"""JD's open platform, by its SDK for Python, which signs in ISO 8859-1 what it sends in UTF-8."""

import jd
from jd.api import base

import top_family

SDK = "jd-sdk==1.1.1"
SCHEMES = ["jd-jos-md5", "jd-jos-md5-latin1"]

URL = "https://api.jd.com/routerjson"


class Call(base.RestApi):
    def getapiname(self):
        return "jingdong.sku.read"


def sign(scheme, rng, hostile):
    found = top_family.parameters(rng, hostile, [], characters(scheme))
    return request(found, hostile.word(rng, 8), hostile.secret(rng), hostile.now(rng), hostile.word(rng))


def characters(scheme):
    """What both encodings write alike; or what the SDK can encode at all."""
    return (lambda char: char < "\x80") if scheme == "jd-jos-md5" else (lambda char: char < "\u0100")


def request(found, key, secret, now, token):
    call = top_family.call(Call("api.jd.com", 80), found)
    call.set_app_info(jd.appinfo(key, secret))
    line = top_family.capture(base, now, lambda: call.getResponse(token, ssl=True))
    return {**line, "key_id": key, "secret": secret}


def unsigned(scheme, rng, hostile):
    found = top_family.parameters(rng, hostile, ["app_key", "timestamp", "sign"], characters(scheme))
    return top_family.unsigned(rng, hostile, URL, {"method": "jingdong.sku.read", "v": "2.0"}, found)


def verify(scheme, line):
    parameters, signature = top_family.all_of(line)
    return signature == base.sign(line["secret"], parameters)


def fixed(scheme):
    common = ["app_key", "method", "timestamp", "access_token", "360buy_param_json", "sign"]
    text = "a&b=c" if scheme == "jd-jos-md5" else "é&ü=c"
    lines = []
    for id, found in [("plain", {"skuId": "1"}), ("awkward", {"name": text, "n": 1.0})]:
        line = request(found, "AK", "jdsecret", 1714566896, "tok")
        lines.append(top_family.vector(f"jd-sdk-{id}", f"{SDK}, RestApi.getResponse", line, common))
    return lines
