//! What is kept of notices between runs: one record for all homes of a prober. Pure.

use notify::event::Stage;
use serde::{Deserialize, Serialize};
use shared::id::ComponentId;

/// The longest record, in bytes, to which the version that was read is added: Parameter Store keeps 4096 in its standard tier.
const MAX_RECORD: usize = 3460;

/// The outages of which people know, and the notices that are on their way. Times are in seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NoticeRecord {
    /// Those of which people know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outages: Vec<Outage>,
    /// Those on their way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Notice>,
    /// Homes whose outages have ended not long ago.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lately: Vec<Lately>,
    /// When the hour began of which `made` notices are.
    #[serde(skip_serializing_if = "is_zero")]
    pub hour: i64,
    /// How many began something in that hour.
    #[serde(skip_serializing_if = "is_zero")]
    pub made: i64,
}

/// A home whose outages have followed each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lately {
    /// The home.
    pub home: ComponentId,
    /// When the last of them ended.
    pub ended: i64,
    /// How many there were.
    pub count: i64,
}

/// Homes that fell in one run, for which a notice was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// Since when.
    pub since: i64,
    /// When the last notice of it was made.
    pub last: i64,
    /// The homes.
    #[serde(with = "homes")]
    pub homes: Vec<ComponentId>,
    /// What it is called by, where it is of several homes: the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<ComponentId>,
    /// The label of its cause.
    pub cause: String,
    /// How often it has begun, of one that comes and goes; 0 of any other.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub count: i64,
    /// Of one that comes and goes: since when it is up; 0 while it is not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub up: i64,
}

/// A notice that not all channels have yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// How far it has come.
    #[serde(with = "stage")]
    pub stage: Stage,
    /// Since when.
    pub since: i64,
    /// When it was made.
    pub at: i64,
    /// The homes.
    #[serde(with = "homes")]
    pub homes: Vec<ComponentId>,
    /// The label of its cause.
    pub cause: String,
    /// When the homes were up again; 0 while they are not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ended: i64,
    /// What its outage is called by, where all of that is meant, and it is of several homes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<ComponentId>,
    /// How often its outage has begun, where that comes and goes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub count: i64,
    /// How many runs have sent it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tries: i64,
    /// The channels that have not taken it.
    pub left: Vec<String>,
    /// Who sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
}

/// A run that sends a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Its id.
    pub run: String,
    /// When.
    pub at: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
const fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Notice {
    /// Whether it is that notice, of which homes may have gone meanwhile.
    pub(super) fn is(&self, other: &Self) -> bool {
        let is_of_both = self.homes.iter().any(|home| other.homes.contains(home));
        (self.stage, self.since, self.at) == (other.stage, other.since, other.at) && is_of_both
    }
}

impl NoticeRecord {
    /// The record, made smaller where it would be too long: of notices on their way the oldest are given up, and of outages those
    /// that began nearest to each other become one.
    pub(super) fn fitting(&self) -> Self {
        let mut record = self.clone();
        while record.length() > MAX_RECORD && record.shrink() {}
        record
    }

    fn length(&self) -> usize {
        serde_json::to_string(&self.compact()).map_or(usize::MAX, |text| text.len())
    }

    /// As it is written: a notice about all homes of one outage does not name them again.
    pub(super) fn compact(&self) -> Self {
        let mut record = self.clone();
        for notice in &mut record.open {
            if self.outage_of(notice).is_some_and(|outage| outage.homes == notice.homes) {
                notice.homes.clear();
            }
        }
        record
    }

    /// As it was before it was written.
    pub(super) fn whole(&self) -> Self {
        let mut record = self.clone();
        for notice in record.open.iter_mut().filter(|notice| notice.homes.is_empty()) {
            notice.homes = self.outage_of(notice).map(|outage| outage.homes.clone()).unwrap_or_default();
        }
        record
    }

    /// The outage that a notice is about, where only one began then.
    fn outage_of(&self, notice: &Notice) -> Option<&Outage> {
        let mut all = self.outages.iter().filter(|outage| outage.since == notice.since && notice.stage != Stage::Ended);
        all.next().filter(|_| all.next().is_none())
    }

    fn shrink(&mut self) -> bool {
        if self.lately.pop().is_some() {
            return true;
        }
        if self.open.len() > 1 {
            let oldest = self.open.iter().enumerate().min_by_key(|(_, notice)| notice.at).map_or(0, |(index, _)| index);
            self.open.remove(oldest);
            return true;
        }
        self.outages.sort_by_key(|outage| outage.since);
        let gaps = self.outages.windows(2).enumerate().map(|(index, pair)| (pair[1].since - pair[0].since, index));
        if let Some((_, index)) = gaps.min() {
            let later = self.outages.remove(index + 1);
            let earlier = &mut self.outages[index];
            earlier.last = earlier.last.max(later.last);
            earlier.homes.extend(later.homes);
            return true;
        }
        // One notice and one outage about more homes than there may be.
        self.open.pop().is_some() || self.outages.pop().is_some()
    }

