"""Recorded public traces as files: jobs, power, prices, carbon and load. Each reader is given a path."""
