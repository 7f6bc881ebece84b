"""Work on the outside world, or on values."""
