use serde_json::json;

use super::{
    super::{super::reply::fixtures::refused, parameters::Names},
    *,
};

const URL: &str = "https://abc.lambda-url.eu-central-1.on.aws/";
const PARAMETER: &str = "/porchlight/heartbeat-url";

/// A stack that is well.
fn well() -> AwsSeen {
    let prober =
        json!({"Environment": {"Variables": {"HEARTBEAT_TABLE": "hearts", "HEARTBEAT_URL_PARAMETER": PARAMETER}}});
    let names = Names::of(|name| (name == "HEARTBEAT_URL_PARAMETER").then_some(PARAMETER), None);
    let allow = |action: &str| json!({"Effect": "Allow", "Principal": "*", "Action": action});
    let receiver = ReceiverSeen {
        function: Reply::Is(json!({"State": "Active", "Environment": {"Variables":
            {"RECEIVE_HEARTBEATS": "true", "HEARTBEAT_TABLE": "arn:aws:dynamodb:eu-central-1:1:table/hearts"}}})),
        url: Reply::Is(json!({"FunctionUrl": URL, "AuthType": "NONE"})),
        policy: Reply::Is(json!({"Statement": PERMISSIONS.map(allow)})),
        table: Reply::Is(json!({"Table": {"TableStatus": "ACTIVE", "KeySchema": [{"AttributeName": "home"}]}})),
    };
    let parameters = Reply::Is(json!({"Parameters": [{"Name": PARAMETER, "Value": URL, "Type": "String"}]}));
    AwsSeen { function: Reply::Is(prober), parameters, receiver, ..AwsSeen::not_asked("", names) }
}

fn change(reply: &mut Reply, by: impl FnOnce(&mut Value)) {
    let Reply::Is(is) = reply else { panic!("{reply:?}") };
    by(is);
}

type Change = fn(&mut AwsSeen);

#[test]
fn each_part_is_there_or_named() {
    let found = receiver("f", &well(), Some(URL.trim_end_matches('/')));
    assert_eq!((found.outcome, found.saw.contains("which this home sends to")), (Outcome::Ok, true), "{}", found.saw);
    let broken: [(&str, Change); 12] = [
        ("there is no function f-heartbeat", |aws| aws.receiver = ReceiverSeen::all_replied(&refused(MISSING))),
        ("was not deployed", |aws| change(&mut aws.receiver.function, |it| it["LastUpdateStatus"] = "Failed".into())),
        ("RECEIVE_HEARTBEATS", |aws| {
            change(&mut aws.receiver.function, |it| it["Environment"]["Variables"]["RECEIVE_HEARTBEATS"] = "no".into());
        }),
        ("keeps heartbeats in others, and the prober reads hearts", |aws| {
            change(&mut aws.receiver.function, |it| {
                it["Environment"]["Variables"]["HEARTBEAT_TABLE"] = "others".into();
            });
        }),
        ("there is no table hearts", |aws| aws.receiver.table = refused(MISSING)),
        ("is DELETING", |aws| change(&mut aws.receiver.table, |it| it["Table"]["TableStatus"] = "DELETING".into())),
        ("another key than home", |aws| change(&mut aws.receiver.table, |it| it["Table"]["KeySchema"] = json!([]))),
        ("there is no function URL", |aws| aws.receiver.url = refused(MISSING)),
        ("asks for a signature", |aws| change(&mut aws.receiver.url, |it| it["AuthType"] = "AWS_IAM".into())),
        ("nobody may call", |aws| aws.receiver.policy = refused(MISSING)),
        ("lacks the permission lambda:InvokeFunction", |aws| {
            change(&mut aws.receiver.policy, |it| {
                it["Statement"].as_array_mut().unwrap().pop();
            });
        }),
        ("/porchlight/heartbeat-url does not exist", |aws| aws.parameters = Reply::Is(json!({"Parameters": []}))),
    ];
    for (words, by) in broken {
        let mut aws = well();
        by(&mut aws);
        let found = receiver("f", &aws, Some(URL));
        assert_eq!(found.outcome, Outcome::Failed, "{words}: {found:?}");
        assert!(found.saw.contains(words) && found.next.is_some(), "{words}: {found:?}");
    }
}

#[test]
fn an_address_that_is_another_one_is_told_and_not_shown() {
    let other = "https://old.lambda-url.eu-central-1.on.aws/";
    let mut aws = well();
    change(&mut aws.parameters, |it| it["Parameters"][0]["Value"] = other.into());
    for found in [receiver("f", &aws, None), receiver("f", &well(), Some(other))] {
        assert_eq!(found.outcome, Outcome::Failed);
        let said = format!("{}{}", found.saw, found.next.unwrap());
        assert!(said.contains("another address") && !said.contains("lambda-url.eu"), "{said}");
    }
}

#[test]
fn what_may_not_be_seen_is_not_conclusive_and_what_is_broken_comes_first() {
    let mut aws = well();
    aws.receiver.policy = refused("AccessDeniedException");
    assert_eq!(receiver("f", &aws, None).outcome, Outcome::NotConclusive);
    aws.receiver.url = refused(MISSING);
    assert_eq!(receiver("f", &aws, None).outcome, Outcome::Failed);
    aws.receiver = ReceiverSeen::all_replied(&Reply::Silent("no answer".into()));
    assert_eq!(receiver("f", &aws, Some(URL)).outcome, Outcome::NotConclusive);
    aws.function = Reply::Silent("no answer".into());
    assert_eq!(receiver("f", &aws, Some(URL)).outcome, Outcome::NotConclusive);
}

#[test]
fn without_heartbeats_there_is_no_such_link_and_a_home_that_sends_them_to_nobody_is_told() {
    let mut aws = well();
    change(&mut aws.function, |it| it["Environment"]["Variables"] = json!({}));
    assert_eq!(receiver("f", &aws, None).outcome, Outcome::NotUsed);
    let found = receiver("f", &aws, Some(URL));
    assert!(found.outcome == Outcome::Failed && found.saw.contains("no HEARTBEAT_TABLE"), "{found:?}");
    let off = AwsSeen::not_asked("--no-aws", aws.names);
    assert_eq!(receiver("f", &off, Some(URL)).outcome, Outcome::NotUsed);
}
