"""Reads findings, a line each, as those who work with the Python package py-ocsf-models do."""
import sys

from py_ocsf_models.events.findings.detection_finding import DetectionFinding

count = 0
for line in sys.stdin:
    try:
        DetectionFinding.model_validate_json(line)
        count += 1
    except ValueError as error:
        print(error)
print("taken:", count)
