#!/bin/sh
# A STIX timestamp with nanoseconds is valid to OASIS's validator and refused by OASIS's library.
#
# Packages: stix2-validator 3.3.2 and stix2 3.0.2 (PyPI).
#
# Expected: STIX 2.1 has `[.s+]` behind the seconds, one or more digits, and only advises against more than nanoseconds; so an
# object that the validator passes can be read with the library of the same committee.
#
# Seen: the library takes six digits at most (Python's datetime has no more; known upstream) and refuses the whole object, and
# with it the bundle around it. Whoever writes STIX from a sensor's times, which are nanoseconds, cuts them to six digits.
#
# Output seen:
#   .123Z: valid, read
#   .123456Z: valid, read
#   .123456789Z: valid, refused (InvalidValueError)
set -eu
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check stix2-validator==3.3.2 stix2==3.0.2
"$folder/python/bin/python" - >"$folder/said" <<'PYTHON'
import stix2, stix2validator

for fraction in (".123Z", ".123456Z", ".123456789Z"):
    sighting = {
        "type": "sighting", "spec_version": "2.1", "id": "sighting--d3b07384-d9a0-4c3d-8b8a-0123456789ab",
        "created": "2026-11-29T01:02:03.000Z", "modified": "2026-11-29T01:02:03.000Z",
        "first_seen": f"2026-11-29T01:02:03{fraction}",
        "sighting_of_ref": "indicator--d3b07384-d9a0-4c3d-8b8a-0123456789ab",
    }
    options = stix2validator.ValidationOptions(version="2.1")
    valid = "valid" if stix2validator.validate_instance(sighting, options).is_valid else "invalid"
    try:
        stix2.parse(sighting)
        read = "read"
    except stix2.exceptions.STIXError as refused:
        read = f"refused ({type(refused).__name__})"
    print(f"{fraction}: {valid}, {read}")
PYTHON
cat "$folder/said"
cat >"$folder/expected" <<'TEXT'
.123Z: valid, read
.123456Z: valid, read
.123456789Z: valid, refused (InvalidValueError)
TEXT
cmp -s "$folder/said" "$folder/expected" || { echo "changed: see above"; exit 1; }
