#!/bin/sh
# syslog-ng 3.38.1 (Debian 12): linux-audit-parser() turns the arguments of a system call into text where the bytes allow it.
#
# In a SYSCALL record a0 to a3 are numbers in hex, in an EXECVE record a0, a1, ... are arguments, in quotes or as the hex of
# their bytes. One would expect a parser of audit records to tell them apart by the record's type. Its guide says that
# a<number> fields are decoded, and so they are in both, by the look of the value: an even count of digits, valid UTF-8, and a
# byte among them that the kernel would have encoded. So reading 2048 bytes has the size `800`, reading 4096 (`1000`) has a
# control character and a tab, reading 32 (`20`) a blank. Whoever searches the arguments of system calls takes them from the
# raw record, or finds some sizes, flags and addresses and not others.
#
# Output seen:
#   read of 2048 bytes: "a2":"800"
#   read of 4096 bytes: "a2":"\u0010\t"
#   read of 32 bytes: "a2":" "
#   read of 65 bytes: "a2":"41"
#   an argument of execve: "a2":"a b"
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
destination got { file("$place/got" template("\$(format-json --key .audit.a2 --shift-levels 2)\n")); };
log { source(records); parser(audit); destination(got); };
C
call='arch=c000003e syscall=0 success=yes exit=1 a0=3 a1=7ffd5a3b2c10'
LD_LIBRARY_PATH="$place/usr/lib/syslog-ng:$(echo "$place"/usr/lib/*-linux-gnu):$(echo "$place"/lib/*-linux-gnu)" \
    timeout 60 usr/sbin/syslog-ng -F --no-caps -f syslog-ng.conf --module-path="$place/usr/lib/syslog-ng/3.38" \
    -R "$place/persist" -p "$place/pid" -c "$place/control" 2>errors <<R || { cat errors; exit 1; }
type=SYSCALL msg=audit(1700000000.123:1): $call a2=800 a3=0 pid=2 comm="x"
type=SYSCALL msg=audit(1700000000.123:2): $call a2=1000 a3=0 pid=2 comm="x"
type=SYSCALL msg=audit(1700000000.123:3): $call a2=20 a3=0 pid=2 comm="x"
type=SYSCALL msg=audit(1700000000.123:4): $call a2=41 a3=0 pid=2 comm="x"
type=EXECVE msg=audit(1700000000.123:5): argc=3 a0="x" a1="-c" a2=612062
R
printf '%s\n' 'read of 2048 bytes' 'read of 4096 bytes' 'read of 32 bytes' 'read of 65 bytes' 'an argument of execve' |
    paste -d'~' - got | sed 's/~{/: /; s/}$//' >said
cat said
cat >expected <<'TEXT'
read of 2048 bytes: "a2":"800"
read of 4096 bytes: "a2":"\u0010\t"
read of 32 bytes: "a2":" "
read of 65 bytes: "a2":"41"
an argument of execve: "a2":"a b"
TEXT
cmp -s said expected || { echo "changed: see above"; exit 1; }
