#!/bin/sh
# rsyslog 8.2302.0 with libfastjson 1.2304.0 (Debian 12): a number of 2^63 or more in a JSON message becomes 2^63 - 1.
#
# JSON names no largest number, and mmjsonparse hands on others to the letter, as `1.10` and `1e3`. One would expect a uint64
# (an id, a mask, the all ones that say "none") to pass too, or an error. It is taken for an int64 and set to the largest one,
# without a message, so that different ids are one and the same from there on, in templates as in the JSON that goes out
# again. Whoever sends events through a relay that parses them writes such values as text, as the last one below; a relay that
# only hands on %msg% does not touch them.
#
# Output seen:
#   { "id": 9223372036854775807, "other": 1.10, "more": 1e3 } id=9223372036854775807
#   { "id": 9223372036854775807 } id=9223372036854775807
#   { "id": 9223372036854775807 } id=9223372036854775807
#   { "id": "18446744073709551615" } id=18446744073709551615
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
module(load="mmjsonparse")
input(type="imtcp" port="0" address="127.0.0.1" listenPortFileName="$place/port")
template(name="line" type="string" string="%\$!% id=%\$!id%\n")
action(type="mmjsonparse" cookie="")
action(type="omfile" file="$place/got" template="line")
C
LD_LIBRARY_PATH=$(echo "$place"/usr/lib/*-linux-gnu) "$place/usr/sbin/rsyslogd" -n -i "$place/pid" -f "$place/rsyslog.conf" \
    -M "$(echo "$place"/usr/lib/*-linux-gnu/rsyslog)" 2>/dev/null &
pid=$!
python3 - "$place" <<'P'
import os, socket, sys, time

place = sys.argv[1]
until = time.monotonic() + 60

def lines(name, wanted):
    while time.monotonic() < until:
        seen = open(f"{place}/{name}").read().splitlines() if os.path.exists(f"{place}/{name}") else []
        if len(seen) >= wanted and seen[-1]:
            return seen
        time.sleep(0.1)
    sys.exit(f"changed: no {name} within a minute")

messages = [
    b'{"id":18446744073709551615,"other":1.10,"more":1e3}',
    b'{"id":9223372036854775808}',
    b'{"id":9223372036854775807}',
    b'{"id":"18446744073709551615"}',
]
with socket.create_connection(("127.0.0.1", int(lines("port", 1)[0]))) as stream:
    for body in messages:
        message = b"<134>1 2026-11-29T09:15:38.123456Z host app 1 - - " + body
        stream.sendall(b"%d " % len(message) + message)
print("\n".join(lines("got", len(messages))))
P
cat >expected <<'TEXT'
{ "id": 9223372036854775807, "other": 1.10, "more": 1e3 } id=9223372036854775807
{ "id": 9223372036854775807 } id=9223372036854775807
{ "id": 9223372036854775807 } id=9223372036854775807
{ "id": "18446744073709551615" } id=18446744073709551615
TEXT
cmp -s got expected || { echo "changed: see above"; exit 1; }
