"""Airflow's REST API v2 over our own, for what calls Airflow today: a client of ``/api/v1`` in the same process."""
