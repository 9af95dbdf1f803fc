"""Carrying out a plan: steps, the loop that runs them, threads and Ray, and what comes out."""
