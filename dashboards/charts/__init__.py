"""Charts, one a file: rows in, a Plotly figure as plain values out. Colours of paper and text are the page's."""
