"""Cleanup, verification, repair, backup and forgetting, over all kinds of things kept."""
