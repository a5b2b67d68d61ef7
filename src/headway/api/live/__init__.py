"""Live changes: one reader per team for any number of watchers. A slow watcher does not slow others."""
