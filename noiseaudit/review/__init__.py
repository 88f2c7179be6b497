"""Reviewing suspects: what was decided, which rows are shown, and how far reviewers agree. No web framework."""
