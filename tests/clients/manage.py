#!/usr/bin/env python3
"""Calls a keeper with the clients of statuspage.io's Manage API that PyPI has.

manage.py URL TOKEN PAGE COMPONENT METRIC; ends with 1 when one of them does not get what it should.
"""
import datetime
import json
import sys
import time
import urllib.request

import atlassian_statuspage as atlassian
import pystatuspage._api as old
import requests
import statuspageio

url, token, page, component, metric = sys.argv[1:]


def atlassian_statuspage():
    configuration = atlassian.Configuration()
    configuration.host = url + "/v1"
    configuration.api_key = {"Authorization": token}
    configuration.api_key_prefix = {"Authorization": "OAuth"}
    client = atlassian.ApiClient(configuration)
    pages = atlassian.PagesApi(client)
    assert [it.id for it in pages.get_pages()] == [page]
    components = atlassian.ComponentsApi(client)
    body = {"component": {"status": "major_outage"}}
    assert components.patch_pages_page_id_components_component_id(body, page, component).status == "major_outage"
    incidents = atlassian.IncidentsApi(client)
    # A datetime without a zone, as Python makes them: the page's time is meant.
    begin = datetime.datetime(2026, 11, 29, 22, 0, 0)
    plan = {"name": "New router", "scheduled_for": begin, "scheduled_until": begin + datetime.timedelta(hours=1),
            "component_ids": [component], "auto_tweet_on_creation": False, "scheduled_remind_prior": False}
    made = incidents.post_pages_page_id_incidents({"incident": plan}, page)
    assert made.scheduled_for == datetime.datetime(2026, 11, 29, 21, 0, tzinfo=datetime.timezone.utc), made.scheduled_for
    assert made.shortlink.startswith(url), made.shortlink
    assert incidents.get_pages_page_id_incidents_upcoming(page)[0].id == made.id
    incidents.delete_pages_page_id_incidents_incident_id(page, made.id)
    own = {"scheduled_auto_in_progress": True, "auto_transition_to_maintenance_state": True, "scheduled_auto_completed": True}
    made = incidents.post_pages_page_id_incidents({"incident": {**plan, **own}}, page)
    assert made.scheduled_auto_in_progress and made.scheduled_auto_completed and made.auto_transition_to_maintenance_state
    assert not made.auto_transition_to_operational_state and made.scheduled_reminded_at is None
    incidents.delete_pages_page_id_incidents_incident_id(page, made.id)
    groups = atlassian.ComponentGroupsApi(client)
    group = groups.post_pages_page_id_component_groups({"component_group": {"name": "Home", "components": [component]}}, page)
    assert groups.get_pages_page_id_component_groups(page)[0].id == group.id
    assert components.get_pages_page_id_components_component_id(page, component).group_id == group.id
    uptime = components.get_pages_page_id_components_component_id_uptime(page, component)
    assert (uptime.id, uptime.uptime_percentage) == (component, None), uptime
    assert groups.get_pages_page_id_component_groups_id_uptime(page, group.id).name == "Home"
    groups.delete_pages_page_id_component_groups_id(page, group.id)
    over = incidents.post_pages_page_id_incidents({"incident": {"name": "Storm", "status": "resolved"}}, page)
    postmortems = atlassian.IncidentPostmortemApi(client)
    text = {"postmortem": {"body_draft": "It was the cat."}}
    postmortems.put_pages_page_id_incidents_incident_id_postmortem(text, page, over.id)
    silently = {"postmortem": {"notify_subscribers": False}}
    shown = postmortems.put_pages_page_id_incidents_incident_id_postmortem_publish(silently, page, over.id)
    assert (shown.body, shown.body_draft) == ("It was the cat.", None), shown
    postmortems.delete_pages_page_id_incidents_incident_id_postmortem(page, over.id)
    incidents.delete_pages_page_id_incidents_incident_id(page, over.id)
    metrics = atlassian.MetricsApi(client)
    data = {"data": {metric: [{"timestamp": time.time(), "value": 1.5}]}}
    metrics.post_pages_page_id_metrics_data(data, page)


def crunch_statuspageio():
    client = statuspageio.Client(api_key=token, page_id=page, base_url=url)
    assert client.components.list()[0].id == component
    assert client.components.update(component, status="degraded_performance").status == "degraded_performance"
    made = client.incidents.create(name="Line down", body="Looking", status="investigating", wants_twitter_update=False,
                                   component_ids=[component], metadata={"porchlight": {"key": "x"}})
    assert client.incidents.list_unresolved()[0].id == made.id
    assert client.incidents.update(made.id, status="resolved", body="Back").incident_updates[0].body == "Back"
    client.incidents.delete(made.id)
    plan = client.incidents.create_scheduled(name="x", scheduled_for="2026-11-29T22:00:00", scheduled_until="2026-11-29T23:00:00",
                                             scheduled_auto_in_progress=False, scheduled_remind_prior=False)
    assert plan.scheduled_for == "2026-11-29T21:00:00.000Z", plan.scheduled_for
    client.incidents.delete(plan.id)
    assert client.pages.get().id == page
    made = client.components.create(name="NAS")
    try:
        client.components.update(made.id, status="fine")
        raise AssertionError("a wrong status was taken")
    except statuspageio.ResourceError as error:
        assert "status" in str(error.errors), error.errors


def pystatuspage():
    # It has the hosts of statuspage.io built in, and v2 in the place of v1.
    old.PRIVATE_API_URL = url + "/v1/pages/"
    client = old.StatusPageApi(page, token)
    client._public_url = url + "/api/v2/"
    # It fails at fields that it does not know, so what statuspage.io has come to tell since is left out.
    known = ("id", "status", "name", "created_at", "description", "page_id", "position", "updated_at", "group_id", "group",
             "only_show_if_degraded")
    told = requests.get(url + "/api/v2/components.json", timeout=10).json()["components"]
    found = [old.StatusPageComponent(**{name: it[name] for name in known}) for it in told]
    client.update_component(next(it for it in found if it.id == component), "partial_outage")


def the_old_updater():
    """What the function that this project takes over from sends: JSON without a content type."""
    body = json.dumps({"component": {"status": "operational"}}).encode()
    request = urllib.request.Request(f"{url}/v1/pages/{page}/components/{component}", body, method="PATCH")
    request.add_header("Authorization", "OAuth " + token)
    request.add_header("Content-Type", "")
    assert json.load(urllib.request.urlopen(request, timeout=10))["status"] == "operational"


for client in (atlassian_statuspage, the_old_updater, crunch_statuspageio, pystatuspage):
    client()
    print("ok", client.__name__)
