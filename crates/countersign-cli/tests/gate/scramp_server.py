"""scramp's server, in lines of base64, for one client; then `let in`."""

import base64
import socket
import sys

from scramp import ScramException, ScramMechanism

mechanism = ScramMechanism("SCRAM-SHA-256")
salt, stored_key, server_key, iterations = mechanism.make_auth_info(sys.argv[2])
with socket.create_server(("127.0.0.1", 0)) as listener:
    print("%s:%d" % listener.getsockname(), flush=True)
    stream, _ = listener.accept()
    with stream, stream.makefile("rwb") as lines:

        def say(message):
            lines.write(base64.b64encode(message.encode()) + b"\n")
            lines.flush()

        def hear():
            return base64.b64decode(lines.readline().rstrip(b"\n"), validate=True).decode()

        def known(user):
            if user != sys.argv[1]:
                raise ScramException("unknown-user")
            return salt, stored_key, server_key, iterations

        server = mechanism.make_server(known)
        try:
            server.set_client_first(hear())
            say(server.get_server_first())
            server.set_client_final(hear())
        except ScramException:
            say(server.get_server_final())
            sys.exit(1)
        say(server.get_server_final())
        lines.write(b"let in\n")
        lines.flush()
