//! The runs of checks that come with readings: their figures, what follows from them, and that they looked.

use jiff::Timestamp;

use super::{
    Recorder,
    ingest::{Series, feeds},
    series_rows::{find_or_make, set_unit},
};
use crate::{
    keeper::{
        KeeperError,
        checks::{
            figures::{self, FigureReading},
            results::{self, Ran},
        },
        db::Tx,
    },
    reading::Reading,
};

impl Recorder {
    /// Stores the figures of checks' runs, and what follows from these, the oldest first.
    pub(super) async fn store_runs(
        &self,
        tx: &mut Tx,
        readings: &[Reading],
        now: Timestamp,
    ) -> Result<Vec<Ran>, KeeperError> {
        let mut runs: Vec<&Reading> = readings.iter().filter(|reading| reading.check.is_some()).collect();
        runs.sort_by_key(|reading| reading.at);
        let mut ran = Vec::new();
        for reading in runs {
            for FigureReading { reading, unit, is_known } in figures::of(tx, reading).await? {
                let name = reading.metric.as_str();
                // The run itself is worth more than one more curve.
                let Ok(id) = find_or_make(tx, name).await? else { continue };
                let series = Series { id, feeds: feeds(tx, name).await? };
                self.store_reading(tx, &series, &reading, now).await?;
                if !is_known {
                    set_unit(tx, series.id, &unit).await?;
                }
            }
            ran.extend(results::learn(tx, &self.notices, reading, now).await?);
        }
        Ok(ran)
    }

    /// Stores readings and feeds the metrics that show them. A reading of the same metric and time replaces the earlier one,
    /// so that sending a batch again changes nothing.
    ///
    /// # Errors
    /// When a time cannot be right, or the storage fails; nothing is stored then.
    pub async fn add_readings(&self, readings: &[Reading]) -> Result<(), KeeperError> {
        self.add_readings_and(readings, Vec::new(), Vec::new()).await
    }

    /// Notes which checks have run: that they looked at components is written with the transaction that says so.
    pub(super) fn take_checks(&self, ran: &[Ran]) {
        if let Some(now) = self.clock.now_for_looks() {
            self.looks.take_checks(ran, now);
        }
    }
}
