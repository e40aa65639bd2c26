"""Who pays: charges become balanced postings that are never edited."""
