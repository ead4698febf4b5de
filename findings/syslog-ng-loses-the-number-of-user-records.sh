#!/bin/sh
# syslog-ng 3.38.1 (Debian 12): linux-audit-parser() loses time and serial number of the records that user space sends.
#
# Each audit record begins with `msg=audit(TIME:SERIAL):`, which says what event it is part of. Those of user space (logins,
# PAM, sudo: USER_LOGIN, USER_AUTH, USER_CMD, ...) have a second key of the same name, for the message itself. One would expect
# the parser to keep both, as it is made for these records. The second takes the place of the first, so that just the records
# of logins belong to no event any more, and what the message holds (acct, addr, res) stays one text. Whoever joins records by
# the event's number takes it from the raw text before this parser, and parses msg a second time.
#
# Output seen:
#   {"type":"SYSCALL","msg":"audit(1700000000.123:41):"}
#   {"type":"USER_LOGIN","msg":"op=login acct=\"root\" addr=192.0.2.1 res=failed"}
set -eu
VERSION=3.38.1-5+deb12u1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q -o APT::Sandbox::User=root download "syslog-ng-core=$VERSION" libivykis0=0.42.4-1 libjson-c5=0.16-2 \
    libnet1=1.1.6+dfsg-3.2 libwrap0=7.6.q-32 libpcre3=2:8.39-15 >/dev/null
for package in *.deb; do dpkg-deb -x "$package" .; done
cat >syslog-ng.conf <<C
@version: 3.38
@module kvformat
@module json-plugin
@module syslogformat
@module affile
source records { stdin(flags(no-parse)); };
parser audit { linux-audit-parser(prefix(".audit.")); };
destination got { file("$place/got" template("\$(format-json --key .audit.* --shift-levels 2)\n")); };
log { source(records); parser(audit); destination(got); };
C
LD_LIBRARY_PATH="$place/usr/lib/syslog-ng:$(echo "$place"/usr/lib/*-linux-gnu):$(echo "$place"/lib/*-linux-gnu)" \
    timeout 60 usr/sbin/syslog-ng -F --no-caps -f syslog-ng.conf --module-path="$place/usr/lib/syslog-ng/3.38" \
    -R "$place/persist" -p "$place/pid" -c "$place/control" 2>errors <<'R' || { cat errors; exit 1; }
type=SYSCALL msg=audit(1700000000.123:41):
type=USER_LOGIN msg=audit(1700000000.123:42): msg='op=login acct="root" addr=192.0.2.1 res=failed'
R
cat got
cat >expected <<'TEXT'
{"type":"SYSCALL","msg":"audit(1700000000.123:41):"}
{"type":"USER_LOGIN","msg":"op=login acct=\"root\" addr=192.0.2.1 res=failed"}
TEXT
cmp -s got expected || { echo "changed: see above"; exit 1; }
