"""Validates OCSF events, a line each, against the published schema (the Python package ocsf-json-schema has it)."""
import json
import sys

import jsonschema
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

count = 0
for line in sys.stdin:
    event = json.loads(line)
    metadata = event["metadata"]
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(metadata["version"]))
    name = schema.lookup_class_name_from_uid(event["class_uid"])
    # The profiles by which the classes take a confidence and their like; `host` and `container` as the event says.
    wanted = schema.get_class_schema(name, metadata["profiles"])
    validator = jsonschema.validators.validator_for(wanted)(wanted)
    errors = sorted(validator.iter_errors(event), key=lambda error: list(error.path))
    for error in errors:
        print("/".join(map(str, error.absolute_path)), error.message[:300])
    count += not errors
print("valid:", count)
