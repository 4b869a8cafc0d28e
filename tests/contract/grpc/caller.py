"""A gRPC caller in Python: each kind of call through the mount, whose prefix is a part of the path.

    python3 caller.py 127.0.0.1:PORT
"""

import queue
import sys

import grpc

MOUNT = "/p/c"


class Mount(grpc.UnaryUnaryClientInterceptor):
    """Adds the mount to the paths of a generated stub, which are fixed."""

    def intercept_unary_unary(self, call, details, request):
        class Mounted(grpc.ClientCallDetails):
            method = MOUNT + details.method
            timeout = details.timeout
            metadata = details.metadata
            credentials = details.credentials
            wait_for_ready = details.wait_for_ready
            compression = details.compression

        return call(Mounted(), request)


def refused(call, *codes):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() in codes, error
        return error
    raise AssertionError(f"none of {codes} came")


def assert_failure(error):
    assert error.details() == "50 % caf\u00e9\n", error
    trailers = dict(error.trailing_metadata())
    assert trailers["x-why"] == "because", trailers
    assert trailers["x-why-bin"] == bytes([0, 255, 10, 13]), trailers


def main(address):
    channel = grpc.insecure_channel(address)
    method = MOUNT + "/test.Echo/"

    unary = channel.unary_unary(method + "Unary")
    answer, call = unary.with_call(b"hello", timeout=10)
    assert answer == b"hello"
    assert dict(call.initial_metadata())["x-token"] == "Bearer s3cr3t"
    assert_failure(refused(lambda: unary(b"fail", timeout=10), grpc.StatusCode.ABORTED))

    # A generated stub uses the path of the service.
    stub = grpc.intercept_channel(channel, Mount()).unary_unary("/test.Echo/Unary")
    assert stub(b"stub", timeout=10) == b"stub"

    repeat = channel.unary_stream(method + "Repeat")
    assert list(repeat(b"x", timeout=10)) == [b"x"] * 100
    assert_failure(refused(lambda: list(repeat(b"fail", timeout=10)), grpc.StatusCode.ABORTED))

    join = channel.stream_unary(method + "Join")
    assert join(iter([b"a", b"b", b"c"]), timeout=10) == b"abc"

    in_step(channel.stream_stream(method + "Reply"))

    never = channel.unary_unary(method + "Never")
    # tonic's server applies the deadline too, with another code: either side may end first.
    deadline = (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)
    refused(lambda: never(b"", timeout=0.2), *deadline)

    unknown = channel.unary_unary("/p/nobody/test.Echo/Unary")
    error = refused(lambda: unknown(b"", timeout=10), grpc.StatusCode.NOT_FOUND)
    assert dict(error.trailing_metadata())["passthrough-error"] == "unknown-connection"


def in_step(reply):
    """Sends a thousand messages, each after the answer to the message before."""
    sent = queue.SimpleQueue()
    answers = reply(iter(sent.get, None), timeout=60)
    assert next(answers) == b"first"
    for number in range(1000):
        message = str(number).encode()
        sent.put(message)
        assert next(answers) == message
    sent.put(None)
    assert list(answers) == [b"after", b"all"]


if __name__ == "__main__":
    main(sys.argv[1])
    print("ok")
