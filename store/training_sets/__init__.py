"""Training sets that stay, and what differs between two."""
