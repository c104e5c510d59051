"""A page and a service on one network, from the same install; needs the `serve` extra.

One request's path: `guard` (token) -> `routes` -> `bodies` (what was sent) -> `jobs` (a bounded queue before worker
processes) -> `work` (there: photo, network, words, files) -> `memory` (photos that prompts may come back to).
"""
