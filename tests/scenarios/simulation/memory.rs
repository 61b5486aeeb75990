//! What is remembered between runs: the record in its store, and what instances of the prober keep of it. As the product's
//! `State`, without its files and parameters.

use lambda_prober::kept::state::{Finding, StateRecord};

use super::{
    rng::{MINUTE, Ms},
    weather::{StateFault, Weather},
};

/// How long a warm instance goes by its memory.
const TRUST: Ms = 10 * MINUTE;

/// The record could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unavailable;

#[derive(Debug, Default)]
struct Instance {
    at_work: bool,
    remembered: Option<(StateRecord, Ms)>,
}

#[derive(Debug)]
pub(crate) struct Memory<'w> {
    weather: &'w Weather,
    stored: Option<StateRecord>,
    before: Vec<(Ms, Option<StateRecord>)>,
    struck: usize,
    instances: Vec<Instance>,
}

impl<'w> Memory<'w> {
    pub(crate) fn new(weather: &'w Weather) -> Self {
        Self { weather, stored: None, before: Vec::new(), struck: 0, instances: Vec::new() }
    }

    /// An instance that has nothing to do.
    pub(crate) fn engage(&mut self) -> usize {
        let free = self.instances.iter().position(|instance| !instance.at_work);
        let number = free.unwrap_or_else(|| {
            self.instances.push(Instance::default());
            self.instances.len() - 1
        });
        self.instances[number].at_work = true;
        number
    }

    pub(crate) fn release(&mut self, instance: usize) {
        self.instances[instance].at_work = false;
    }

    /// The instance is gone, with what it remembered.
    pub(crate) fn lose(&mut self, instance: usize) {
        self.instances[instance] = Instance::default();
    }

    /// What the instance remembers, if that is recent and it has not been replaced meanwhile.
    pub(crate) fn remembered(&self, instance: usize, now: Ms) -> Option<&StateRecord> {
        let (record, at) = self.instances[instance].remembered.as_ref()?;
        let starts = &self.weather.cold_starts;
        let replaced = starts[starts.partition_point(|start| start <= at)..].first().is_some_and(|start| *start <= now);
        (now - at < TRUST && !replaced).then_some(record)
    }

    pub(crate) fn remember(&mut self, instance: usize, now: Ms, kept: Result<StateRecord, Unavailable>) {
        self.instances[instance].remembered = kept.ok().map(|record| (record, now));
    }

    pub(crate) fn read(&mut self, now: Ms) -> Result<Option<StateRecord>, Unavailable> {
        self.strike(now);
        if self.weather.no_state.at(now).is_some() { Err(Unavailable) } else { Ok(self.stored.clone()) }
    }

    pub(crate) fn write(&mut self, now: Ms, record: &StateRecord) -> Result<(), Unavailable> {
        self.strike(now);
        if self.weather.no_state.at(now).is_some() {
            return Err(Unavailable);
        }
        self.before.push((now, self.stored.replace(record.clone())));
        Ok(())
    }

    /// Whether a run that finds nothing new would leave store and memory as they are.
    pub(crate) fn is_settled(&mut self, now: Ms, finding: &Finding<'_>) -> bool {
        self.strike(now);
        let first = self.instances.first().and_then(|instance| instance.remembered.as_ref());
        first.is_some_and(|(record, _)| Some(record) == self.stored.as_ref() && !finding.needs_record(Some(record)))
    }

    /// Lets the record suffer what it suffers until then.
    fn strike(&mut self, now: Ms) {
        while let Some((at, fault)) = self.weather.state_faults.get(self.struck).filter(|(at, _)| *at <= now) {
            self.struck += 1;
            self.stored = match fault {
                StateFault::Lost => None,
                StateFault::Stale(age) => {
                    // What was replaced first after that time is what was there then.
                    let then = self.before.iter().find(|(replaced, _)| *replaced > at - age);
                    then.map_or_else(|| self.stored.clone(), |(_, record)| record.clone())
                }
            };
        }
    }
}
