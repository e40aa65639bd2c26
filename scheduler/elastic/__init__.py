"""Jobs that run on more or fewer GPUs: how few keep a deadline, who is admitted, and who gets what is left over."""
