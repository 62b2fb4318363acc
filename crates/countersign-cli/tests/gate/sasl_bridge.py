"""GNU SASL's client, whose standard input and output are carried to a gate; then `hello`, and its answer printed.

`gsasl --client` asks for what the server says, and prints what is to be said, each as base64. Where it asks for channel
bindings there are none.
"""

import re
import socket
import subprocess
import sys

address, mechanism, user, password = sys.argv[1:]
host, port = address.rsplit(":", 1)
program = subprocess.Popen(
    ["stdbuf", "-o0", "gsasl", "--client", "--mechanism", mechanism, "-a", user, "-p", password, "--no-cb"],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    stderr=subprocess.DEVNULL,
)


def next_message():
    """The next line that ends in base64: what comes before a colon is gsasl's talk."""
    while True:
        line = program.stdout.readline()
        if not line:
            return None
        text = line.rstrip(b"\n").split(b": ")[-1]
        if re.fullmatch(rb"[A-Za-z0-9+/]+=*", text) and text.decode() != mechanism:
            return text


def tell(line):
    program.stdin.write(line.rstrip(b"\n") + b"\n")
    program.stdin.flush()


with socket.create_connection((host, int(port))) as stream, stream.makefile("rwb") as lines:
    if mechanism == "CRAM-MD5":
        tell(lines.readline())
        lines.write(next_message() + b"\n")
        lines.flush()
    else:
        for _ in range(2):
            lines.write(next_message() + b"\n")
            lines.flush()
            tell(lines.readline())
    try:
        # It asks once more, and there is nothing.
        tell(b"")
        program.stdin.close()
    except BrokenPipeError:
        pass  # It has had enough of the server already.
    program.stdout.read()
    trusted = program.wait() == 0
    if not trusted:
        sys.exit(1)
    lines.write(b"hello")
    lines.flush()
    stream.shutdown(socket.SHUT_WR)
    answer = lines.read().decode()
    print(answer)
    sys.exit(0 if answer else 1)
