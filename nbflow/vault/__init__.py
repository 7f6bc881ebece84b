"""Named credentials: their kinds, where they are found, and how they lie encrypted in the store."""
