"""What answers now: shards, questions and answers, gateways, handles, the command line.

Ray is imported in this room and in `run_ray.py` and the `ray_*` files of `engine/running` only, and here only where it is needed.
"""
