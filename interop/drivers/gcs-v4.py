"""Google Cloud Storage's signed URLs, by Google's library."""

import datetime
import hashlib
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from google.auth.credentials import Signing
from google.cloud.storage import _signing

SDK = "google-cloud-storage==3.17.1"
ALSO = ["cryptography==46.0.3"]
SCHEMES = ["gcs-v4"]

KEYS = Path(__file__).resolve().parents[2] / "vectors" / "keys"
PRIVATE = (KEYS / "rsa.pem").read_text()
PUBLIC = (KEYS / "rsa.pub.pem").read_text()


class Credentials(Signing):
    """A service account with the test key."""

    signer_email = "signer@project.iam.gserviceaccount.com"
    key = serialization.load_pem_private_key(PRIVATE.encode(), None)
    signer = None

    def sign_bytes(self, message):
        return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def sign(scheme, rng, hostile):
    # The library takes each name once, and writes an absent value as an empty one.
    query = dict(hostile.distinct(hostile.query(rng)))
    headers = dict(hostile.headers(rng))
    headers |= {f"X-Goog-{name[2:]}": value for name, value in hostile.headers(rng, 2)}
    body = hostile.body_text(rng) if rng.random() < 0.5 else ""
    if rng.random() < 0.3:
        headers["X-Goog-Content-SHA256"] = hashlib.sha256(body.encode()).hexdigest()
    host = rng.choice(["storage.googleapis.com", "bucket.storage.googleapis.com", "localhost:8080"])
    resource = "/bucket/" + quote(hostile.text(rng, control=False), safe=rng.choice(["/~", "~"]))
    line = {"method": rng.choice(["GET", "PUT", "DELETE", "HEAD", "POST"]), "body": body, "now": hostile.now(rng)}
    return signed(line, host, resource, headers, query, rng.randint(1, 7 * 24 * 3600))


def signed(line, host, resource, headers, query, lifetime=3600):
    url = _signing.generate_signed_url_v4(
        Credentials(),
        resource,
        lifetime,
        api_access_endpoint=f"https://{host}",
        method=line["method"],
        headers=dict(headers),
        query_parameters=query,
        _request_timestamp=datetime.datetime.fromtimestamp(line["now"], datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ"),
    )
    fields = [[name, value] for name, value in headers.items()]
    return {**line, "url": url, "headers": fields, "key_id": Credentials.signer_email, "public_key": PUBLIC}


def fixed(scheme):
    digest = hashlib.sha256(b"hello").hexdigest()
    cases = {
        "get": ("GET", "/bucket/a%20b~c/d", {}, {"generation": "1", "a b": "c/d", "A": ""}, ""),
        "put": ("PUT", "/bucket/key", {"X-Goog-Meta-A": "a   b", "X-Goog-Content-SHA256": digest, "Content-Type": "text/plain"}, {}, "hello"),
    }
    lines = []
    for id, (method, resource, headers, query, body) in cases.items():
        names = ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"]
        common = {
            "id": f"google-cloud-storage-{id}",
            "source": f"{SDK}, generate_signed_url_v4",
            "expect": "verified",
            "covered": ["method", "host", "path", "query", "key-id", "secret", *(f"query.X-Goog-{name}" for name in names)]
            + [f"query.{name}" for name in query]
            + [f"header.{name.lower()}" for name in headers]
            + (["body"] if body else ["header.x-goog-meta-b"]),
            "open": ["scheme", "header.x-other"] + ([] if body else ["body"]),
        }
        lines.append({**common, **signed({"method": method, "body": body, "now": 1714566896}, "storage.googleapis.com", resource, headers, query)})
    return lines
