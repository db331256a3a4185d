"""From files to a result: read, screen, link, assess."""
