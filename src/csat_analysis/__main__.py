"""Run the command line as ``python -m csat_analysis``."""

from csat_analysis.cli import main

main()
