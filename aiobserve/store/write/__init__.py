"""Everything that changes the store. Rows enter by binary COPY, each batch once."""
