"""``email(task_id=…, to=…, subject=…)``: one mail, through the server of a connection of type ``smtp``.

The connection is read as Airflow reads it: TLS from the first byte on port 465, unless the extra ``disable_ssl`` is
true; then STARTTLS on port 587, unless ``disable_tls`` is true, too. ``ca_file``, ``from_email`` and ``timeout`` are
extras as well. The certificate of the server is checked. The result is the id of the mail.
"""

from headway.authoring.operators.base import Call, Operator


def run(call: Call) -> str:
    from headway.authoring.mailing import mail  # what it imports would slow down every fork

    return mail(call.kwargs)


OPERATOR = Operator(
    word="email",
    parameters=(
        *("to", "subject", "html_content", "text", "cc", "bcc", "files", "from_email"),
        "conn_id",
    ),
    required=("to", "subject"),
    run=run,
    templated=("to", "subject", "html_content", "text", "cc", "bcc", "files", "from_email"),
)
