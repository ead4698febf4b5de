#!/bin/sh
# rsyslog 8.2302.0 (Debian 12): a message that comes with its length (RFC 6587, octet counting) and is longer than
# maxMessageSize becomes several messages.
#
# The length before each message says where it ends, so one would expect a receiver to cut what is too long and to go on
# behind it. rsyslog's log says "truncating", but it takes the rest for further messages: 20,000 bytes become three, the
# second and third without a header, of which it makes up host and program. The bound by default (8k) is 8096 bytes.
#
# Output seen:
#   app     8046 bytes, begins {xxxx
#   xxxx…   7586 bytes, begins xxxxx
#   xxxx…   3346 bytes, begins xxxxx
#   app     8 bytes, begins {behi
#
# Exit code 1 if it is otherwise.
set -eu
VERSION=8.2302.0-1+deb12u2
place=$(mktemp -d)
trap '{ kill "$pid" && wait "$pid"; } 2>/dev/null || :; rm -rf "$place"' EXIT
pid=
cd "$place"
apt-get -q -o APT::Sandbox::User=root download "rsyslog=$VERSION" libestr0=0.1.11-1 libfastjson4=1.2304.0-1 >/dev/null
for package in *.deb; do dpkg-deb -x "$package" .; done
cat >rsyslog.conf <<C
global(workDirectory="$place")
module(load="imtcp")
input(type="imtcp" port="0" address="127.0.0.1" listenPortFileName="$place/port")
template(name="line" type="string" string="%programname%|%msg:::drop-last-lf%\n")
action(type="omfile" file="$place/got" template="line")
C
LD_LIBRARY_PATH=$(echo "$place"/usr/lib/*-linux-gnu) "$place/usr/sbin/rsyslogd" -n -i "$place/pid" -f "$place/rsyslog.conf" \
    -M "$(echo "$place"/usr/lib/*-linux-gnu/rsyslog)" 2>/dev/null &
pid=$!
python3 - "$place" <<'P'
import os, socket, sys, time

place = sys.argv[1]
until = time.monotonic() + 60

def lines(name, is_whole):
    while time.monotonic() < until:
        seen = open(f"{place}/{name}").read().splitlines() if os.path.exists(f"{place}/{name}") else []
        if seen and is_whole(seen[-1]):
            return seen
        time.sleep(0.1)
    sys.exit(f"changed: no {name} within a minute")

stream = socket.create_connection(("127.0.0.1", int(lines("port", bool)[0])))
for body in [b"{" + b"x" * 19_998 + b"}", b"{behind}"]:
    message = b"<134>1 2026-11-29T09:15:38.123456Z host app 1 - - " + body
    stream.sendall(b"%d " % len(message) + message)
seen = [line.split("|", 1) for line in lines("got", lambda line: "{behind}" in line)]
for program, text in seen:
    shown = program if len(program) < 8 else program[:4] + "…"
    print(f"{shown:7} {len(text)} bytes, begins {text[:5]}")
if len(seen) != 4:
    sys.exit(f"changed: {len(seen)} messages of the two that were sent")
P
