// Reads a keeper's page with the npm package statuspage.io: every document that it knows.
// node read.mjs URL TOKEN PAGE COMPONENT; ends with 1 when one is not as the package's types say.

import assert from "node:assert/strict";
import statuspage from "statuspage.io";

const [url, token, page, component] = process.argv.slice(2);

const open = async incident => {
  const answer = await fetch(`${url}/v1/pages/${page}/incidents.json`, {
    method: "POST",
    headers: { authorization: `OAuth ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ incident }),
  });
  assert.equal(answer.status, 201, await answer.clone().text());
  return answer.json();
};
await open({ name: "Line down", body: "Looking", component_ids: [component] });
await open({ name: "Storm", status: "resolved" });
await open({ name: "New router", scheduled_for: "2026-12-01T08:00:00Z", scheduled_until: "2026-12-01T09:00:00Z" });

const client = new statuspage.Statuspage(page);
client.setApiUrl(url);
const names = list => list.map(entry => entry.name).sort();
const strings = (entry, ...fields) => fields.forEach(field => assert.equal(typeof entry[field], "string", field));

const { api } = client;
for (const told of [await api.getStatus(), await api.getComponents(), await api.getSummary()]) {
  strings(told.page, "id", "name", "time_zone", "updated_at", "url");
}
const all = await api.incidents.getAll();
assert.deepEqual(names(all.incidents), ["Line down", "Storm"]);
assert.deepEqual(names((await api.incidents.getUnresolved()).incidents), ["Line down"]);
const planned = await api.scheduledMaintenances.getAll();
assert.deepEqual(names(planned.scheduled_maintenances), ["New router"]);
strings(planned.scheduled_maintenances[0], "scheduled_for", "scheduled_until");
assert.deepEqual(names((await api.scheduledMaintenances.getUpcoming()).scheduled_maintenances), ["New router"]);
// This version asks for the upcoming ones here, too.
await api.scheduledMaintenances.getActive();
for (const incident of [...all.incidents, ...planned.scheduled_maintenances]) {
  strings(incident, "created_at", "id", "impact", "name", "page_id", "shortlink", "status", "updated_at");
  assert.equal((await fetch(incident.shortlink)).status, 200, incident.shortlink);
}
