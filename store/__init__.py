"""Where things last: sources, event tables, the log of pushes, the registry, snapshots. Lance is named only here."""
