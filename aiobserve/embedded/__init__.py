"""Run it: PostgreSQL and broker of our own for a site that names none, and the one-command supervisor."""
