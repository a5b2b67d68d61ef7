"""Live changes: one reader a team, however many watch; who is slow harms nobody else."""
