import json
import os
import socket

NAMES = ("BASE", "KEY", "ORIGIN", "PORT", "UNKNOWN", "BROKEN")
BASE, KEY, ORIGIN, PORT, UNKNOWN, BROKEN = (os.environ[name] for name in NAMES)


def shown(call, *arguments, **options):
    """Returns the text of the error that the call raises."""
    try:
        value = call(*arguments, **options)
    except Exception as error:
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        return f"{type(error).__name__}: {error}"
    raise SystemExit(f"no error, but {value!r}")


def report(**said):
    print(json.dumps(said))


def resolve_names():
    """Lets all names lead to this machine, as an entry with `*` in DNS does for the names of a gateway."""
    known = socket.getaddrinfo
    socket.getaddrinfo = lambda name, *rest, **options: known("127.0.0.1", *rest, **options)
