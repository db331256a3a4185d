"""How do the same contents give the same file? Office files without a clock, and text as XML can hold it."""

import datetime as dt
import io
import re
import zipfile

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment a zip file knows
STAMP = re.compile(rb">\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?<")
CORE = "docProps/core.xml"
# What XML does not allow, and marks that turn the direction of whatever follows them.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Return a text in one line that XML can hold; what cannot be written is a replacement mark.

    >>> plain("a\\x00b\\nc\\u202ed")
    'a\\ufffdb cd'
    """
    return " ".join(TURNING.sub("", FORBIDDEN.sub("\ufffd", text)).split("\n")).replace("\r", "").replace("\t", " ")


def shortened(text: str, letters: int) -> str:
    """Return a text of so many letters at the most, the end of a longer one left out.

    >>> shortened("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= letters else f"{text[: letters - 1].rstrip()}…"


def repacked(office: bytes, day: dt.date) -> bytes:
    """Return an office file as of a day: whatever it was made on, the same contents give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(office)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            new.writestr(entry, _dated(name, old.read(name), day))
    return buffer.getvalue()


def _dated(name: str, content: bytes, day: dt.date) -> bytes:
    """Return a part of a file as of a day; the workbook of a chart is an office file itself."""
    if name.endswith(".xlsx"):
        return repacked(content, day)
    return STAMP.sub(f">{day.isoformat()}T00:00:00Z<".encode(), content) if name == CORE else content
