//! The events that trigger a run in the cloud: of an EventBridge rule, of EventBridge Scheduler, or with targets.

use serde_json::Value;

use crate::target::{Targets, WrongTargets};

/// An event that triggers a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A schedule without an input of its own: probe the targets of the settings.
    Scheduled,
    /// `{"targets":[…]}`: probe these.
    Targets(Targets),
}

/// An event that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WrongEvent {
    #[error("the event's targets cannot be used: {0}")]
    Targets(#[from] WrongTargets),
    #[error(r#"the event is neither a schedule's nor {{"targets":[{{"url":…,"page_id":…,"component_id":…}}]}}"#)]
    Unknown,
}

impl TryFrom<Value> for Event {
    type Error = WrongEvent;

    /// Only `source` of a schedule's envelope is used: a rule sends `"detail":{}`, Scheduler `"detail":"{}"`.
    fn try_from(mut event: Value) -> Result<Self, WrongEvent> {
        if let Some(targets) = event.get_mut("targets") {
            return Ok(Self::Targets(Targets::from_json(targets.take())?));
        }
        match event.get("source").and_then(Value::as_str) {
            Some("aws.events" | "aws.scheduler") => Ok(Self::Scheduled),
            _ => Err(WrongEvent::Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_schedules_are_recognised() {
        let rule = json!({"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}});
        let scheduler = json!({"version": "0", "source": "aws.scheduler", "detail": "{}"});
        assert_eq!(Event::try_from(rule), Ok(Event::Scheduled));
        assert_eq!(Event::try_from(scheduler), Ok(Event::Scheduled));
    }

    #[test]
    fn targets_of_the_event_are_read() {
        let target = json!({"url": "http://h", "page_id": "gytm4qzbx9t6", "component_id": "8kbf7d35c070"});
        assert!(matches!(Event::try_from(json!({"targets": [target]})), Ok(Event::Targets(_))));
        let error = Event::try_from(json!({"targets": [{"url": "http://h"}]})).unwrap_err();
        assert!(error.to_string().contains("target 1: missing field `page_id`"), "{error}");
    }

    #[test]
    fn other_events_are_refused() {
        for other in [json!({}), json!(null), json!([]), json!({"key1": "value1"}), json!({"source": "aws.s3"})] {
            assert_eq!(Event::try_from(other), Err(WrongEvent::Unknown));
        }
    }
}
