"""Mails, one digest a file. Text and HTML say the same; nothing is fetched from anywhere when one is opened."""
