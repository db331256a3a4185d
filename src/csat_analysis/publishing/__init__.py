"""From a result to pages: exhibits, figures, cards, a run's folder of pages, its record and its workbook."""

import sys

# jsonschema, which notebooks are read with, would spend 1.4 s on a grammar of web addresses that nothing here uses. It
# stands in the face of each floor that reads them: whoever imports a room of it imports this first.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
