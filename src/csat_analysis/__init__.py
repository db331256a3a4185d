"""Run an organisation's customer-satisfaction cycle, reproducibly.

A procedure is a YAML file, a survey is a folder of tables, a report is a notebook. The modules are named after the
stage of the path they stand for; import the stage: ``from csat_analysis import assessment, exhibits, load``.
"""

__version__ = "0.1.0"
