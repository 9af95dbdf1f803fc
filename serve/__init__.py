"""What answers now: shards, questions and answers, gateways, handles, the command line.

Ray is imported in this room and in `engine/running/run_ray.py` only, and here only where it is needed.
"""
