"""One number: screen, API, file, mail and command line read only from here, so they cannot disagree."""
