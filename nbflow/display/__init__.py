"""Events and output of nodes become pictures: live in a cell or a terminal, and as a static form that stays in a saved notebook."""
