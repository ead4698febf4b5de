#!/bin/sh
# MITRE's own library for layers of the ATT&CK Navigator cuts scores to whole numbers and does not say so.
#
# Package: mitreattack-python 6.3.1 (PyPI), `mitreattack.navlayers`.
#
# Expected: `score` is a Number in the layer format (4.5), so that a layer that is read and written again keeps its scores, and
# the mean of 1 and 2, which the library's documentation shows how to ask LayerOps for, is 1.5.
#
# Seen: int() of each score when it is set. A coverage given as a share becomes 0 everywhere but where it is whole, and the
# mean of two layers is rounded down. Whoever makes coverage layers gives the scores in whole per cent.
#
# Output seen:
#   read and given back: [0, 0, 1]
#   mean of 1 and 2: [1]
set -eu
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check mitreattack-python==6.3.1
cd "$folder"
python/bin/python - >said <<'PYTHON'
import json

from mitreattack.navlayers import Layer, LayerOps

def layer(*scores):
    return {
        "name": "coverage", "versions": {"attack": "17", "navigator": "5.1.0", "layer": "4.5"}, "domain": "enterprise-attack",
        "gradient": {"colors": ["#ffffff", "#00ff00"], "minValue": 0, "maxValue": 1},
        "techniques": [{"techniqueID": f"T105{n}", "score": score} for n, score in enumerate(scores)],
    }

def scores(layer):
    return [technique["score"] for technique in layer.to_dict()["techniques"]]

json.dump(layer(0.25, 0.9, 1), open("read.json", "w"))
coverage = Layer()
coverage.from_file("read.json")
print("read and given back:", scores(coverage))
mean = LayerOps(score=lambda of: sum(of) / len(of))
print("mean of 1 and 2:", scores(mean.process([Layer(init_data=layer(1)), Layer(init_data=layer(2))])))
PYTHON
cat said
cat >expected <<'TEXT'
read and given back: [0, 0, 1]
mean of 1 and 2: [1]
TEXT
cmp -s said expected || { echo "changed: see above"; exit 1; }
