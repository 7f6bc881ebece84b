"""`make bench`: what nbflow costs, each figure beside a bare equivalent measured in the same process and minute. Nothing here fails."""
