//! Groups of components: in the Manage API, in the public one, and on the page.

use reqwest::Method;
use serde_json::{Value, json};
use tests::keeper::{COMPONENT, Keeper, TOKEN};

use super::{path, public, refused};

async fn component(keeper: &Keeper, name: &str) -> String {
    let made = keeper.ok(Method::POST, &path("components"), Some(json!({"component": {"name": name}}))).await;
    made["id"].as_str().expect("an id").to_owned()
}

async fn group_of(keeper: &Keeper, component: &str) -> Value {
    keeper.ok(Method::GET, &path(&format!("components/{component}")), None).await["group_id"].clone()
}

#[tokio::test]
async fn components_of_a_group_are_shown_together_and_freed_with_it() {
    let keeper = Keeper::start().await;
    let (nas, camera) = (component(&keeper, "NAS").await, component(&keeper, "Camera <1>").await);
    let body = json!({"description": "In the cellar", "component_group": {"name": "Cellar & co", "components": [COMPONENT, camera]}});
    let group = keeper.ok(Method::POST, &path("component-groups"), Some(body)).await;
    let id = group["id"].as_str().expect("an id");
    assert_eq!((&group["description"], &group["position"]), (&json!("In the cellar"), &json!("4")), "{group}");
    assert_eq!(group["components"], json!([COMPONENT, camera]));
    assert_eq!((group_of(&keeper, &camera).await, group_of(&keeper, &nas).await), (json!(id), Value::Null));

    let rows = public(&keeper, "components").await["components"].clone();
    let rows: Vec<_> = rows
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| (&row["name"], &row["group"], &row["group_id"]))
        .map(|(name, is, of)| json!([name, is, of]))
        .collect();
    let expected = [
        json!(["NAS", false, null]),
        json!(["Cellar & co", true, null]),
        json!(["Home internet", false, id]),
        json!(["Camera <1>", false, id]),
    ];
    assert_eq!(rows, expected);
    keeper.set_status("partial_outage").await;
    let summary = public(&keeper, "summary").await;
    let row = &summary["components"][1];
    assert_eq!((&row["status"], &row["components"]), (&json!("partial_outage"), &json!([COMPONENT, camera])), "{row}");
    let page = keeper.page().await;
    let order = ["NAS", "Cellar &#38; co</p>", "Home internet", "Camera &#60;1&#62;"];
    let places: Vec<_> = order.iter().map(|text| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"))).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert_eq!(page.matches("role=\"group\"").count(), 1);

    let one = path(&format!("component-groups/{id}"));
    let body = json!({"component_group": {"name": "Cellar", "components": [nas, camera]}});
    let changed = keeper.ok(Method::PATCH, &one, Some(body)).await;
    assert_eq!((&changed["components"], &changed["description"]), (&json!([nas, camera]), &json!("In the cellar")));
    assert_eq!(group_of(&keeper, COMPONENT).await, Value::Null);
    keeper.ok(Method::PUT, &one, Some(json!({"component_group": changed}))).await;
    assert_eq!(
        keeper.ok(Method::GET, &path("component-groups"), None).await,
        json!([keeper.ok(Method::GET, &one, None).await])
    );

    let deleted = keeper.ok(Method::DELETE, &one, None).await;
    assert_eq!(deleted["components"], json!([nas, camera]));
    assert_eq!([group_of(&keeper, &nas).await, group_of(&keeper, &camera).await], [Value::Null, Value::Null]);
    assert!(!keeper.page().await.contains("role=\"group\""));
    assert_eq!(keeper.ok(Method::GET, &path("component-groups"), None).await, json!([]));
}

