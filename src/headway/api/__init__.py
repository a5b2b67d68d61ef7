"""The HTTP API: routes by noun, no logic. Async at the edge; the store is met through one door."""
