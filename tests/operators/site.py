"""The servers that operators reach: HTTP, mail, S3 and queues, SSH, FTP, PostgreSQL, a Kubernetes cluster."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import boto3
import psycopg
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP as Protocol
from aiosmtpd.smtp import Envelope, Session
from moto.server import ThreadedMotoServer
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

from headway import wire
from tests.kubernetes.cluster import FakeCluster, fake_cluster
from tests.kubernetes.fake.kinds import ACCOUNT
from tests.ports import free_port
from tests.postgres import fresh_database

DBT: Final = Path(sys.prefix).parent / "dbt/bin"
SSHD: Final = Path("/usr/sbin/sshd")
AWS: Final = {
    "region_name": "us-east-1",
    "aws_access_key_id": "key",
    "aws_secret_access_key": "a-secret-word",
}
TABLES: Final = """
    CREATE TABLE orders (id integer, name text, day date);
    INSERT INTO orders VALUES (1, 'apples', '2026-01-04'), (2, 'plums', '2026-01-05');
    CREATE TABLE copies (id integer, name text);
    CREATE TABLE transferred (id integer, name text)
"""


@dataclass
class Site:
    """``heard``: requests as (method, path, body); ``mails``: (receivers, text)."""

    place: Path
    database: str
    cluster: FakeCluster
    aws: dict[str, Any]
    queue: str = ""
    topic: str = ""
    heard: list[tuple[str, str, str]] = field(default_factory=list)
    mails: list[tuple[list[str], str]] = field(default_factory=list)
    connections: dict[str, wire.ConnectionRequest] = field(default_factory=dict)
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = boto3.client(service, **self.aws)
        return self.clients[service]

    def object(self, key: str) -> str:
        found: bytes = self.client("s3").get_object(Bucket="lake", Key=key)["Body"].read()
        return found.decode()

    def rows(self, query: str) -> list[Any]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(query).fetchall()

    def environment(self) -> dict[str, str]:
        """What the DAG files read of where things are."""
        return {
            "OPERATORS_PLACE": str(self.place),
            "OPERATORS_DBT": str(DBT),
            "OPERATORS_QUEUE": self.queue,
            "OPERATORS_TOPIC": self.topic,
            "DO_NOT_TRACK": "1",
        }


@contextmanager
def running(place: Path, postgres: str) -> Iterator[Site]:
    with ExitStack() as stack:
        database = stack.enter_context(fresh_database(postgres, "template0"))
        cluster = stack.enter_context(fake_cluster(folder_in(place, "cluster")))
        moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        moto.start()
        stack.callback(moto.stop)
        host, port = moto.get_host_and_port()
        site = Site(place, database, cluster, {**AWS, "endpoint_url": f"http://{host}:{port}"})
        (place / "there").write_text("apples\n")
        fill(site)
        web = stack.enter_context(http_server(site))
        mail = stack.enter_context(mail_server(site))
        ftp = stack.enter_context(ftp_server(place))
        ssh = stack.enter_context(ssh_server(place))
        connect(site, web, mail, ftp, ssh)
        yield site
        for client in site.clients.values():
            client.close()


def fill(site: Site) -> None:
    with psycopg.connect(site.database) as connection:
        connection.execute(TABLES)
    s3 = site.client("s3")
    s3.create_bucket(Bucket="lake")
    for key in ("here/a", "here/b", "gone"):
        s3.put_object(Bucket="lake", Key=key, Body=b"plums")
    site.queue = site.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    site.client("sqs").send_message(QueueUrl=site.queue, MessageBody="for the sensor")
    site.topic = site.client("sns").create_topic(Name="orders")["TopicArn"]
    site.cluster.namespace("jobs")
    account = {"metadata": {"name": "default", "namespace": "jobs"}}
    site.cluster.server.store.create(ACCOUNT, account)
    make_project(site)


def make_project(site: Site) -> None:
    """A dbt project of two models and a test."""
    found = psycopg.conninfo.conninfo_to_dict(site.database)
    output = {
        "type": "postgres",
        "host": found["host"],
        "port": int(found.get("port") or 5432),
        "user": found["user"],
        "password": str(found.get("password") or ""),
        "dbname": found["dbname"],
        "schema": "marts",
        "threads": 1,
    }
    models = {
        "recent": "SELECT id, name FROM public.orders",
        "named": "SELECT name FROM {{ ref('recent') }}",
    }
    files = {
        "dbt_project.yml": {"name": "shop", "version": "1.0", "profile": "shop"},
        "profiles.yml": {"shop": {"target": "test", "outputs": {"test": output}}},
        "models/schema.yml": {
            "version": 2,
            "models": [
                {
                    "name": "named",
                    "columns": [{"name": "name", "data_tests": ["not_null"]}],
                }
            ],
        },
    }
    project = folder_in(site.place, "project")
    folder_in(project, "models")
    for name, content in files.items():
        (project / name).write_text(json.dumps(content))  # which is YAML, too
    for name, query in models.items():
        (project / "models" / f"{name}.sql").write_text(query)


def connect(site: Site, web: int, mail: int, ftp: int, ssh: int) -> None:
    found = psycopg.conninfo.conninfo_to_dict(site.database)
    uris = {
        "web": f"http://127.0.0.1:{web}",
        "fs_default": "fs://",
        "mail": f"smtp://127.0.0.1:{mail}?disable_ssl=true&disable_tls=true",
        "ftp": f"ftp://ann:a-secret-word@127.0.0.1:{ftp}",
        "host": f"ssh://{os.environ.get('USER', 'root')}@127.0.0.1:{ssh}"
        f"?key_file={site.place / 'ssh/user'}&no_host_key_check=true",
    }
    site.connections = {name: wire.ConnectionRequest(uri=uri) for name, uri in uris.items()}
    site.connections |= {
        "warehouse": wire.ConnectionRequest(
            conn_type="postgres",
            host=str(found["host"]),
            port=int(found.get("port") or 5432),
            login=str(found["user"]),
            password=str(found.get("password") or ""),
            schema=str(found["dbname"]),
        ),
        "aws": wire.ConnectionRequest(
            conn_type="aws",
            login="key",
            password="a-secret-word",
            extra={"endpoint_url": site.aws["endpoint_url"], "region_name": "us-east-1"},
        ),
        "slack": wire.ConnectionRequest(
            conn_type="slackwebhook",
            password=f"http://127.0.0.1:{web}/services/T0/B0/hook",
        ),
        "cluster": wire.ConnectionRequest(
            conn_type="kubernetes",
            extra={"kube_config_path": str(site.cluster.server.kubeconfig(site.place / "kube"))},
        ),
    }


@contextmanager
def http_server(site: Site) -> Iterator[int]:
    looks: dict[str, int] = {}

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size).decode()
            site.heard.append((self.command, self.path, body))
            looks[self.path] = looks.get(self.path, 0) + 1
            is_early = self.path == "/second_time" and looks[self.path] % 2
            self.send_response(404 if is_early else 200)
            self.end_headers()
            self.wfile.write(b"ok" if "hook" in self.path else f"{body}!".encode())

        do_GET = do_POST = answer

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@contextmanager
def mail_server(site: Site) -> Iterator[int]:
    class Mailbox:
        async def handle_DATA(self, _: Protocol, __: Session, envelope: Envelope) -> str:
            content = envelope.content
            text = content if isinstance(content, str) else (content or b"").decode()
            site.mails.append((list(envelope.rcpt_tos), text))
            return "250 OK"

    controller = Controller(Mailbox(), hostname="127.0.0.1", port=free_port(), ready_timeout=60)
    controller.start()
    yield int(controller.port)
    controller.stop()


@contextmanager
def ftp_server(place: Path) -> Iterator[int]:
    folder = folder_in(place, "ftp")
    (folder / "served").write_text("here")
    authorizer = DummyAuthorizer()
    authorizer.add_user("ann", "a-secret-word", str(folder), perm="elradfmwMT")
    handler = type("Handler", (FTPHandler,), {"authorizer": authorizer})
    server = ThreadedFTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"timeout": 0.1}, daemon=True)
    thread.start()
    yield int(server.address[1])
    server.close_all()


@contextmanager
def ssh_server(place: Path) -> Iterator[int]:
    folder = folder_in(place, "ssh")
    for name in ("host", "user"):
        keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(keygen, check=True)
    shutil.copy(folder / "user.pub", folder / "authorized_keys")
    port = free_port()
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": folder / "host",
        "AuthorizedKeysFile": folder / "authorized_keys",
        "PidFile": folder / "pid",
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "yes",
        "Subsystem": "sftp internal-sftp",
    }
    (folder / "config").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    log = (folder / "log").open("wb")
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(folder / "config")], stderr=log)
    try:
        yield port
    finally:
        server.terminate()
        server.wait()
        log.close()


def folder_in(place: Path, name: str) -> Path:
    folder = place / name
    folder.mkdir()
    return folder
