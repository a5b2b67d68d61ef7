NAME = "prefect"
