//! Bodies as clients write them: what is meant is read, and what would be lost is refused by name.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    keeper::{COMPONENT, Keeper, PAGE, TOKEN},
    process::{command, run},
    skip::{program, skip},
};

use crate::world::{FORM, JSON, error, incidents, send};

fn component() -> String {
    format!("/v1/pages/{PAGE}/components/{COMPONENT}")
}

#[tokio::test]
async fn json_is_read_whatever_the_content_type_says() {
    let keeper = Keeper::start().await;
    for (turn, kind) in
        [None, Some(FORM), Some("text/plain"), Some("application/octet-stream"), Some("text/json"), Some("*/*")]
            .into_iter()
            .enumerate()
    {
        let status = if turn % 2 == 0 { "major_outage" } else { "operational" };
        let body = format!("\u{feff} {{\"component\":{{\"status\":\"{status}\"}}}}");
        let answer = send(&keeper, Method::PATCH, &component(), kind, body).await;
        assert_eq!((answer.0, answer.1["status"].as_str()), (200, Some(status)), "{kind:?}: {}", answer.1);
    }
    // A form without a type is one to Rack, too.
    let answer = send(&keeper, Method::PATCH, &component(), None, "component[status]=degraded_performance").await;
    assert_eq!((answer.0, answer.1["status"].as_str()), (200, Some("degraded_performance")));
    let reading = json!({"readings": [{"metric": "ping", "at": jiff::Timestamp::now(), "value": 1.0}]}).to_string();
    assert_eq!(send(&keeper, Method::POST, "/porchlight/v1/readings", None, reading).await.0, 201);
}

