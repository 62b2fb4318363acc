"""An upstream that answers 200 to what http-message-signatures verifies, and 401 to everything else."""

import base64
import hashlib
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms


class Keys(HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id):
        return {"gateway": sys.argv[1].encode()}[key_id]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        url = "http://" + self.headers["host"] + self.path
        message = SimpleNamespace(method=self.command, url=url, headers=self.headers)
        status = 401
        try:
            verifier = HTTPMessageVerifier(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=Keys())
            covered = verifier.verify(message)[0].covered_components
            if body:
                digest = "sha-256=:" + base64.b64encode(hashlib.sha256(body).digest()).decode() + ":"
                assert covered['"content-digest"'] == digest
            status = 200
        except Exception as error:
            print(repr(error), file=sys.stderr)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
