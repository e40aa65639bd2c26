"""Carries things from one stage to the next, one file a verb. The only place where store and pure cores meet."""
