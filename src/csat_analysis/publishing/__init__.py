"""From a result to pages: exhibits, figures, records, the portal, and the runner that makes them."""

import sys

# jsonschema, which notebooks are read with, would spend 1.4 s on a grammar of web addresses that nothing here uses. It
# stands here and not in the command, because a process that works for it imports a room of this floor first.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
