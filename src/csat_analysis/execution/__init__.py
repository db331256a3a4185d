"""Chapters executed: which runs are stale, in which processes, within which limits, and what they leave behind."""

import sys

# jsonschema, which notebooks are read with, would spend 1.4 s on a grammar of web addresses that nothing here uses. It
# stands in the face of each floor that reads them: whoever imports a room of it imports this first.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