#[tokio::test]
async fn what_is_no_object_is_reported_in_a_sentence() {
    let keeper = Keeper::start().await;
    let twice = json!(r#"{"component":{"status":"operational"}}"#).to_string();
    let wide: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (kind, body, words) in [
        (Some(JSON), twice.clone().into_bytes(), "the body is a text that holds JSON: it was encoded twice"),
        (None, twice.into_bytes(), "encoded twice"),
        (
            Some(JSON),
            br#"{"component":"{\"status\":\"operational\"}"}"#.to_vec(),
            "component is a text that holds JSON",
        ),
        (Some(FORM), br#"component={"status":"operational"}"#.to_vec(), "component is a text that holds JSON"),
        (Some(JSON), wide, "UTF-16"),
        (Some(FORM), b"component[name]=caf%E9".to_vec(), "`component[name]` is not UTF-8"),
        (Some(JSON), b"{\"component\":{\"name\":\"caf\xe9\"}}".to_vec(), "not JSON"),
    ] {
        let answer = send(&keeper, Method::PATCH, &component(), kind, body).await;
        assert_eq!(answer.0, 400, "{}", answer.1);
        assert!(error(&answer).contains(words), "{words}: {}", answer.1);
    }
}

#[tokio::test]
async fn forms_are_read_as_rails_reads_them() {
    let keeper = Keeper::start().await;
    for list in [
        "incident[component_ids]=8kbf7d35c070",
        "incident[component_ids][]=8kbf7d35c070",
        "incident[component_ids][0]=8kbf7d35c070",
        "incident[components][]=8kbf7d35c070",
        "incident[components][0]=8kbf7d35c070",
        "incident[components][8kbf7d35c070]=operational",
    ] {
        let body = format!("incident[name]=x&incident[message]=As+of+old&incident[deliver_notifications]=f&{list}");
        let answer = send(&keeper, Method::POST, &incidents(), Some(FORM), body).await;
        assert_eq!(answer.0, 201, "{list}: {}", answer.1);
        assert_eq!(answer.1["components"][0]["id"], COMPONENT, "{list}: {}", answer.1);
        let update = &answer.1["incident_updates"][0];
        assert_eq!((&update["body"], &update["deliver_notifications"]), (&json!("As of old"), &json!(false)));
    }
    for (value, read) in [("t", true), ("F", false), ("on", true), ("off", false), ("True", true), ("False", false)] {
        let body = format!("component[showcase]={value}");
        let answer = send(&keeper, Method::PATCH, &component(), Some(FORM), body).await;
        assert_eq!((answer.0, answer.1["showcase"].as_bool()), (200, Some(read)), "{value}");
    }
    let checked = "component[showcase]=0&component[showcase]=1";
    assert_eq!(send(&keeper, Method::PATCH, &component(), Some(FORM), checked).await.1["showcase"], true);
}

#[tokio::test]
async fn a_form_in_parts_is_read_as_curl_sends_it() {
    let Some(curl) = program("curl") else {
        return skip("a_form_in_parts_is_read_as_curl_sends_it", "curl is missing");
    };
    let keeper = Keeper::start().await;
    let url = format!("{}{}.json", keeper.url, incidents());
    let posts = async |fields: &[&str]| {
        let mut call = command(&curl);
        call.args(["--silent", "--noproxy", "*", "--header", &format!("Authorization: OAuth {TOKEN}"), &url]);
        for field in fields {
            call.args(["--form", field]);
        }
        let ended = run(call, std::time::Duration::from_secs(20)).await;
        serde_json::from_str::<Value>(&ended.stdout).expect("JSON")
    };
    let made =
        posts(&["incident[name]=Line down", "incident[component_ids][]=8kbf7d35c070", "incident[body]=a\n b & c=d"])
            .await;
    assert_eq!(made["incident_updates"][0]["body"], "a\n b & c=d", "{made}");
    assert_eq!(made["components"][0]["id"], COMPONENT);
    let refused = posts(&["incident[name]=x", "incident[body]=@/dev/null;filename=notes.txt"]).await;
    assert_eq!(refused["error"], json!(["incident[body]: is a file, and only texts are taken"]));
}

#[tokio::test]
async fn what_would_be_lost_is_refused_by_name_and_what_says_nothing_passes() {
    let keeper = Keeper::start().await;
    let made = send(&keeper, Method::POST, &incidents(), Some(JSON), r#"{"incident":{"name":"x","body":"y"}}"#).await.1;
    let one = format!("{}/{}", incidents(), made["id"].as_str().expect("an id"));
    for (body, words) in [
        ("incident[mesage]=The+line+is+cut", "mesage: is not known here, and what it says would be lost; known are"),
        ("incident[body]=a&incident[message]=b", "message: is the old name of body: send one of them"),
        ("incident[name]=x&body=The+line+is+cut", "body: stands beside incident, where it would be lost"),
        ("incident[name]=x&component_ids[]=8kbf7d35c070", "send it as incident[component_ids]"),
        ("incident[name]=x&foo=bar", "foo: stands beside incident, where it would be lost"),
        ("incident[name]=x&deliver_notifications=false", "deliver_notifications: stands beside incident"),
        ("incident[name]=x&incidents[body]=The+line+is+cut", "incidents: stands beside incident"),
        ("incident[component_ids]=8kbf7d35c070&incident[component_ids]=8kbf7d35c071", "is there twice"),
        ("incident[postmortem_body]=It+was+the+cat", "postmortem_body: is set by a call of …/postmortem"),
        ("incident[backfill_date]=2026-11-01", "backfill_date: cannot be changed afterwards"),
        ("incident[components][][id]=8kbf7d35c070", "components: must map component ids to statuses"),
    ] {
        let answer = send(&keeper, Method::PATCH, &one, Some(FORM), body).await;
        assert_eq!(answer.0, if words == "is there twice" { 400 } else { 422 }, "{body}: {}", answer.1);
        assert!(error(&answer).contains(words), "{body}: {}", answer.1);
    }
    let harmless = "incident[wants_twitter_update]=f&incident[auto_tweet_on_creation]=1&incident[scheduled_remind_prior]=\
                    &incident[postmortem_ignored]=false&utf8=%E2%9C%93&authenticity_token=a%2Fb&commit=Save&_method=patch&api_key=x&debug=0&empty=";
    let answer = send(&keeper, Method::PATCH, &one, Some(FORM), harmless).await;
    assert_eq!(answer.0, 200, "{}", answer.1);
    let answer = send(&keeper, Method::PUT, &one, Some(JSON), json!({"incident": made}).to_string()).await;
    assert_eq!(answer.0, 200, "what the keeper returned can be sent back: {}", answer.1);
    let returned = send(&keeper, Method::GET, &component(), None, "").await.1;
    let answer = send(&keeper, Method::PUT, &component(), Some(JSON), json!({"component": returned}).to_string()).await;
    assert_eq!(answer.0, 200, "{}", answer.1);
    let page = format!("/v1/pages/{PAGE}");
    let returned = send(&keeper, Method::GET, &page, None, "").await.1;
    assert_eq!(send(&keeper, Method::PUT, &page, Some(JSON), json!({"page": returned}).to_string()).await.0, 200);
}

#[tokio::test]
async fn a_fraction_of_a_second_does_not_refuse_a_bulk() {
    let keeper = Keeper::start().await;
    let metric = keeper.metric("Latency").await;
    let now = jiff::Timestamp::now().as_second() / 30 * 30;
    let path = format!("/v1/pages/{PAGE}/metrics/data");
    let points = format!(
        r#"[{{"timestamp":{now},"value":1}},{{"timestamp":{}.9,"value":2}},{{"timestamp":"{}.5","value":"3"}},{{"timestamp":{}e0,"value":4}}]"#,
        now - 30 + 14,
        now - 60,
        now - 90
    );
    let answer = send(&keeper, Method::POST, &path, Some(JSON), format!(r#"{{"data":{{"{metric}":{points}}}}}"#)).await;
    assert_eq!(answer.0, 202, "{}", answer.1);
    let slots: Vec<_> =
        answer.1[&metric].as_array().expect("a list").iter().map(|it| it["timestamp"].as_i64()).collect();
    assert_eq!(
        slots,
        [Some(now), Some(now - 30), Some(now - 60), Some(now - 90)],
        "rounded down, then moved to a slot"
    );
    let form = format!(
        "data[{metric}][0][timestamp]={now}&data[{metric}][0][value]=1&data[{metric}][1][timestamp]={now}.7&data[{metric}][1][value]=2"
    );
    let answer = send(&keeper, Method::POST, &path, Some(FORM), form).await;
    assert_eq!(answer.0, 202, "{}", answer.1);
    let single = format!("/v1/pages/{PAGE}/metrics/{metric}/data");
    let answer =
        send(&keeper, Method::POST, &single, Some(FORM), format!("data[timestamp]={now}.25&data[value]=5")).await;
    assert_eq!((answer.0, answer.1["data"]["timestamp"].as_i64()), (201, Some(now)));
    let wrong = format!("data[{metric}][][timestamp]=2026-11-29T22:00:00&data[{metric}][][value]=1");
    let answer = send(&keeper, Method::POST, &path, Some(FORM), wrong).await;
    assert_eq!(answer.0, 422);
    assert!(error(&answer).contains("timestamp: must be a number of seconds since 1970"), "{}", answer.1);
}

#[tokio::test]
async fn no_text_with_a_nothing_in_it_is_stored() {
    let keeper = Keeper::start().await;
    let metric = keeper.metric("Latency").await;
    let (page, metrics) = (format!("/v1/pages/{PAGE}"), format!("/v1/pages/{PAGE}/metrics/{metric}"));
    let (components, own) = (format!("{page}/components"), "/porchlight/v1".to_owned());
    let at = jiff::Timestamp::now();
    for (method, path, kind, body) in [
        (Method::POST, incidents(), JSON, r#"{"incident":{"name":"a\u0000b"}}"#.to_owned()),
        (Method::POST, incidents(), JSON, r#"{"incident":{"name":"x","body":"a\u0000b"}}"#.into()),
        (Method::POST, incidents(), JSON, r#"{"incident":{"name":"x","metadata":{"a\u0000":{"b":1}}}}"#.into()),
        (Method::POST, incidents(), JSON, r#"{"incident":{"name":"x","metadata":{"a":{"b":["\u0000"]}}}}"#.into()),
        (Method::POST, incidents(), JSON, r#"{"incident":{"name":"x","component_ids":["8kbf7d35c07\u0000"]}}"#.into()),
        (Method::POST, incidents(), FORM, "incident[name]=x&incident[body]=a%00b".into()),
        (Method::POST, incidents(), FORM, "incident[name]=x&incident[metadata][a%00][b]=1".into()),
        (Method::PATCH, component(), FORM, "component[description]=%00".into()),
        (Method::POST, components, JSON, r#"{"component":{"name":"\u0000"}}"#.into()),
        (Method::PATCH, page, JSON, r#"{"page":{"page_description":"\u0000"}}"#.into()),
        (Method::PATCH, metrics, FORM, "metric[name]=%00".into()),
        (Method::GET, format!("{}?q=%00", incidents()), JSON, String::new()),
        (Method::GET, format!("{own}/series?metric=ping%00"), JSON, String::new()),
        (Method::PUT, format!("{own}/state/dns"), JSON, r#"{"address":"\u0000"}"#.into()),
        (
            Method::POST,
            format!("{own}/readings"),
            JSON,
            format!(r#"{{"readings":[{{"metric":"ping","at":"{at}","failure":"a\u0000b"}}]}}"#),
        ),
    ] {
        let answer = send(&keeper, method, &path, Some(kind), body.clone()).await;
        assert_eq!(answer.0, 422, "{path} {body}: {}", answer.1);
        assert!(error(&answer).contains("holds the character U+0000"), "{path} {body}: {}", answer.1);
    }
    let readings = format!(
        r#"{{"readings":[{{"metric":"ping","at":"{at}","value":1.0}},{{"metric":"ping","at":"{at}","failure":"a\u0000b"}}]}}"#
    );
    let answer = send(&keeper, Method::POST, &format!("{own}/readings"), Some(JSON), readings).await;
    assert!(error(&answer).contains("\"readings[1].failure: holds"), "{}", answer.1);
    assert_eq!(send(&keeper, Method::GET, &format!("{}/a%00b", incidents()), None, "").await.0, 404);
}

#[tokio::test]
async fn a_search_finds_what_it_says_and_no_pattern() {
    let keeper = Keeper::start().await;
    for name in ["100% loss", "under_score", r"back\slash", "Plain"] {
        let body = json!({"incident": {"name": name, "status": "investigating"}}).to_string();
        assert_eq!(send(&keeper, Method::POST, &incidents(), Some(JSON), body).await.0, 201);
    }
    for (query, found) in
        [("%25", 1), ("_", 1), ("%5C", 1), ("100%25+LOSS", 1), ("a%25n", 0), ("p_ain", 0), ("lain", 1)]
    {
        let answer = send(&keeper, Method::GET, &format!("{}?q={query}", incidents()), None, "").await;
        assert_eq!(answer.1.as_array().map(Vec::len), Some(found), "{query}: {}", answer.1);
    }
}
