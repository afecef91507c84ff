"""python3-grpcio against RpcTestService, with messages written by hand: usage: grpcio_client.py HOST:PORT"""
import sys
import time

import grpc

SERVICE = "/vibe.rpctest.v1.RpcTestService/"
passed = failed = 0


def check(name, body):
    global passed, failed
    try:
        body()
        passed += 1
    except Exception as error:  # every failure counts, whatever its kind
        failed += 1
        print(f"FAILED  python grpcio: {name}\n        {error!r}", file=sys.stderr)


def same(actual, expected):
    assert actual == expected, f"{actual!r} is not {expected!r}"


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def text(field, value):
    data = value.encode()
    return varint(field << 3 | 2) + varint(len(data)) + data


def number(field, value):
    return varint(field << 3) + varint(value)


def message(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def raises(call):
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call should have failed")


def run(channel, name):
    echo = channel.unary_unary(SERVICE + "Echo")
    fail = channel.unary_unary(SERVICE + "Fail")
    wait = channel.unary_unary(SERVICE + "Wait")
    expand = channel.unary_stream(SERVICE + "Expand")
    collect = channel.stream_unary(SERVICE + "Collect")
    chat = channel.stream_stream(SERVICE + "Chat")

    check(f"{name}: unary", lambda: same(echo(text(2, "grüße")), text(2, "grüße")))
    check(f"{name}: empty", lambda: same(echo(b""), b""))
    check(f"{name}: large answer", lambda: same(len(echo(number(4, 3_000_000))) > 3_000_000, True))
    check(f"{name}: request over the limit", lambda: same(
        raises(lambda: echo(text(2, "x" * 5_000_000))).code(), grpc.StatusCode.RESOURCE_EXHAUSTED))
    check(f"{name}: broken protobuf", lambda: same(
        raises(lambda: echo(b"\x12\xff\xff\xff\xff\x0f")).code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT), True))
    for status in list(grpc.StatusCode)[1:]:
        def body(status=status):
            error = raises(lambda: fail(number(1, status.value[0]) + text(2, "100% grüße") + text(3, "TOLD")))
            same((error.code(), error.details()), (status, "100% grüße"))
            same(len([v for k, v in error.trailing_metadata() if k == "grpc-status-details-bin"]), 1)
        check(f"{name}: {status.name}", body)

    check(f"{name}: server stream", lambda: same(
        list(expand(number(1, 100))), [b""] + [number(1, i) for i in range(1, 100)]))

    def failing_stream():
        got = []
        error = raises(lambda: got.extend(iter(expand(number(1, 3) + message(3, number(1, 9) + text(2, "enough"))))))
        same((error.code(), error.details()), (grpc.StatusCode.FAILED_PRECONDITION, "enough"))
    check(f"{name}: failing stream", failing_stream)
    check(f"{name}: client stream", lambda: same(
        collect(iter([number(1, i) for i in range(1, 101)])), number(1, 5050) + number(2, 100)))
    check(f"{name}: conversation", lambda: same(
        list(chat(iter([text(1, w) for w in ("one", "two")]))), [text(1, "one"), text(1, "two")]))
    check(f"{name}: deadline", lambda: same(
        raises(lambda: wait(message(1, number(1, 20)), timeout=0.2)).code(), grpc.StatusCode.DEADLINE_EXCEEDED))

    def cancelling():
        before = wait(b"")
        call = wait.future(message(1, number(1, 20)))
        time.sleep(0.1)
        call.cancel()
        until = time.monotonic() + 10
        while wait(b"") == before:
            assert time.monotonic() < until, "the server did not notice"
    check(f"{name}: cancelling", cancelling)

    def metadata():
        answer, call = channel.unary_unary(SERVICE + "Headers").with_call(
            message(2, text(1, "x-tail-bin") + text(2, "AP+A")), metadata=[("x-text", "some text"), ("x-bytes-bin", b"\x00\xff")])
        same(dict(call.trailing_metadata())["x-tail-bin"], b"\x00\xff\x80")
        same(b"some text" in answer and b"AP8=" in answer, True)
    check(f"{name}: metadata", metadata)
    check(f"{name}: unknown method", lambda: same(
        raises(lambda: channel.unary_unary(SERVICE + "Nothing")(b"")).code(), grpc.StatusCode.UNIMPLEMENTED))


target = sys.argv[1]
for title, compression in (("identity", grpc.Compression.NoCompression), ("gzip", grpc.Compression.Gzip)):
    with grpc.insecure_channel(target, compression=compression, options=[("grpc.max_receive_message_length", -1)]) as connection:
        run(connection, title)
with grpc.insecure_channel(target, compression=grpc.Compression.Deflate) as connection:
    check("deflate is refused", lambda: same(
        raises(lambda: connection.unary_unary(SERVICE + "Echo")(text(2, "x" * 100))).code(), grpc.StatusCode.UNIMPLEMENTED))
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
