"""Many partitions, for plans on a large database."""

from typing import Final

PARTITION_TABLES: Final = ("pending_partition", "arrived_partition", "consumed_partition")
PARTITIONS: Final = """
    INSERT INTO pending_partition (team_id, dag_id, partition, since, latest_at, mapping, news)
        SELECT 1, 'd' || n % 100, 'p' || n, now(), now(), 'm', n % 1000 = 0 FROM generate_series(1, 10000) n;
    INSERT INTO arrived_partition
        SELECT 1, 'd' || n % 100, 'p' || n % 10000, 'a' || n % 3, 'k' || n, n, 1, now()
        FROM generate_series(1, 30000) n;
    INSERT INTO consumed_partition
        SELECT 1, 'r' || n % 10000, 'a' || n % 3, 'k' || n, n, 1 FROM generate_series(1, 30000) n;
"""
