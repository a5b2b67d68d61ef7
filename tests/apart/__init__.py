"""Components that run by themselves: real processes, a real database."""
