"""The inputs of attribution, read from the store: below pipeline and reports, because one posts by them and the other explains."""
