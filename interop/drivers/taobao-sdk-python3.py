"""Taobao's open platform, by its SDK for Python."""

import hashlib
import hmac

import top
from top.api import base

import top_family

SDK = "taobao-sdk-python3==1.0.9"
QUICK = True
SCHEMES = ["taobao-top-md5", "taobao-top-hmac", "taobao-top-hmac-sha256"]

URL = "https://eco.taobao.com/router/rest"
TAKEN = ["app_key", "method", "session", "timestamp", "format", "v", "sign_method", "sign", "partner_id"]
METHODS = {"taobao-top-md5": "md5", "taobao-top-hmac": "hmac", "taobao-top-hmac-sha256": "hmac-sha256"}


class Call(base.RestApi):
    def getapiname(self):
        return "taobao.item.seller.get"


def sign(scheme, rng, hostile):
    found = top_family.parameters(rng, hostile, TAKEN)
    return request(scheme, found, hostile.word(rng, 8), hostile.secret(rng), hostile.now(rng), hostile.word(rng))


def request(scheme, found, key, secret, now, session):
    """The SDK knows MD5 only. For the others what it joins is signed as the platform's document says."""
    call = top_family.call(Call("eco.taobao.com", 443), found)
    call.set_app_info(top.appinfo(key, secret))
    made = base.sign
    if scheme != "taobao-top-md5":
        base.sign = lambda secret, parameters: mac(scheme, secret, {**parameters, "sign_method": METHODS[scheme]})
    try:
        line = top_family.capture(base, now, lambda: call.getResponse(session))
    finally:
        base.sign = made
    line["url"] = line["url"].replace("sign_method=md5", f"sign_method={METHODS[scheme]}")
    return {**line, "key_id": key, "secret": secret}


def mac(scheme, secret, parameters):
    text = "".join(f"{name}{parameters[name]}" for name in sorted(parameters))
    digest = hashlib.md5 if scheme == "taobao-top-hmac" else hashlib.sha256
    return hmac.new(secret.encode(), text.encode(), digest).hexdigest().upper()


def unsigned(scheme, rng, hostile):
    found = top_family.parameters(rng, hostile, TAKEN)
    return top_family.unsigned(rng, hostile, URL, {"method": "taobao.item.seller.get", "v": "2.0"}, found)


def verify(scheme, line):
    parameters, signature = top_family.all_of(line)
    made = base.sign(line["secret"], parameters) if scheme == "taobao-top-md5" else mac(scheme, line["secret"], parameters)
    return signature == made


def fixed(scheme):
    call = "RestApi.getResponse" if scheme == "taobao-top-md5" else "RestApi.getResponse, its parameters under the HMAC of the platform's document"
    source = f"{SDK}, {call}"
    common = ["app_key", "method", "session", "timestamp", "sign_method", "sign"]
    lines = []
    for id, found in [("document", {"fields": "num_iid,title,nick,price,num", "num_iid": "11223344"}), ("awkward", top_family.AWKWARD)]:
        line = request(scheme, found, "12345678", "helloworld", 1714566896, "test")
        lines.append(top_family.vector(f"taobao-sdk-python3-{id}", source, line, common))
    return lines
