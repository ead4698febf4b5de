"""An S3-compatible store on the loopback: moto, and in front of it AWS's own library, which checks signatures.

    s3.py serve PORT KEY SECRET         a store with the bucket `rows`; prints `ready`, ends with its standard input
    s3.py read PORT KEY SECRET PREFIX TABLE PID
                                        what DuckDB finds below a prefix in the bucket, a line of JSON
"""
import json
import logging
import os
import sys
import threading
from urllib.parse import parse_qsl, urlencode

command, port, key, secret = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]


def refusal(code):
    """A reply as S3 gives it. It repeats what it was asked with, as S3 does."""
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>Not with {secret}</Message></Error>".encode()


def refused(environ):
    """Why a request that is signed in its URL is not to be done; none if it is."""
    from botocore.auth import S3SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    query = dict(parse_qsl(environ["QUERY_STRING"]))
    given = query.pop("X-Amz-Signature", None)
    if given is None:
        return "AccessDenied"
    if query["X-Amz-Credential"].split("/")[0] != key:
        return "InvalidAccessKeyId"
    region = query["X-Amz-Credential"].split("/")[2]
    signer = S3SigV4QueryAuth(Credentials(key, secret), "s3", region)
    path = environ.get("REQUEST_URI", environ["RAW_URI"]).split("?")[0]
    request = AWSRequest("PUT", f"http://{environ['HTTP_HOST']}{path}?{urlencode(sorted(query.items()))}")
    request.headers["Host"] = environ["HTTP_HOST"]
    request.context["timestamp"] = query["X-Amz-Date"]
    wanted = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return None if wanted == given else "SignatureDoesNotMatch"


def serve():
    os.environ.update(AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret)
    import boto3
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    moto = DomainDispatcherApplication(create_backend_app)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)

    def app(environ, start_response):
        # The bucket is made by a request that is signed in its header.
        if environ["REQUEST_METHOD"] == "PUT" and "HTTP_AUTHORIZATION" not in environ:
            code = refused(environ)
            if code:
                start_response("403 Forbidden", [("Content-Type", "application/xml")])
                return [refusal(code)]
        return moto(environ, start_response)

    server = make_server("127.0.0.1", port, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1").create_bucket(Bucket="rows")
    print("ready", flush=True)
    sys.stdin.read()


def read():
    import duckdb
    import pyarrow.dataset
    import pyarrow.fs

    store = pyarrow.fs.S3FileSystem(
        access_key=key, secret_key=secret, endpoint_override=f"127.0.0.1:{port}", scheme="http", region="us-east-1"
    )
    prefix, table, pid = sys.argv[5], sys.argv[6], int(sys.argv[7])
    rows = pyarrow.dataset.dataset(
        f"rows/{prefix}/{table}", filesystem=store, format="parquet", partitioning="hive"
    ).to_table()
    found = duckdb.sql(f"select * replace (timestamp::varchar as timestamp) from rows where pid = {pid} order by unix_nano_timestamp")
    print(json.dumps([dict(zip(found.columns, row)) for row in found.fetchall()], default=str))


serve() if command == "serve" else read()
