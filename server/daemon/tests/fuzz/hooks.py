"""What a fuzzer of requests cannot know about this API from its document."""

import json
import os
import re
import uuid
import zlib

import schemathesis

KEY = re.compile(r'^([!#-~]{1,255}|"[!#-~]{1,255}")$')


@schemathesis.serializer("audio/flac", "audio/mp4", "audio/mpeg", "audio/ogg", "audio/wav", "audio/webm")
def recording(context, value):
    # Any bytes are one: the hub sends it on as it is.
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@schemathesis.hook
def map_query(context, query):
    # A cursor is a word of the hub's own: none that is made up is one. (Tests of ours send bad ones.)
    if isinstance((query or {}).get("after"), str) and "/events" not in context.operation.path:
        del query["after"]
    # What is longer than a head may be is refused before any operation is reached. (A test of ours.)
    for name, value in (query or {}).items():
        if isinstance(value, str) and len(value) > 1000:
            query[name] = value[:1000]
    return waits_little(query)


@schemathesis.hook
def map_body(context, body):
    return waits_little(body)


def waits_little(asked):
    # Whoever asks to wait for a person is kept waiting.
    if isinstance(asked, dict) and re.match(r"^([2-9]|1[0-9]|2[0-5])$", str(asked.get("wait"))):
        asked["wait"] = 1
    return asked


# What stands for a parameter of a path, so that requests reach more than a 404: things the test
# made, by name. A value that breaks the schema stays as it is: it is to be refused.
KNOWN = json.loads(os.environ.get("CAR_FUZZ_KNOWN", "{}"))
VALID = re.compile(r"^[0-9A-Za-z._-]+$")


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    for name, value in list((path_parameters or {}).items()):
        known = KNOWN.get(name)
        # Every third one is left alone.
        if known and isinstance(value, str) and VALID.match(value) and zlib.crc32(value.encode()) % 3:
            path_parameters[name] = known
    # The fuzzer would log itself out.
    own = os.environ.get("CAR_FUZZ_OWN_TOKEN")
    if own and (path_parameters or {}).get("token") == own:
        path_parameters["token"] = own[:-1] + ("0" if own[-1] != "0" else "1")
    return path_parameters


@schemathesis.hook
def before_call(context, case, kwargs):
    # The cases that pursue another's answer pass no other hook.
    waits_little(case.query)
    waits_little(case.body)
    headers = case.headers or {}
    for name in list(headers):
        # The same key with another body is refused, rightly; here every request is another one.
        if name.lower() == "idempotency-key" and KEY.match(str(headers[name])):
            headers[name] = str(uuid.uuid4())
    # The document knows two ways to say who asks. The fuzzer is a program with a token: a cookie
    # beside it would be refused before any operation is reached.
    if "Authorization" in headers or "Authorization" in (kwargs.get("headers") or {}):
        case.cookies = {}
        for name in [name for name in headers if name.lower() == "x-car-proof"]:
            del headers[name]
