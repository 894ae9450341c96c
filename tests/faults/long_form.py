"""Whether this is the long form (`make faults`), and figures that it prints for docs/reliability.md."""

from __future__ import annotations

import os

FULL = os.environ.get("FAULTS_FULL") == "1"