    /// Whether a notice is on its way.
    pub(super) fn is_on_its_way(&self) -> bool {
        !self.open.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.outages.is_empty() && self.open.is_empty()
    }
}

/// Ids, each as long as all others, without anything between them.
mod homes {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error};
    use shared::id::{ComponentId, LENGTH};

    pub(super) fn serialize<S: Serializer>(homes: &[ComponentId], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&homes.iter().map(ComponentId::as_str).collect::<String>())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ComponentId>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let ids = text.as_bytes().chunks(LENGTH).map(|id| str::from_utf8(id).ok().and_then(|id| id.parse().ok()));
        ids.collect::<Option<_>>().ok_or_else(|| D::Error::custom("no ids"))
    }
}

mod stage {
    use notify::event::Stage;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
    pub(super) fn serialize<S: Serializer>(stage: &Stage, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(stage.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Stage, D::Error> {
        let text = String::deserialize(deserializer)?;
        let stage = [Stage::Began, Stage::Reminder, Stage::Ended].into_iter().find(|stage| stage.as_str() == text);
        stage.ok_or_else(|| D::Error::custom("no stage"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn homes(from: usize, count: usize) -> Vec<ComponentId> {
        (from..from + count).map(|number| format!("8kbf7d35{number:04}").parse().unwrap()).collect()
    }

    fn read_again(record: &NoticeRecord) -> NoticeRecord {
        let text = serde_json::to_string(&record.compact()).unwrap();
        serde_json::from_str::<NoticeRecord>(&text).unwrap().whole()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_record_is_never_too_long_and_is_read_as_it_was_written(
            groups in prop::collection::vec((1_i64..2_000_000_000, 1_usize..60), 0..100),
            open in prop::collection::vec((1_i64..2_000_000_000, 1_usize..60, 0_usize..20), 0..12),
        ) {
            let record = NoticeRecord {
                outages: groups.iter().enumerate().map(|(index, (since, count))| Outage {
                    since: *since, last: since + 60, homes: homes(index * 60, *count), cause: "unreachable".into(),
                    group: homes(index * 60, 1).pop(),
                    count: i64::try_from(index % 3).unwrap() * 3, up: 0,
                }).collect(),
                hour: 1_795_938_245,
                made: 20,
                lately: groups.iter().map(|(since, count)| Lately {
                    home: homes(0, 1).remove(0), ended: *since, count: i64::try_from(*count).unwrap(),
                }).collect(),
                open: open.iter().map(|(at, count, channels)| Notice {
                    stage: Stage::Ended, since: at - 600, at: *at, homes: homes(0, *count), cause: "unreachable".into(),
                    ended: *at,
                    count: 3,
                    group: homes(0, 1).pop(),
                    tries: 3,
                    left: vec!["uM8JttqoN6r8XCKj".into(); *channels],
                    claim: Some(Claim { run: "0123456789abcdef".into(), at: *at }),
                }).collect(),
            };
            let fitting = record.fitting();
            prop_assert!(fitting.length() <= MAX_RECORD, "{}", fitting.length());
            prop_assert_eq!(&read_again(&fitting), &fitting);
        }
    }

    #[test]
    fn all_the_homes_that_a_run_takes_fit_when_they_fall_at_once_and_no_channel_takes_it() {
        let notice = Notice {
            stage: Stage::Began,
            since: 1_795_938_245,
            at: 1_795_938_365,
            homes: homes(0, 200),
            cause: "unreachable".into(),
            ended: 0,
            count: 0,
            group: homes(0, 1).pop(),
            tries: 0,
            left: vec!["uM8JttqoN6r8XCKj".into(); 20],
            claim: Some(Claim { run: "0123456789abcdef".into(), at: 1_795_938_365 }),
        };
        let (since, last, cause) = (notice.since, notice.at, notice.cause.clone());
        let outage = Outage { since, last, homes: homes(0, 200), group: None, cause, count: 0, up: 0 };
        let record = NoticeRecord {
            outages: vec![outage],
            open: vec![notice],
            hour: 1_795_938_365,
            made: 1,
            ..NoticeRecord::default()
        };
        assert_eq!((record.fitting(), read_again(&record)), (record.clone(), record));
    }
}
