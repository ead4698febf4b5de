"""Runs a client of Sophos Central's API, unchanged, and prints what it was told as a line of JSON.

    run.py CLIENT ID SECRET TENANT

The names that are built into clients lead to the port of the loopback that CENTRAL_PORT names.
"""

import json
import os
import socket
import sys

resolve = socket.getaddrinfo


def to_central(host, port, *rest, **named):
    if str(host).endswith(".sophos.com"):
        host, port = "127.0.0.1", int(os.environ["CENTRAL_PORT"])
    return resolve(host, port, *rest, **named)


socket.getaddrinfo = to_central


def pysophoscentral(id, secret, tenant):
    from pysophoscentral.api import SophosCentralClient
    from pysophoscentral.settings import SophosCentraApiSettings

    client = SophosCentralClient(
        SophosCentraApiSettings(
            base_url="https://api.central.sophos.com",
            auth_endpoint_url="https://id.sophos.com/api/v2/oauth2/token",
            auth_client_id=id,
            auth_client_secret=secret,
            api_version="v1",
        )
    )
    client.authenticate()
    who = client.read_whoami()
    alerts, key = [], None
    while True:
        page = client.read_alerts({"pageSize": 25, **({"pageFromKey": key} if key else {})})
        alerts += page.items
        key = page.pages.next_key
        if not key:
            break
    endpoints = client.read_endpoints().items
    return {
        "who": [who.id, who.id_type],
        "alerts": [alert.id for alert in alerts],
        "endpoints": [endpoint.id for endpoint in endpoints],
    }


def of_sophoscentral(id, secret):
    from sophoscentral import SCentralConnection

    return SCentralConnection(id, secret)


def sophoscentral(id, secret, tenant):
    client = of_sophoscentral(id, secret)
    ids = lambda text: [item["id"] for item in json.loads(text)]
    return {
        "common": ids(client.get_tenant_common_events(tenant, json_output=True)),
        "siem": ids(client.get_tenant_siem_alerts(tenant, json_output=True)),
        "endpoints": ids(client.get_tenant_endpoints(tenant, json_output=True)),
    }


def sophoscentral_tenants(id, secret, tenant):
    found = json.loads(of_sophoscentral(id, secret).get_partner_tenants(json_output=True))
    return [[tenant["id"], tenant["name"]] for tenant in found]


def of_sfos(id, secret):
    from central.session import CentralSession

    session = CentralSession(id, secret)
    assert session.authenticate().success
    return session


def sfos(id, secret, tenant):
    from central.alerts import get_alert, get_alerts, search_alerts, take_alert_action

    session = of_sfos(id, secret)
    ids = lambda alerts: [alert.id for alert in alerts.value]
    listed = ids(get_alerts(session, page_size=25, tenant_id=tenant))
    found = ids(search_alerts(session, page_size=25, severity=["high"], tenant_id=tenant))
    one = get_alert(session, listed[0], tenant_id=tenant).id
    done = take_alert_action(session, listed[0], "acknowledge", "seen", tenant_id=tenant)
    return {
        "who": [session.whoami.id, session.whoami.idType],
        "listed": listed,
        "found": found,
        "one": one,
        "acknowledged": [done.alertId, done.status],
        "left": ids(get_alerts(session, tenant_id=tenant)),
    }


def sfos_tenants(id, secret, tenant):
    return [[tenant.id, tenant.name] for tenant in of_sfos(id, secret).get_tenants().value]


CLIENTS = {
    "pysophoscentral": pysophoscentral,
    "sophoscentral": sophoscentral,
    "sophoscentral:tenants": sophoscentral_tenants,
    "sfos-central-sdk": sfos,
    "sfos-central-sdk:tenants": sfos_tenants,
}

client, *rest = sys.argv[1:]
print(json.dumps(CLIENTS[client](*rest)))
