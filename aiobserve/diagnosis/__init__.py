"""What can be wrong with an installation, one check a function, each with the fix."""
