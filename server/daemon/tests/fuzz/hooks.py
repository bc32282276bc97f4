"""What a fuzzer of requests cannot know about this API from its document."""

import json
import os
import re
import uuid
import zlib

import schemathesis

KEY = re.compile(r'^([!#-~]{1,255}|"[!#-~]{1,255}")$')


@schemathesis.hook
def map_headers(context, headers):
    # The same key with another body is refused, rightly; here every request is another one.
    for name in list(headers or {}):
        value = headers[name]
        if name.lower() == "idempotency-key" and isinstance(value, str) and KEY.match(value):
            headers[name] = str(uuid.uuid4())
    return headers


@schemathesis.hook
def map_query(context, query):
    # A cursor is a word of the hub's own: none that is made up is one. (Tests of ours send bad ones.)
    if isinstance((query or {}).get("after"), str) and "/events" not in context.operation.path:
        del query["after"]
    return waits_little(query)


@schemathesis.hook
def map_body(context, body):
    return waits_little(body)


def waits_little(asked):
    # Whoever asks to wait for a person is kept waiting.
    if isinstance(asked, dict) and isinstance(asked.get("wait"), int) and 1 < asked["wait"] <= 25:
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
