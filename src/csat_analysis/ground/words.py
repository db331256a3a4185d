"""How is it said? The catalogues of words, one YAML file per language, and the forms of numbers and dates."""

import datetime as dt
import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import yaml

from csat_analysis.ground.catalogue import DIGITS, SURE, round_shown

FOLDER = Path(__file__).parents[1] / "words"


def languages() -> list[str]:
    """Return the languages there are words for."""
    return sorted(path.stem for path in FOLDER.glob("*.yml"))


@functools.cache
def speak(language: str) -> "Words":
    """Return the words of a language."""
    return Words(language, flatten(yaml.load((FOLDER / f"{language}.yml").read_text("utf-8"), yaml.CSafeLoader)))


def flatten(tree: Mapping[str, Any], stem: str = "") -> dict[str, str]:
    """Return the leaves of a tree under their dotted names."""
    leaves: dict[str, str] = {}
    for key, value in tree.items():
        name = f"{stem}{key}"
        leaves |= flatten(value, f"{name}.") if isinstance(value, Mapping) else {name: str(value)}
    return leaves


@functools.cache
def explanations(language: str) -> dict[str, dict[str, str]]:
    """Return title and description of each key of the models, such as ``Gate.threshold``; ``Gate._`` of a gate."""
    tree = yaml.load((FOLDER / "schema" / f"{language}.yml").read_text("utf-8"), yaml.CSafeLoader)
    return {
        f"{model}.{key}": dict(zip(("title", "description"), told, strict=True))
        for model, keys in tree.items()
        for key, told in keys.items()
    }


def explained_by(model: type, key: str, told: Mapping[str, Any]) -> str | None:
    """Return under which name a key of a model is explained: the model's own, else that of what it inherits from."""
    names = (f"{each.__name__}.{key}" for each in model.__mro__)
    return next((name for name in names if name in told), None)


