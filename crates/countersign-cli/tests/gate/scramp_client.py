"""scramp's client, in lines of base64; then `hello` to the service, and its answer printed."""

import base64
import socket
import sys

from scramp import ScramClient, ScramException

host, port = sys.argv[1].rsplit(":", 1)
with socket.create_connection((host, int(port))) as stream, stream.makefile("rwb") as lines:

    def say(message):
        lines.write(base64.b64encode(message.encode()) + b"\n")
        lines.flush()

    def hear():
        return base64.b64decode(lines.readline().rstrip(b"\n"), validate=True).decode()

    client = ScramClient(["SCRAM-SHA-256"], sys.argv[2], sys.argv[3])
    try:
        say(client.get_client_first())
        client.set_server_first(hear())
        say(client.get_client_final())
        client.set_server_final(hear())
    except ScramException as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    lines.write(b"hello")
    lines.flush()
    stream.shutdown(socket.SHUT_WR)
    print(lines.read().decode())
