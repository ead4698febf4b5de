#!/usr/bin/python3
"""A ZeroMQ receiver made of libzmq: prints each message as a line, its frames in base64.

    zeromq.py sub|pull|curve bind|connect ENDPOINT [TOPIC...]

`curve` is a subscriber that wants encryption.
"""
import base64
import sys

import zmq

pattern, how, endpoint, *topics = sys.argv[1:]
socket = zmq.Context().socket({"sub": zmq.SUB, "pull": zmq.PULL, "curve": zmq.SUB}[pattern])
if pattern == "curve":
    socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
    socket.curve_serverkey, _ = zmq.curve_keypair()
# Asks for a sign of life, as receivers in the field do.
socket.setsockopt(zmq.HEARTBEAT_IVL, 200)
socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 20_000)
socket.setsockopt(zmq.RCVHWM, 10)
for topic in topics:
    socket.setsockopt_string(zmq.SUBSCRIBE, topic)
getattr(socket, how)(endpoint)
print("ready", flush=True)
while True:
    print(*(base64.b64encode(frame).decode() or "-" for frame in socket.recv_multipart()), flush=True)
