"""Bills of providers in the FinOps Open Cost and Usage Specification (FOCUS), and the rules that map their lines."""
