"""Plans: what is read and folded to answer, from which pieces, and how much memory that takes."""
