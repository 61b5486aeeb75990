//! Components and groups as `/api/v2` lists them.

use serde_json::{Value, json};
use shared::statuspage::ComponentStatus;

use super::{AppState, HttpError};
use crate::keeper::{
    looks::shown::Looked,
    status::{
        Component,
        groups::{self, Group, arranged, worst},
    },
};

/// Each component with when it was looked at beside its status; a group before its components.
pub(super) async fn rows(state: &AppState, all: &[(Component, Looked)]) -> Result<Vec<Value>, HttpError> {
    let groups = groups::of(&state.db, &state.page, all.iter().map(|(component, _)| component)).await?;
    let mut rows = Vec::new();
    for place in arranged(all.iter().collect(), groups, |(component, _)| component) {
        let (group, members) = place.into_components();
        rows.extend(group.map(|group| group_row(&group, &members)));
        for (component, looked) in members {
            let row = serde_json::to_value(component);
            let mut row = row.map_err(|_| HttpError::unavailable("the components cannot be told"))?;
            row["porchlight"] = looked.public();
            rows.push(row);
        }
    }
    Ok(rows)
}

/// A group as statuspage.io lists it among the components: as bad as the worst of them.
fn group_row(group: &Group, members: &[&(Component, Looked)]) -> Value {
    let Group { id, page_id, name, description, components, position, created_at, updated_at } = group;
    let status = worst(members.iter().map(|(member, _)| member.status)).map_or("", ComponentStatus::as_str);
    json!({
        "id": id, "page_id": page_id, "name": name, "description": description, "status": status, "position": position,
        "created_at": created_at, "updated_at": updated_at, "group": true, "group_id": null, "components": components,
        "porchlight": looked_at(members),
        "showcase": false, "start_date": null, "only_show_if_degraded": false,
    })
}

/// Of a group, what holds of the member that nobody has looked at for longest: what is said of the group is no newer.
fn looked_at(members: &[&(Component, Looked)]) -> Value {
    let expected = members.iter().filter(|(component, _)| component.looks).map(|(_, looked)| looked);
    let oldest = expected.max_by_key(|looked| looked.age().map_or(i64::MAX, |age| age.as_secs()));
    oldest.map_or_else(|| Looked::default().public(), Looked::public)
}
