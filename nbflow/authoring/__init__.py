"""Python that becomes a flow document: decorators, symbols, loops, the catalogue as a namespace. Knows nothing of running."""
