"""What Django and itsdangerous need to open the values of lines on standard input: one JSON object, nanoseconds by name.

A signer is made once where the framework lets one do that; `signing.loads` makes one each time, as every application does.
"""

import json
import sys
import time
import timeit

from django.conf import settings

settings.configure(SECRET_KEY="unused")

import itsdangerous  # noqa: E402
from django.core import signing  # noqa: E402

best = {}
for text in sys.stdin:
    line = json.loads(text)
    key, signed, now = line["key"], line["signed"], line["now"]
    time.time = lambda: now
    plain, timed = signing.Signer(key=key), signing.TimestampSigner(key=key)
    its, urls = itsdangerous.TimestampSigner(key), itsdangerous.URLSafeTimedSerializer(key)
    opens = {
        "django Signer.unsign": lambda: plain.unsign(signed),
        "django TimestampSigner.unsign": lambda: timed.unsign(signed, max_age=600),
        "django loads": lambda: signing.loads(signed, key=key, max_age=600),
        "django loads, 700 bytes": lambda: signing.loads(signed, key=key, max_age=600),
        "django loads, 700 bytes compressed": lambda: signing.loads(signed, key=key, max_age=600),
        "itsdangerous TimestampSigner.unsign": lambda: its.unsign(signed, max_age=600),
        "itsdangerous loads": lambda: urls.loads(signed, max_age=600),
    }[line["name"]]
    best[line["name"]] = min(timeit.repeat(opens, number=500, repeat=40)) / 500 * 1e9
print(json.dumps(best))
