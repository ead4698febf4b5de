"""Reads messages of proto/ with the protobuf library, from descriptions that protoc makes of the .proto files: lines of
a message's name and its bytes in base64 come out as lines of JSON."""
import base64
import json
import pathlib
import sys
import tempfile

import grpc_tools.protoc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

folder = pathlib.Path(__file__).resolve().parents[3] / "proto"
pool = descriptor_pool.DescriptorPool()
with tempfile.NamedTemporaryFile() as file:
    files = [str(path.relative_to(folder)) for path in folder.glob("sensor/v1/*.proto")]
    args = ["protoc", f"-I{folder}", "--include_imports", f"--descriptor_set_out={file.name}", *files]
    assert grpc_tools.protoc.main(args) == 0
    descriptions = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(file.name).read_bytes())
for description in descriptions.file:
    pool.Add(description)
for line in sys.stdin:
    name, body = line.split()
    message = message_factory.GetMessageClass(pool.FindMessageTypeByName("sensor.v1." + name))()
    message.ParseFromString(base64.b64decode(body))
    fields = json_format.MessageToDict(message, preserving_proto_field_name=True)
    print(json.dumps(fields), flush=True)
