"""Reads metrics as Prometheus' own Python parsers do, strictly, from standard input.

    metrics.py openmetrics|text

Prints the names of counters that have a value, and fails where a series is there twice, which the parser of the text format lets pass.
"""
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text

families = list({"openmetrics": openmetrics, "text": text}[sys.argv[1]](sys.stdin.read()))
series = [(sample.name, tuple(sorted(sample.labels.items()))) for family in families for sample in family.samples]
twice = {one for one in series if series.count(one) > 1}
assert not twice, twice
assert all(family.documentation for family in families), [family.name for family in families if not family.documentation]
print("\n".join(family.name for family in families if family.type == "counter" and family.samples))
