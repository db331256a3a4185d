"""From the records of all runs to the pages over them: the index, projects, comparisons, the company."""