class Words:
    """The words of one language: call it with a key and what goes into the text."""

    def __init__(self, language: str, texts: Mapping[str, str]):
        self.language, self.texts = language, texts

    def __call__(self, key: str, **values: Any) -> str:
        return self.texts[key].format(**values) if values else self.texts[key]

    def get(self, key: str, otherwise: str) -> str:
        """Return a text, or something else where the catalogue has none: for names that come from a procedure."""
        return self.texts.get(key, otherwise)

    def title(self, title: Mapping[str, str] | None, otherwise: str = "") -> str:
        """Return a title in this language, else in any."""
        return next(filter(None, [(title or {}).get(self.language), *(title or {}).values()]), otherwise)

    def number(self, value: float | None, unit: str = "points") -> str:
        """Return a value in its unit, a dash where there is none."""
        if value is None or value != value:
            return self("not_computed")
        shown = _grouped(round_shown(value, unit))
        return self("percent", number=shown) if unit == "share" else shown

    def precise(self, value: float | None) -> str:
        """Return a mean or a standard error with four decimals, to be compared with other software."""
        if value is None or value != value:
            return self("not_computed")
        return _grouped(Decimal(repr(float(value))).quantize(Decimal("0.0001"), ROUND_HALF_EVEN))

    def threshold(self, value: float, unit: str) -> str:
        """Return a threshold with all its digits: rounded, it would be another rule."""
        number = Decimal(repr(float(value))) * (100 if unit == "share" else 1)
        places = max(DIGITS[unit], -int(number.normalize().as_tuple().exponent))
        shown = _grouped(number.quantize(Decimal(1).scaleb(-places)))
        return self("percent", number=shown) if unit == "share" else shown

    def whole_percent(self, share: float) -> str:
        """Return a share in per cent without decimals, for a figure."""
        return self(
            "percent", number=_grouped((Decimal(repr(float(share))) * 100).quantize(Decimal(1), ROUND_HALF_EVEN))
        )

    def chance(self, probability: float) -> str:
        """Return a probability in per cent with one decimal; on the side of 0, 5, 95 and 100 on which it is."""
        shown = (Decimal(repr(float(probability))) * 100).quantize(Decimal("0.1"), ROUND_HALF_EVEN)
        if 0 < probability < 1 and shown in (0, 100):
            return self("almost", sign="<" if shown == 0 else ">", number="0.1" if shown == 0 else "99.9")
        if (float(shown) >= 100 * SURE) != (probability >= SURE):
            shown -= Decimal("0.1")
        if (float(shown) <= 100 - 100 * SURE) != (probability <= 1 - SURE):
            shown += Decimal("0.1")
        return self("percent", number=_grouped(shown))

    def p_value(self, probability: float | None) -> str:
        """Return a p-value with three decimals, on the side of 0.05 on which it is; where they are 0, that it is less.

        >>> [speak("en").p_value(p) for p in (0.0004, 0.0081, 0.0501, 0.0499, None)]
        ['< 0.001', '0.008', '0.051', '0.050', '–']
        """
        if probability is None or probability != probability:
            return self("not_computed")
        if probability < 0.001:
            return "< 0.001"
        shown, step = Decimal(repr(float(probability))).quantize(Decimal("0.001"), ROUND_HALF_EVEN), Decimal("0.001")
        return str(shown + step if probability > 0.05 >= float(shown) else shown)

    def points_of_percent(self, share: float) -> str:
        """Return a difference of shares without a sign, in percentage points."""
        return self("percentage_points", number=_grouped((Decimal(repr(float(share))) * 100).normalize() + 0))

    def range_of(self, low: float, high: float, unit: str) -> str:
        """Return two bounds that are no interval of confidence."""
        return self("range", low=self.number(low, unit), high=self.number(high, unit))

    def exact(self, value: float, unit: str) -> str:
        """Return a value as it was before rounding."""
        shown = _grouped(Decimal(f"{value * (100 if unit == 'share' else 1):.10g}"))
        return self("percent", number=shown) if unit == "share" else shown

    def difference(self, value: float, unit: str) -> str:
        """Return a difference with its sign; of shares, in percentage points."""
        shown = _signed(value, unit)
        return self("percentage_points", number=shown) if unit == "share" else shown

    def count(self, number: float | None) -> str:
        """Return a number of things; with weights it need not be whole."""
        if number is None or number != number:
            return self("not_computed")
        return _grouped(Decimal(int(number))) if float(number).is_integer() else self.number(number)

    def interval(self, low: float | None, high: float | None, unit: str = "points") -> str:
        """Return an interval, a dash where there is none."""
        if low is None or high is None or low != low or high != high:
            return self("not_computed")
        return self("range", low=self.number(low, unit), high=self.number(high, unit))

    def difference_interval(self, low: float | None, high: float | None, unit: str) -> str:
        """Return the interval of a difference, a dash where there is none."""
        if low is None or high is None or low != low or high != high:
            return self("not_computed")
        shown = self("range", low=_signed(low, unit), high=_signed(high, unit))
        return self("percentage_points", number=shown) if unit == "share" else shown

    def date(self, day: dt.date) -> str:
        """Return a date."""
        return _by_pattern(day, self("language.date"))

    def month(self, day: dt.date) -> str:
        """Return the month of a day."""
        return _by_pattern(day, self("language.month"))

    def listing(self, names: Iterable[str]) -> str:
        """Return several names as one phrase."""
        return self("comma").join(names)

    def colon(self, left: str, right: str) -> str:
        """Return a name and what is said of it."""
        return self("colon").join((left, right))

    def aside(self, text: str, aside: str) -> str:
        """Return a text with something in brackets after it."""
        return self("aside", text=text, aside=aside)

    def either(self, names: Iterable[str]) -> str:
        """Return names of which one applies, in quotation marks."""
        return self("or").join(self("quoted", text=name) for name in names)

    def source(self, clause: str | None) -> str:
        """Return where a value comes from."""
        return self("source.clause", clause=clause) if clause else self("source.assumption")


def _by_pattern(day: dt.date, pattern: str) -> str:
    """Return a day by a pattern as Unicode has them, of year, month and day.

    >>> _by_pattern(dt.date(2024, 5, 9), "y-MM-dd"), _by_pattern(dt.date(2024, 5, 9), "y 年 M 月")
    ('2024-05-09', '2024 年 5 月')
    """
    parts = {"y": day.year, "M": day.month, "d": day.day}
    return re.sub("y+|M+|d+", lambda found: f"{parts[found[0][0]]:0{len(found[0])}}", pattern)


def _grouped(number: Decimal) -> str:
    """Return a number with its thousands set off and a true minus sign."""
    return f"{number + 0:,}".replace("-", "−")


def _signed(value: float, unit: str) -> str:
    rounded = round_shown(value, unit)
    return f"+{_grouped(rounded)}" if rounded > 0 else _grouped(rounded)


def letters(text: str) -> int:
    """Return how wide a text is, in letters; a hanzi is as wide as two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WFA" else 1 for letter in text)
