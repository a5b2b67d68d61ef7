"""Amazon's S3, SQS, SNS and DynamoDB, at a server that answers as they do."""

import os

from airflow.providers.amazon.aws.operators.s3 import (
    S3CopyObjectOperator,
    S3CreateBucketOperator,
    S3CreateObjectOperator,
    S3DeleteObjectsOperator,
    S3FileTransformOperator,
    S3ListOperator,
)
from airflow.providers.amazon.aws.operators.sns import SnsPublishOperator
from airflow.providers.amazon.aws.operators.sqs import SqsPublishOperator
from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.providers.amazon.aws.sensors.sqs import SqsSensor
from airflow.providers.amazon.aws.transfers.local_to_s3 import LocalFilesystemToS3Operator
from airflow.sdk import DAG

AWS = {"aws_conn_id": "aws"}
QUEUE = os.environ["OPERATORS_QUEUE"]
TOPIC = os.environ["OPERATORS_TOPIC"]

with DAG("S3CreateBucketOperator", schedule=None):
    S3CreateBucketOperator(task_id="it", bucket_name="made", **AWS)

with DAG("S3CreateObjectOperator", schedule=None):
    S3CreateObjectOperator(
        task_id="it", s3_bucket="lake", s3_key="day/{{ ds }}", data="apples", **AWS
    )

with DAG("S3KeySensor", schedule=None):
    S3KeySensor(task_id="it", bucket_name="lake", bucket_key="here/*", wildcard_match=True, **AWS)

with DAG("S3KeySensor_deferrable", schedule=None):
    S3KeySensor(
        task_id="it",
        bucket_name="lake",
        bucket_key="here/a",
        deferrable=True,
        poke_interval=1,
        **AWS,
    )

with DAG("S3ListOperator", schedule=None):
    S3ListOperator(task_id="it", bucket="lake", prefix="here/", **AWS)

with DAG("S3CopyObjectOperator", schedule=None):
    S3CopyObjectOperator(
        task_id="it",
        source_bucket_key="s3://lake/here/a",
        dest_bucket_key="s3://lake/copied",
        **AWS,
    )

with DAG("S3DeleteObjectsOperator", schedule=None):
    S3DeleteObjectsOperator(task_id="it", bucket="lake", keys="gone", **AWS)

with DAG("S3FileTransformOperator", schedule=None):
    S3FileTransformOperator(
        task_id="it",
        source_s3_key="s3://lake/here/a",
        dest_s3_key="s3://lake/transformed",
        transform_script="/bin/cp",
        source_aws_conn_id="aws",
        dest_aws_conn_id="aws",
    )

with DAG("LocalFilesystemToS3Operator", schedule=None):
    LocalFilesystemToS3Operator(
        task_id="it",
        filename=os.environ["OPERATORS_PLACE"] + "/there",
        dest_bucket="lake",
        dest_key="local",
        **AWS,
    )

with DAG("SqsPublishOperator", schedule=None):
    SqsPublishOperator(
        task_id="it", sqs_queue=QUEUE, message_content="of {{ ds }}", region_name="us-east-1", **AWS
    )

with DAG("SqsSensor", schedule=None):
    SqsSensor(task_id="it", sqs_queue=QUEUE, region_name="us-east-1", poke_interval=1, **AWS)

with DAG("SnsPublishOperator", schedule=None):
    SnsPublishOperator(
        task_id="it", target_arn=TOPIC, message="of {{ ds }}", region_name="us-east-1", **AWS
    )
