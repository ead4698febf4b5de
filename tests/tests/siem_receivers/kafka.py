"""Brokers of Kafka as librdkafka has them, and a consumer: prints each record as a line of its partition, its key, its header
`id` and its value, in base64.

    kafka.py TOPIC [FOLDER USER PASSWORD]      prints `ready`, then where the brokers are; ends with its standard input

With a folder of certificates, they are where TLS with client certificates is spoken and this user let in.
"""
import base64
import os
import sys
import threading

from confluent_kafka import Consumer, OFFSET_BEGINNING, Producer, TopicPartition

from kafka_gate import gates

topic = sys.argv[1]
# The brokers live with this producer.
cluster = Producer({"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 2})
# A topic is made by whoever asks for it.
partitions = cluster.list_topics(topic, timeout=30).topics[topic].partitions
ports = [broker.port for broker in cluster.list_topics(timeout=30).brokers.values()]
brokers = ",".join(f"127.0.0.1:{port}" for port in ports)
consumer = Consumer({"bootstrap.servers": brokers, "group.id": "tests", "enable.auto.commit": False})
consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
if sys.argv[2:]:
    gates(ports, *sys.argv[2:])
    brokers = brokers.replace("127.0.0.1", "127.0.0.2")
print("ready", flush=True)
print(brokers, len(partitions), flush=True)


def end():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end, daemon=True).start()
while True:
    record = consumer.poll(1)
    if record is None or record.error():
        continue
    parts = [record.key(), dict(record.headers() or []).get("id"), record.value()]
    print(record.partition(), *(base64.b64encode(part or b"").decode() or "-" for part in parts), flush=True)
