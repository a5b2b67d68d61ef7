"""Other hosts: SSH, SFTP, FTP; pods of Kubernetes; Docker."""

import os

from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.docker.operators.docker import DockerOperator
from airflow.providers.ftp.operators.ftp import FTPFileTransmitOperator
from airflow.providers.ftp.sensors.ftp import FTPSensor
from airflow.providers.sftp.operators.sftp import SFTPOperator
from airflow.providers.sftp.sensors.sftp import SFTPSensor
from airflow.providers.ssh.operators.ssh import SSHOperator
from airflow.sdk import DAG

PLACE = os.environ["OPERATORS_PLACE"]

with DAG("SSHOperator", schedule=None):
    SSHOperator(task_id="it", ssh_conn_id="host", command="echo over ssh: {{ ds }}")

with DAG("SFTPOperator", schedule=None):
    SFTPOperator(
        task_id="it",
        ssh_conn_id="host",
        local_filepath=f"{PLACE}/there",
        remote_filepath=f"{PLACE}/by/sftp",
        operation="put",
        create_intermediate_dirs=True,
    )

with DAG("SFTPSensor", schedule=None):
    SFTPSensor(task_id="it", sftp_conn_id="host", path=f"{PLACE}/there")

with DAG("FTPFileTransmitOperator", schedule=None):
    FTPFileTransmitOperator(
        task_id="it",
        ftp_conn_id="ftp",
        local_filepath=f"{PLACE}/there",
        remote_filepath="/by_ftp",
        operation="put",
    )

with DAG("FTPSensor", schedule=None):
    FTPSensor(task_id="it", ftp_conn_id="ftp", path="/served", poke_interval=1)

with DAG("KubernetesPodOperator", schedule=None):
    KubernetesPodOperator(
        task_id="it",
        kubernetes_conn_id="cluster",
        namespace="jobs",
        image="tool:1",
        cmds=["sh", "-c"],
        arguments=["echo in a pod: {{ ds }} $WORD"],
        env_vars={"WORD": "hello"},
        on_finish_action="delete_pod",
    )

with DAG("DockerOperator", schedule=None):
    DockerOperator(
        task_id="it",
        image="tool:1",
        command="true",
        docker_url=f"unix://{PLACE}/docker.sock",
        retries=0,
    )
