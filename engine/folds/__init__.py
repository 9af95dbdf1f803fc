"""The one driver of folds, over sorted columns and over timelines, and its compiled loops."""
