"""The screens: pages for people, drawn from `reports` and nothing else."""
