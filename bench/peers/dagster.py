NAME = "dagster"
