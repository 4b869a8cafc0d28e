import grpc

METADATA = [("authorization", f"Bearer {KEY}")]


def channel(id):
    options = [("grpc.default_authority", f"{id}.gw.test:{PORT}"), ("grpc.enable_http_proxy", 0)]
    return grpc.insecure_channel(f"127.0.0.1:{PORT}", options=options)


def one(id):
    with channel(id) as opened:
        return opened.unary_unary("/test.Echo/One")(b"hello", metadata=METADATA, timeout=60).decode()


def many(id):
    with channel(id) as opened:
        messages = opened.stream_stream("/test.Echo/Many")(iter([b"a", b"b", b"c"]), metadata=METADATA, timeout=60)
        return [message.decode() for message in messages]


report(result={"one": one("c"), "many": many("c")}, unknown=shown(one, "nobody"), broken=shown(one, "broken"))
