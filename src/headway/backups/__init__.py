"""Backups in a store: the database and the files that it refers to, in a folder or in S3 (``blobs``)."""
