"""The sources. One folder a source; each knows its upstream and nothing of our database."""
