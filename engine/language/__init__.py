"""What a user writes: entities, sources, expressions, windows, views; and definitions as JSON."""
