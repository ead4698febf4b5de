#!/usr/bin/python3
"""A ZeroMQ receiver on the C interface of libzmq: prints each message as a line, its frames in base64.

    libzmq.py sub|pull bind|connect ENDPOINT [TOPIC...]
"""
import base64
import ctypes
import sys

zmq = ctypes.CDLL("libzmq.so.5", use_errno=True)
for name in ("zmq_ctx_new", "zmq_socket", "zmq_msg_data"):
    getattr(zmq, name).restype = ctypes.c_void_p
zmq.zmq_msg_size.restype = ctypes.c_size_t
zmq.zmq_strerror.restype = ctypes.c_char_p
# Of zmq.h.
PULL, SUB, SUBSCRIBE = 7, 2, 6


def must(result):
    if result == -1 or result is None:
        sys.exit(zmq.zmq_strerror(zmq.zmq_errno()).decode())
    return result


pattern, how, endpoint, *topics = sys.argv[1:]
context = ctypes.c_void_p(must(zmq.zmq_ctx_new()))
socket = ctypes.c_void_p(must(zmq.zmq_socket(context, {"sub": SUB, "pull": PULL}[pattern])))
for topic in topics:
    wanted = topic.encode()
    must(zmq.zmq_setsockopt(socket, SUBSCRIBE, wanted, ctypes.c_size_t(len(wanted))))
must(getattr(zmq, "zmq_" + how)(socket, endpoint.encode()))
print("ready", flush=True)
# A zmq_msg_t is 64 bytes, aligned as a pointer is.
message = (ctypes.c_uint64 * 8)()
while True:
    frames, more = [], 1
    while more:
        must(zmq.zmq_msg_init(message))
        must(zmq.zmq_msg_recv(message, socket, 0))
        frames.append(ctypes.string_at(zmq.zmq_msg_data(message), zmq.zmq_msg_size(message)))
        more = zmq.zmq_msg_more(message)
        must(zmq.zmq_msg_close(message))
    print(*(base64.b64encode(frame).decode() or "-" for frame in frames), flush=True)
