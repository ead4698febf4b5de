#!/bin/sh
# Sigma's `windash` in pySigma changes some dashes and not others: of a long option the second, inside a word none.
#
# Package: pysigma 2.0.1 (PyPI).
#
# Expected: the specification has `windash` make every permutation of `-`, `/` and the long dashes, so that a rule finds an
# option whichever of them a Windows program was given. A rule with `--quiet` then finds `/quiet`, or at least the forms in
# which both dashes are the same.
#
# Seen: only a dash with no letter before it and one behind it counts. `--quiet` becomes `-/quiet` and `-–quiet`, which nobody
# types, never `/quiet`; `a-b` stays as it is. Whoever writes an engine by the specification finds other events than one that
# takes its queries from pySigma.
#
# Output seen:
#   -quiet: -quiet /quiet –quiet —quiet ―quiet
#   --quiet: --quiet -/quiet -–quiet -—quiet -―quiet
#   a-b: a-b
set -eu
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check pysigma==2.0.1
PYTHONIOENCODING=utf-8 "$folder/python/bin/python" - >"$folder/said" <<'PYTHON'
from sigma.rule import SigmaRule

for option in ("-quiet", "--quiet", "a-b"):
    rule = SigmaRule.from_yaml(f"""
title: An option
logsource: {{category: process_creation}}
detection:
    selection: {{CommandLine|windash: '{option}'}}
    condition: selection
""")
    item = rule.detection.detections["selection"].detection_items[0]
    print(f"{option}:", *(str(form) for form in item.value[0].values))
PYTHON
cat "$folder/said"
cat >"$folder/expected" <<'TEXT'
-quiet: -quiet /quiet –quiet —quiet ―quiet
--quiet: --quiet -/quiet -–quiet -—quiet -―quiet
a-b: a-b
TEXT
cmp -s "$folder/said" "$folder/expected" || { echo "changed: see above"; exit 1; }
