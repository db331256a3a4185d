"""From a result to pages: exhibits, figures, cards, a run's folder of pages, its record and its workbook."""
