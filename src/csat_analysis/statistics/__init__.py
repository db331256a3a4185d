"""How sure is a number? Intervals and tests on plain numbers."""
