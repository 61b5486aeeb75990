//! What takes many reads of the disk is made once for all visitors of a while, and once at a time: however many ask, the
//! database stays free for those who measure.

use std::{collections::HashMap, fmt, hash::Hash, sync::Arc};

use tokio::sync::Mutex;

use crate::keeper::KeeperError;

/// The most that is kept of a kind.
const MAX_KEPT: usize = 256;

/// Values that were made lately. Clones share them.
pub(in crate::keeper::http) struct Cache<K, V>(Arc<Mutex<HashMap<K, Kept<V>>>>);

struct Kept<V> {
    /// The stretch of time in which it was made.
    slot: i64,
    value: Arc<V>,
}

impl<K: Eq + Hash, V> Cache<K, V> {
    /// The value of that key and slot, made where it is not there yet.
    ///
    /// # Errors
    /// When it cannot be made; nothing is kept then.
    pub(in crate::keeper::http) async fn get(
        &self,
        key: K,
        slot: i64,
        make: impl Future<Output = Result<V, KeeperError>>,
    ) -> Result<Arc<V>, KeeperError> {
        // Held while it is made, so that those who ask meanwhile wait for it rather than make it, too.
        let mut kept = self.0.lock().await;
        if let Some(found) = kept.get(&key).filter(|found| found.slot == slot) {
            return Ok(Arc::clone(&found.value));
        }
        let value = Arc::new(make.await?);
        if kept.len() >= MAX_KEPT {
            // What was made longest ago.
            let oldest = kept.values().map(|kept| kept.slot).min();
            kept.retain(|_, kept| Some(kept.slot) != oldest);
        }
        kept.insert(key, Kept { slot, value: Arc::clone(&value) });
        Ok(value)
    }
}

impl<K, V> Clone for Cache<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cache")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_value_is_made_once_for_all_who_ask_within_a_while() {
        let (cache, made) = (Cache::<&str, u32>::default(), std::cell::Cell::new(0));
        let get = |slot| {
            cache.get("key", slot, async {
                made.set(made.get() + 1);
                tokio::task::yield_now().await;
                Ok(made.get())
            })
        };
        let (one, other) = tokio::join!(get(7), get(7));
        assert_eq!((*one.unwrap(), *other.unwrap(), made.get()), (1, 1, 1));
        assert_eq!((*get(8).await.unwrap(), made.get()), (2, 2));
    }

    #[tokio::test]
    async fn what_could_not_be_made_is_made_again_and_there_is_a_bound() {
        let cache = Cache::<usize, usize>::default();
        let failed = cache.get(0, 0, async { Err(KeeperError::NotFound("it".into())) }).await;
        assert!(failed.is_err());
        for key in 0..1000 {
            assert_eq!(*cache.get(key, 0, async { Ok(key) }).await.unwrap(), key);
        }
        assert!(cache.0.lock().await.len() <= MAX_KEPT);
    }
}
