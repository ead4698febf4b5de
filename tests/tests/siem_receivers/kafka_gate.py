"""What stands before brokers that speak plainly and let everybody in: TLS with client certificates, and SASL.

librdkafka's own brokers, which tests run, have neither. For each of them there is a gate at the same port of 127.0.0.2; the
addresses that brokers name, 127.0.0.1, are replaced in what they reply, which keeps its length.
"""
import base64
import hashlib
import hmac
import os
import socket
import ssl
import struct
import threading

API_VERSIONS, HANDSHAKE, AUTHENTICATE = 18, 17, 36
UNSUPPORTED_MECHANISM, ILLEGAL_STATE, UNSUPPORTED_VERSION, AUTHENTICATION_FAILED = 33, 34, 35, 58
HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
MECHANISMS = ["PLAIN", *HASHES]


class Refused(Exception):
    pass


def plain(user, password):
    """PLAIN (RFC 4616)."""
    sent = yield b""
    if sent != b"\0" + user.encode() + b"\0" + password.encode():
        raise Refused
    yield b""


def scram(user, password, name):
    """SCRAM (RFC 5802), the server's side."""
    def keyed(key, text):
        return hmac.new(key, text, name).digest()

    first = yield b""
    bare = first.removeprefix(b"n,,")
    fields = dict(field.split(b"=", 1) for field in bare.split(b","))
    nonce, salt = fields[b"r"] + base64.b64encode(os.urandom(9)), os.urandom(16)
    challenge = b"r=%s,s=%s,i=4096" % (nonce, base64.b64encode(salt))
    final = yield challenge
    without, proof = final.rsplit(b",p=", 1)
    salted = hashlib.pbkdf2_hmac(name, password.encode(), salt, 4096)
    signed = b",".join([bare, challenge, without])
    client = keyed(salted, b"Client Key")
    wanted = bytes(a ^ b for a, b in zip(client, keyed(hashlib.new(name, client).digest(), signed)))
    if fields[b"n"] != user.encode() or without != b"c=biws,r=" + nonce or base64.b64decode(proof) != wanted:
        raise Refused
    yield b"v=" + base64.b64encode(keyed(keyed(salted, b"Server Key"), signed))


def frame(stream):
    """The next message; none at the end."""
    head = stream.read(4)
    return stream.read(struct.unpack(">i", head)[0]) if len(head) == 4 else None


def send(stream, content):
    stream.write(struct.pack(">i", len(content)) + content)
    stream.flush()


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def serve(client, broker, user, password):
    """Answers what is about letting in, and hands on the rest once it is."""
    is_in, exchange = False, None
    while (request := frame(client)) is not None:
        key, version, correlation, length = struct.unpack(">hhih", request[:10])
        body = request[10 + max(length, 0):]
        reply = struct.pack(">i", correlation)
        if key == API_VERSIONS:
            if version > 0:
                send(client, reply + struct.pack(">hi", UNSUPPORTED_VERSION, 0))
                continue
            send(broker, request)
            told = frame(broker)
            error, count = struct.unpack(">hi", told[4:10])
            more = struct.pack(">hhhhhh", HANDSHAKE, 1, 1, AUTHENTICATE, 0, 1)
            send(client, reply + struct.pack(">hi", error, count + 2) + told[10:] + more)
        elif key == HANDSHAKE:
            mechanism = body[2:].decode()
            error = 0 if mechanism in MECHANISMS else UNSUPPORTED_MECHANISM
            if mechanism in HASHES:
                exchange = scram(user, password, HASHES[mechanism])
            elif not error:
                exchange = plain(user, password)
            if exchange:
                next(exchange)
            names = b"".join(text(name) for name in MECHANISMS)
            send(client, reply + struct.pack(">hi", error, len(MECHANISMS)) + names)
        elif key == AUTHENTICATE and exchange:
            tail = struct.pack(">q", 0) if version else b""
            try:
                said = exchange.send(body[4:])
            except (Refused, KeyError, ValueError):
                send(client, reply + struct.pack(">h", AUTHENTICATION_FAILED) + text("no") + struct.pack(">i", 0) + tail)
                return
            is_in = not said or said.startswith(b"v=")
            send(client, reply + struct.pack(">hhi", 0, -1, len(said)) + said + tail)
        elif is_in:
            send(broker, request)
            send(client, frame(broker).replace(b"127.0.0.1", b"127.0.0.2"))
        else:
            return


def connection(client, port, context, user, password):
    try:
        with context.wrap_socket(client, server_side=True) as client, socket.create_connection(("127.0.0.1", port)) as broker:
            serve(client.makefile("rwb"), broker.makefile("rwb"), user, password)
    except OSError:
        pass


def gates(ports, folder, user, password):
    """Opens one before each broker, with the certificate there; who comes needs one of the same authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=f"{folder}/ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")

    def accept(listener, port):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=connection, args=(client, port, context, user, password), daemon=True).start()

    for port in ports:
        listener = socket.create_server(("127.0.0.2", port))
        threading.Thread(target=accept, args=(listener, port), daemon=True).start()
