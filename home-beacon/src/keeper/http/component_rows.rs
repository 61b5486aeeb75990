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
        rows.extend(group.map(|group| group_row(&group, members.iter().map(|(component, _)| component))));
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
fn group_row<'a>(group: &Group, members: impl Iterator<Item = &'a Component>) -> Value {
    let Group { id, page_id, name, description, components, position, created_at, updated_at } = group;
    let status = worst(members.map(|member| member.status)).map_or("", ComponentStatus::as_str);
    json!({
        "id": id, "page_id": page_id, "name": name, "description": description, "status": status, "position": position,
        "created_at": created_at, "updated_at": updated_at, "group": true, "group_id": null, "components": components,
        "showcase": false, "start_date": null, "only_show_if_degraded": false,
    })
}
