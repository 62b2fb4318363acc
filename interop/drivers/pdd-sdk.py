"""Pinduoduo's open platform, by an SDK for Python that was made after Taobao's."""

import pdd_sdk
from pdd_sdk.api import base

import top_family

SDK = "pdd-sdk==1.0.8"
SCHEMES = ["pdd-md5"]

URL = "https://gw-api.pinduoduo.com/api/router"
TAKEN = ["client_id", "type", "session", "timestamp", "data_type", "version", "sign"]


class Call(base.RestApi):
    def getapiname(self):
        return "pdd.ddk.goods.search"


def sign(scheme, rng, hostile):
    found = top_family.parameters(rng, hostile, TAKEN)
    return request(found, hostile.word(rng, 8), hostile.secret(rng), hostile.now(rng), hostile.word(rng))


def request(found, key, secret, now, session):
    call = top_family.call(Call(), found)
    call.set_app_info(pdd_sdk.appinfo(key, secret))
    line = top_family.capture(base, now, lambda: call.getResponse(session))
    return {**line, "key_id": key, "secret": secret}


def unsigned(scheme, rng, hostile):
    found = top_family.parameters(rng, hostile, TAKEN)
    return top_family.unsigned(rng, hostile, URL, {"type": "pdd.ddk.goods.search", "data_type": "JSON"}, found)


def verify(scheme, line):
    parameters, signature = top_family.all_of(line)
    return signature == base.sign(line["secret"], parameters)


def fixed(scheme):
    common = ["client_id", "type", "timestamp", "data_type", "sign"]
    lines = []
    for id, found in [("search", {"keyword": "a", "page": 1}), ("awkward", top_family.AWKWARD)]:
        line = request(found, "3fac0ed4", "5e7f0d3a9b", 1714566896, "tok")
        lines.append(top_family.vector(f"pdd-sdk-{id}", f"{SDK}, RestApi.getResponse", line, common))
    return lines
