"""HTTP, mail and Slack."""

from airflow.providers.http.operators.http import HttpOperator
from airflow.providers.http.sensors.http import HttpSensor
from airflow.providers.slack.operators.slack_webhook import SlackWebhookOperator
from airflow.providers.smtp.operators.smtp import EmailOperator
from airflow.sdk import DAG

with DAG("HttpOperator", schedule=None):
    HttpOperator(
        task_id="it",
        http_conn_id="web",
        endpoint="/echo?day={{ ds }}",
        method="POST",
        data="apples",
        response_filter=lambda response: response.text,
    )

with DAG("HttpOperator_deferrable", schedule=None):
    HttpOperator(task_id="it", http_conn_id="web", endpoint="/echo", method="GET", deferrable=True)

with DAG("HttpSensor", schedule=None):
    HttpSensor(task_id="it", http_conn_id="web", endpoint="/second_time", poke_interval=1)

with DAG("HttpSensor_deferrable", schedule=None):
    HttpSensor(
        task_id="it", http_conn_id="web", endpoint="/second_time", deferrable=True, poke_interval=1
    )

with DAG("SlackWebhookOperator", schedule=None):
    SlackWebhookOperator(task_id="it", slack_webhook_conn_id="slack", message="{{ ds }} is done")

with DAG("EmailOperator", schedule=None):
    EmailOperator(
        task_id="it",
        conn_id="mail",
        to="ann@example.org",
        from_email="flows@example.org",
        subject="{{ dag.dag_id }} of {{ ds }}",
        html_content="<p>done</p>",
    )
