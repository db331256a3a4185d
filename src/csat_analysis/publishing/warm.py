"""Imported by the server that processes are forked from: it has everything then that a chapter imports."""

import gc

from csat_analysis.ground.words import languages, speak
from csat_analysis.publishing import canvas, engines, forks, markup, pages

forks.warm()
engines.versions()
canvas.style(), markup.macros(), pages.exporter(), [speak(language) for language in languages()]
gc.collect()
gc.freeze()  # what is here stays: forks need not look through it, which would also copy its pages
