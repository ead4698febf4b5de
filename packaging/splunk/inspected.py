#!/usr/bin/env python3
"""Ends if AppInspect's report has a finding that the page does not explain, or the page one that is not found.

    inspected.py REPORT PAGE

An explanation is a row of the page's table: | `check` | why |.
"""

import json
import re
import sys

REPORT, PAGE = sys.argv[1:]
report = json.load(open(REPORT, encoding="utf-8"))
checks = [check for one in report["reports"] for group in one["groups"] for check in group["checks"]]
found = {check["name"]: check for check in checks if check["result"] not in ("success", "not_applicable")}
explained = set(re.findall(r"^\| `(check_\w+)` \|", open(PAGE, encoding="utf-8").read(), re.M))

for name in sorted(found.keys() - explained):
    print(f"{found[name]['result']}: {name}", file=sys.stderr)
    for message in found[name]["messages"]:
        print(f"  {message['message']}", file=sys.stderr)
for name in sorted(explained - found.keys()):
    print(f"{PAGE} explains {name}, which AppInspect does not find", file=sys.stderr)
passed = sum(check["result"] == "success" for check in checks)
if passed < 50:
    print(f"AppInspect passed {passed} checks, and that is not all of them", file=sys.stderr)
print(f"AppInspect: {passed} checks passed, {len(found)} with findings: {', '.join(sorted(found)) or 'none'}")
sys.exit(found.keys() != explained or passed < 50)
