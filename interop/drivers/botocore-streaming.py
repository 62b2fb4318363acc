"""S3 uploads as botocore sends them over TLS: in chunks that are not signed, with a checksum in the trailer. Reads,
and what is sent without TLS, state the digest of their body."""

import base64
import datetime

import botocore.auth
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials

SDK = "botocore==1.44.5"
SCHEMES = ["aws-sigv4-streaming"]

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
# CRC-32C and CRC-64/NVME take another library of the vendor's.
CHECKSUMS = ["CRC32", "SHA1", "SHA256"]


def sign(scheme, rng, hostile):
    now = hostile.now(rng)
    key = "".join(hostile.name(rng) for _ in range(rng.randint(1, 3)))
    # The SDK takes `/../` out of a key, and a server is asked for another than was meant.
    key = key.replace("..", "--").replace("/./", "/-/").strip("/") or "key"
    metadata = {name.lower().replace("_", "-"): value for name, value in hostile.headers(rng)}
    region = rng.choice(["us-east-1", "eu-west-3"])
    endpoint = rng.choice(["https", "https", "http"]) + "://s3.example.com"
    call = {"Bucket": "a-bucket", "Key": key}
    if rng.random() < 0.8:
        call |= {"Body": hostile.body(rng), "Metadata": metadata, "ChecksumAlgorithm": rng.choice(CHECKSUMS)}
        return sent("put_object", call, region, endpoint, hostile.word(rng), hostile.secret(rng), now)
    return sent("get_object", call, region, endpoint, hostile.word(rng), hostile.secret(rng), now)


CLIENTS = {}


def sent(operation, call, region, endpoint, key_id, secret, now):
    """The request that the SDK would send."""
    if (region, endpoint) not in CLIENTS:
        client = botocore.session.Session().create_client(
            "s3",
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id="a",
            aws_secret_access_key="b",
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
        )
        client.meta.events.register("before-send.s3", keep)
        CLIENTS[region, endpoint] = client
    client = CLIENTS[region, endpoint]
    client._request_signer._credentials = Credentials(key_id, secret)
    at = datetime.datetime.fromtimestamp(now, datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: at.replace(tzinfo=None) if remove_tzinfo else at
    KEPT.clear()
    getattr(client, operation)(**call)
    [request] = KEPT
    body = request.body
    body = b"" if body is None else body if isinstance(body, bytes) else body.read()
    text = lambda value: value.decode() if isinstance(value, bytes) else str(value)
    # How the body is framed on the way is HTTP's own matter.
    # And what says something of this machine, or is another for each run, is not signed.
    omitted = ("transfer-encoding", "user-agent", "amz-sdk-invocation-id", "amz-sdk-request")
    headers = [[name, text(value)] for name, value in request.headers.items() if name.lower() not in omitted]
    line = {"method": request.method, "url": request.url, "headers": headers}
    try:
        line["body"] = body.decode()
    except UnicodeDecodeError:
        line["body_base64"] = base64.b64encode(body).decode()
    vars = {"region": region, "unsigned-chunks": "checksum"}
    return {**line, "key_id": key_id, "secret": secret, "vars": vars, "now": now}


KEPT = []


def keep(request, **_):
    KEPT.append(request)
    return AWSResponse(request.url, 200, {}, Raw())


class Raw:
    def stream(self, **_):
        yield b""

    def read(self, *_, **__):
        return b""


def fixed(scheme):
    call = {"Bucket": "a-bucket", "Key": "a b/Zoë", "Body": b"content of an object", "Metadata": {"tag": "a  b"}}
    line = sent("put_object", call, "eu-west-3", "https://s3.example.com", "AKIDEXAMPLE", SECRET, 1714566896)
    read = sent("get_object", {k: call[k] for k in ("Bucket", "Key")}, "eu-west-3", "https://s3.example.com", "AKIDEXAMPLE", SECRET, 1714566896)
    covered = ["method", "host", "path", "query", "header.authorization", "header.x-amz-date", "header.x-amz-content-sha256"]
    trailer = ["header.x-amz-decoded-content-length", "header.x-amz-trailer", "header.x-amz-meta-tag"]
    common = {"source": f"{SDK}, client.put_object over TLS", "expect": "verified", "open": ["scheme", "header.x-other", "key-id"]}
    return [
        # The checksum finds that the body was changed, unless whoever changes it writes another: it is not covered.
        {"id": "botocore-unsigned-trailer", **common, "covered": covered + trailer + ["secret"], **line},
        {"id": "botocore-get", **common, "source": f"{SDK}, client.get_object", "covered": covered + ["body", "secret"], **read},
    ]
