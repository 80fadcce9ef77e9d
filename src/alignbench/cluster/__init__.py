"""Models on a Ray cluster. Nothing else imports Ray, which reads these settings when it is imported."""

import os

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")  # its own messages would stand among the data on stdout
