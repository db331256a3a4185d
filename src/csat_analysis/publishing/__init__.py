"""From a result to pages: exhibits, figures, records, the portal, and the runner that makes them."""
