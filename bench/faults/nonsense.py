#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nonsense.py PORT SEED: sends a supervisor on this host what is no message: bytes that are no ZeroMQ, then ZeroMQ
messages that are cut off, spoilt, of another version, or announce more than they bring."""

import random
import socket
import sys

# As ZeroMQ greets: signature, version 3.0, mechanism NULL, then what this end is.
GREETING = b"\xff" + bytes(7) + b"\x01\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\x00") + bytes(32)
READY = b"\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x00"


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, data):
    """Of a protobuf message: bytes, or a number."""
    if isinstance(data, int):
        return varint(number << 3) + varint(data)
    return varint(number << 3 | 2) + varint(len(data)) + data


def frame(data, more=False):
    return bytes([(1 if more else 0) | 2]) + len(data).to_bytes(8, "big") + data


def submit(shape, name=b"x"):
    tensor = field(1, name) + field(2, 0) + b"".join(field(3, size) for size in shape)
    return field(1, 1) + field(4, field(1, b"0123456789abcdef") + field(2, 1) + field(4, tensor))


def peer(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=5)
    connection.sendall(GREETING)
    received = b""
    while len(received) < 64:
        received += connection.recv(64 - len(received))
    connection.sendall(bytes([4, len(READY)]) + READY)
    return connection


def main():
    port, chance = int(sys.argv[1]), random.Random(int(sys.argv[2]))
    bodies = [submit([1 << 40, 1 << 40]), submit([1, 3, 64, 64]), submit([1], b"x" * 5000), field(1, 99), b"",
              field(1, 1) + field(21, field(1, 1)), field(1, 1) + field(12, b""), field(1, 1) + field(24, b"")]
    for body in bodies:
        spoilt = bytearray(body)
        for _ in range(chance.randrange(4)):
            if spoilt:
                spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        with peer(port) as connection:
            connection.sendall(frame(bytes(spoilt), True) + frame(chance.randbytes(chance.randrange(3000))))
            connection.sendall(frame(bytes(spoilt[:chance.randrange(len(spoilt) + 1)])))
            # A length beyond all limits, and an end in the middle.
            connection.sendall(b"\x02" + (1 << 60).to_bytes(8, "big") + b"abc")
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            try:
                connection.sendall(chance.randbytes(2000))
            except OSError:
                pass


main()
