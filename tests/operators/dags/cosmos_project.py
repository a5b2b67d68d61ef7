"""A dbt project as a DAG of Airflow: Astronomer Cosmos makes a task of each model and of its tests."""

import os
from pathlib import Path

from cosmos import DbtDag, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import InvocationMode, LoadMode

PROJECT = Path(os.environ["OPERATORS_PLACE"], "project")

project = DbtDag(
    dag_id="DbtDag",
    schedule=None,
    project_config=ProjectConfig(PROJECT),
    profile_config=ProfileConfig(
        profile_name="shop", target_name="test", profiles_yml_filepath=PROJECT / "profiles.yml"
    ),
    render_config=RenderConfig(load_method=LoadMode.CUSTOM, emit_datasets=False),
    execution_config=ExecutionConfig(
        dbt_executable_path=os.environ["OPERATORS_DBT"] + "/dbt",
        invocation_mode=InvocationMode.SUBPROCESS,
    ),
)
