"""The settings of the embedded server: a laptop's memory, nobody on the network, nothing lost."""

from collections.abc import Mapping
from typing import Final

SETTINGS: Final[Mapping[str, str]] = {
    # Nobody else: no TCP at all, and the socket lies in the cluster's own directory, which is 0700.
    "listen_addresses": "",
    "unix_socket_directories": ".",
    "port": "5432",  # only names the socket file
    # Small: few processes, memory that is touched only when it is used.
    "max_connections": "40",
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "32MB",
    "effective_cache_size": "1GB",
    "io_method": "sync",
    "max_worker_processes": "0",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "huge_pages": "off",
    # Many short statements on one disk: to compile them or to time their reads does not pay.
    "jit": "off",
    "track_io_timing": "off",
    "random_page_cost": "1.1",
    # Durable; a checkpoint seldom, so that full page images do not double the writes of a busy run.
    "fsync": "on",
    "synchronous_commit": "on",
    "checkpoint_timeout": "15min",
    "max_wal_size": "512MB",
    "min_wal_size": "64MB",
    # Queue-like tables: a few thousand hot rows, each rewritten several times a minute.
    "autovacuum": "on",
    "autovacuum_naptime": "15s",
    "autovacuum_max_workers": "2",
    "autovacuum_worker_slots": "2",
    "autovacuum_vacuum_threshold": "500",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_threshold": "250",
    "autovacuum_analyze_scale_factor": "0.05",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


def arguments(changed: Mapping[str, str]) -> list[str]:
    return [f"--{name}={value}" for name, value in {**SETTINGS, **changed}.items()]
