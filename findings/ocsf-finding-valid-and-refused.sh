#!/bin/sh
# A Detection Finding that is valid by the published schema of OCSF is refused by the reader of that schema for Python.
#
# Packages: ocsf-json-schema 1.2.0 (PyPI, the schema of OCSF 1.5.0), py-ocsf-models 0.10.0 (PyPI, the models of Prowler).
#
# Expected: `metadata.product` and `finding_info.analytic` need one of `name` and `uid` (`at_least_one` in the schema), a
# `technique` of MITRE ATT&CK likewise; so an event without a vendor's name and without further ids is valid, and whoever
# reads findings by these models takes it.
#
# Seen: the models demand `metadata.product.vendor_name`, `finding_info.analytic.uid` and `technique.uid`. Whoever writes for
# both sets them all, and leaves out a technique that has no id.
#
# Output seen:
#   by the schema: 0 errors
#   by the models: finding_info.analytic.uid: Field required
#   by the models: finding_info.attacks.0.technique.uid: Field required
#   by the models: metadata.product.vendor_name: Field required
set -eu
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check ocsf-json-schema==1.2.0 jsonschema==4.26.0 py-ocsf-models==0.10.0
"$folder/python/bin/python" - >"$folder/said" <<'PYTHON'
import jsonschema
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from py_ocsf_models.events.findings.detection_finding import DetectionFinding
from pydantic import ValidationError

finding = {
    "category_uid": 2, "class_uid": 2004, "activity_id": 1, "type_uid": 200401, "severity_id": 3, "time": 1700000000000,
    "metadata": {"version": "1.5.0", "product": {"name": "sensor"}},
    "finding_info": {
        "uid": "1", "title": "A finding", "analytic": {"type_id": 1, "name": "A rule"},
        "attacks": [{"tactic": {"name": "Execution"}, "technique": {"name": "Command-Line Interface"}}],
    },
}
schema = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.5.0")).get_class_schema("detection_finding", [])
errors = list(jsonschema.validators.validator_for(schema)(schema).iter_errors(finding))
print(f"by the schema: {len(errors)} errors")
try:
    DetectionFinding.model_validate(finding)
except ValidationError as refused:
    for error in sorted(refused.errors(), key=lambda error: error["loc"]):
        print(f"by the models: {'.'.join(map(str, error['loc']))}: {error['msg']}")
PYTHON
cat "$folder/said"
cat >"$folder/expected" <<'TEXT'
by the schema: 0 errors
by the models: finding_info.analytic.uid: Field required
by the models: finding_info.attacks.0.technique.uid: Field required
by the models: metadata.product.vendor_name: Field required
TEXT
cmp -s "$folder/said" "$folder/expected" || { echo "changed: see above"; exit 1; }
