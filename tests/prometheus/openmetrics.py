"""Reads metrics by the reference parser of OpenMetrics, and fails where that refuses them or finds none."""

import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

families = list(text_string_to_metric_families(sys.stdin.read()))
sys.exit(not any(family.samples for family in families))