#[tokio::test]
async fn a_component_leaves_its_group_by_null_nothing_or_the_word() {
    let keeper = Keeper::start().await;
    let body = json!({"component_group": {"name": "Cellar", "components": [COMPONENT]}});
    let group = keeper.ok(Method::POST, &path("component-groups"), Some(body)).await["id"].clone();
    let one = path(&format!("components/{COMPONENT}"));
    for out in [json!(null), json!(""), json!("null")] {
        let inside = keeper.ok(Method::PATCH, &one, Some(json!({"component": {"group_id": group}}))).await;
        assert_eq!(inside["group_id"], group);
        let other = keeper.ok(Method::PATCH, &one, Some(json!({"component": {"name": "Line"}}))).await;
        assert_eq!(other["group_id"], group, "what is not said stays");
        let outside = keeper.ok(Method::PATCH, &one, Some(json!({"component": {"group_id": out}}))).await;
        assert_eq!(outside["group_id"], Value::Null, "{out}");
    }
    // It has lost its last one: nobody is shown it, and it can be filled again.
    assert_eq!(public(&keeper, "components").await["components"].as_array().map(Vec::len), Some(1));
    let left = keeper.ok(Method::GET, &path("component-groups"), None).await;
    assert_eq!((&left[0]["id"], &left[0]["components"]), (&group, &json!([])));
    let made = json!({"component": {"name": "NAS", "group_id": group}});
    assert_eq!(keeper.ok(Method::POST, &path("components"), Some(made)).await["group_id"], group);
    let Keeper { process, folder, .. } = keeper;
    process.terminate().await;
    let keeper = Keeper::restart(folder).await;
    let names = public(&keeper, "components").await["components"].clone();
    let names: Vec<_> = names.as_array().expect("a list").iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["Home internet", "Cellar", "NAS"], "the seed leaves groups alone");
}

#[tokio::test]
async fn groups_are_taken_as_forms_as_the_description_has_it() {
    let keeper = Keeper::start().await;
    let url = format!("{}{}", keeper.api(), path("component-groups"));
    let form = format!("description=Here&component_group[components][]={COMPONENT}&component_group[name]=Home");
    let request = keeper.http.post(&url).header("authorization", format!("OAuth {TOKEN}")).body(form);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let made: Value = request.send().await.expect("it answers").json().await.expect("JSON");
    assert_eq!((&made["description"], &made["components"]), (&json!("Here"), &json!([COMPONENT])), "{made}");
}

#[tokio::test]
async fn what_is_wrong_with_a_group_is_said_in_a_sentence() {
    let keeper = Keeper::start().await;
    let groups = "component-groups";
    let group =
        |name: &str, components: Value| Some(json!({"component_group": {"name": name, "components": components}}));
    let missing = "component-groups/zzzzzzzzzzzz";
    for (method, rest, body, status, words) in [
        (Method::POST, groups, group("", json!([COMPONENT])), 422, "name: can't be blank"),
        (Method::POST, groups, group("x", json!([])), 422, "components: can't be blank"),
        (Method::POST, groups, group("x", json!(null)), 422, "components: can't be blank"),
        (Method::POST, groups, group("x", json!("one")), 422, "components: `one` is no component id"),
        (Method::POST, groups, group("x", json!(["zzzzzzzzzzzz"])), 422, "components: component zzzzzzzzzzzz of page"),
        (Method::POST, groups, group(&"x".repeat(256), json!([COMPONENT])), 422, "name: may have 255 characters"),
        (Method::POST, groups, Some(json!({"name": "x"})), 400, "component_group is missing"),
        (
            Method::POST,
            groups,
            Some(json!({"name": "x", "component_group": {}})),
            422,
            "name: stands beside component_group",
        ),
        (Method::POST, groups, Some(json!({"component_group": {"nmae": "x"}})), 422, "nmae: is not known here"),
        (Method::GET, missing, None, 404, "component group zzzzzzzzzzzz of page"),
        (Method::PATCH, missing, group("x", json!([COMPONENT])), 404, "component group zzzzzzzzzzzz of page"),
        (Method::DELETE, missing, None, 404, "component group zzzzzzzzzzzz of page"),
        (Method::GET, "component-groups/x", None, 404, "this component group could not be found"),
        (Method::PUT, groups, group("x", json!([COMPONENT])), 405, "does not take that method"),
        (Method::GET, "component-groups?page=0", None, 422, "page: must be a number from 1"),
    ] {
        let (seen, said) = refused(&keeper, method.clone(), rest, body.clone()).await;
        assert_eq!((seen, said.contains(words)), (status, true), "{method} {rest} {body:?}: {said}");
    }
    let one = format!("components/{COMPONENT}");
    for (group, words) in [
        ("zzzzzzzzzzzz", "group_id: component group zzzzzzzzzzzz of page gytm4qzbx9t6 could not be found"),
        ("abc", "group_id: `abc` is none: an id is 12 lower-case letters"),
    ] {
        let (status, said) =
            refused(&keeper, Method::PATCH, &one, Some(json!({"component": {"group_id": group}}))).await;
        assert_eq!((status, said.contains(words)), (422, true), "{said}");
    }
}
