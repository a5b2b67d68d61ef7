"""Short descriptions of store errors for people."""

import re
from collections.abc import Mapping
from typing import Final

CODE: Final = re.compile(r"<Code>(\w+)</Code>")
STATUS: Final = re.compile(r"status code: (\d{3} [A-Za-z ]+)")
WORDS: Final[Mapping[str, str]] = {
    "AccessDenied": "access denied (AccessDenied)",
    "InvalidAccessKeyId": "the access key is unknown (InvalidAccessKeyId)",
    "SignatureDoesNotMatch": "the secret key is wrong (SignatureDoesNotMatch)",
    "NoSuchBucket": "the bucket does not exist (NoSuchBucket)",
    "RequestTimeTooSkewed": "this machine's clock is wrong (RequestTimeTooSkewed)",
}


def code_of(error: Exception) -> str:
    """S3's own word for what is wrong; of what is missing it may be the bucket."""
    found = CODE.search(str(error))
    return found[1] if found else ""


def is_beyond_end(error: Exception) -> bool:
    """Return whether the error only means that the object ends before the range begins."""
    return "InvalidRange" in str(error)


def reason_of(error: Exception) -> str:
    """The reason without what the library says of itself."""
    code = code_of(error)
    if code:
        return WORDS.get(code, f"it answers {code}")
    if found := STATUS.search(str(error)):
        return f"it answers {found[1].strip()}"
    if "HTTP error" in str(error):
        return "it does not answer"
    return first_line(error)


def first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
