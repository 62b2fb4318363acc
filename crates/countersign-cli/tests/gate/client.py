"""A Client of multiprocessing.connection: sends two objects and prints what comes back.

Behind the gate is a plain stream: what the Listener's own frames are is its and the client's matter.
"""

import sys
from multiprocessing.connection import AuthenticationError, Client

host, port = sys.argv[1].rsplit(":", 1)
try:
    with Client((host, int(port)), authkey=sys.argv[2].encode()) as connection:
        answers = []
        for thing in ("hello", {"n": 1}):
            connection.send(thing)
            answers.append(connection.recv())
        print(answers)
except (AuthenticationError, EOFError, OSError) as error:
    print(type(error).__name__)
    sys.exit(1)
