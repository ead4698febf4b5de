#!/bin/sh
# One line of CEF and four readers: one cuts a letter off a name, one keeps an escape, one ends the value at it.
#
# Packages: liblognorm 2.0.6 (Debian 12: liblognorm-utils 2.0.6-4, the `cef` field type of rsyslog's mmnormalize), pycef 1.11
# and cefp 0.0.2 (PyPI), nsyslog-parser 0.10.1 (npm).
#
# Expected: the extension begins right behind the seventh `|`, `\=` in it stands for `=`, and each key is a field; so all of
# them find src, msg (`a = b`), cs1Label and cs1.
#
# Seen: liblognorm skips the byte behind that `|` (its documentation shows a blank there; mended upstream after this version,
# Debian 12 has it), pycef leaves the escape as it is and names cs1 by its label, nsyslog-parser ends the value at the backslash
# and makes a field of the rest. Only cefp reads what is written. Whoever sends CEF puts a field first that can be spared (with
# a blank before it liblognorm reads it, but nsyslog-parser then finds a field without a name), and keeps `=` and `\` out of
# values where there is a choice; whoever receives it tries the reader on such a line first.
#
# Output seen:
#   liblognorm: {"cs1": "r1", "cs1Label": "Rule", "msg": "a = b", "rc": "192.0.2.1"}
#   pycef: {"Rule": "r1", "msg": "a \\= b", "src": "192.0.2.1"}
#   nsyslog-parser: {"\\": " b", "cs1": "r1", "cs1Label": "Rule", "msg": "a", "src": "192.0.2.1"}
#   cefp: {"cs1": "r1", "cs1Label": "Rule", "msg": "a = b", "src": "192.0.2.1"}
set -eu
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"
apt-get -q -o APT::Sandbox::User=root download liblognorm-utils=2.0.6-4 liblognorm5=2.0.6-4 libestr0=0.1.11-1 \
    libfastjson4=1.2304.0-1 >/dev/null
for package in *.deb; do dpkg-deb -x "$package" .; done
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check pycef==1.11 cefp==0.0.2
npm install --silent --no-fund --no-audit --ignore-scripts --prefix node --cache npm-cache nsyslog-parser@0.10.1 >/dev/null

printf '%s\n' 'CEF:0|Example|Sensor|1.0|100|a name|5|src=192.0.2.1 msg=a \= b cs1Label=Rule cs1=r1' >line
printf '%s\n' version=2 'rule=:%{"name": "cef", "type": "cef"}%' >rules
LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu) usr/bin/lognormalizer -r rules -e json <line >liblognorm
NODE_PATH=node/node_modules node -e '
    const line = require("fs").readFileSync("line", "utf8").trimEnd();
    console.log(JSON.stringify(require("nsyslog-parser")("<134>Nov 29 10:00:00 host " + line).fields));
' >nsyslog-parser
python/bin/python - >said <<'PYTHON'
import json

import cefp, pycef

def say(reader, fields):
    print(f"{reader}: {json.dumps(fields, sort_keys=True)}")

line = open("line").read().rstrip("\n")
header = ("CEFVersion", "DeviceVendor", "DeviceProduct", "DeviceVersion", "DeviceEventClassID", "DeviceName", "Name",
          "DeviceSeverity", "Severity")
say("liblognorm", json.load(open("liblognorm"))["cef"]["Extensions"])
say("pycef", {key: value for key, value in pycef.parse(line).items() if key not in header})
say("nsyslog-parser", json.load(open("nsyslog-parser")))
say("cefp", cefp.parse(line)["extension"])
PYTHON
cat said
cat >expected <<'TEXT'
liblognorm: {"cs1": "r1", "cs1Label": "Rule", "msg": "a = b", "rc": "192.0.2.1"}
pycef: {"Rule": "r1", "msg": "a \\= b", "src": "192.0.2.1"}
nsyslog-parser: {"\\": " b", "cs1": "r1", "cs1Label": "Rule", "msg": "a", "src": "192.0.2.1"}
cefp: {"cs1": "r1", "cs1Label": "Rule", "msg": "a = b", "src": "192.0.2.1"}
TEXT
cmp -s said expected || { echo "changed: see above"; exit 1; }
