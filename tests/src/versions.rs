//! Parameter Store with versions, as far as a prober has to do with them: every write succeeds and is a version of its own, the last
//! hundred can be read as `NAME:VERSION`, and more than three writes a second are refused (AWS: "Systems Manager endpoints and quotas",
//! read 2026-11-29).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::notices::{Posted, Reply, Service};

const WRITES_A_SECOND: usize = 3;
const KEPT: usize = 100;

/// What is stored, until it is dropped.
#[derive(Debug)]
pub struct Versions {
    pub service: Service,
    stored: Arc<Mutex<Stored>>,
}

#[derive(Debug, Default)]
struct Stored {
    parameters: BTreeMap<String, Vec<String>>,
    writes: Vec<Instant>,
    throttled: usize,
}

impl Versions {
    /// With those parameters.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start(parameters: &[(&str, &str)]) -> Self {
        let one = |(name, value): &(&str, &str)| ((*name).to_owned(), vec![(*value).to_owned()]);
        let stored = Stored { parameters: parameters.iter().map(one).collect(), ..Stored::default() };
        let stored = Arc::new(Mutex::new(stored));
        let its = stored.clone();
        let service = Service::start(move |posted, _| its.lock().expect("no panic").answer(posted)).await;
        Self { service, stored }
    }

    /// All versions of a parameter.
    ///
    /// # Panics
    /// Never in practice.
    pub fn of(&self, name: &str) -> Vec<String> {
        self.stored.lock().expect("no panic").parameters.get(name).cloned().unwrap_or_default()
    }

    /// How many writes were refused.
    ///
    /// # Panics
    /// Never in practice.
    pub fn throttled(&self) -> usize {
        self.stored.lock().expect("no panic").throttled
    }
}

impl Stored {
    fn answer(&mut self, posted: &Posted) -> Reply {
        let refused = |code: &str| Reply::json(400, &json!({"__type": code, "message": "as it is"}));
        if !posted.header("authorization").is_some_and(|text| text.starts_with("AWS4-HMAC-SHA256 ")) {
            return refused("MissingAuthenticationToken");
        }
        let body: Value = serde_json::from_slice(&posted.body).unwrap_or_default();
        match posted.header("x-amz-target") {
            Some("AmazonSSM.GetParameters") => self.get(&body),
            Some("AmazonSSM.PutParameter") => self.put(&body).unwrap_or_else(refused),
            _ => refused("UnknownOperationException"),
        }
    }

    fn get(&self, body: &Value) -> Reply {
        let names = body["Names"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let (mut found, mut invalid) = (Vec::new(), Vec::new());
        for asked in names {
            let (name, selector) =
                asked.split_once(':').map_or((asked, None), |(name, version)| (name, version.parse::<usize>().ok()));
            let versions = self.parameters.get(name).map(Vec::as_slice).unwrap_or_default();
            let number = selector.unwrap_or(versions.len());
            let value =
                number.checked_sub(1).and_then(|index| versions.get(index)).filter(|_| number + KEPT > versions.len());
            match value {
                Some(value) => found.push(json!({"Name": name, "Type": "String", "Value": value, "Version": number})),
                None => invalid.push(asked),
            }
        }
        Reply::json(200, &json!({"Parameters": found, "InvalidParameters": invalid}))
    }

    fn put(&mut self, body: &Value) -> Result<Reply, &'static str> {
        let (Some(name), Some(value)) = (body["Name"].as_str(), body["Value"].as_str()) else {
            return Err("ValidationException");
        };
        if value.len() > 4096 {
            return Err("ValidationException");
        }
        self.writes.retain(|at| at.elapsed() < Duration::from_secs(1));
        if self.writes.len() >= WRITES_A_SECOND {
            self.throttled += 1;
            return Err("ThrottlingException");
        }
        self.writes.push(Instant::now());
        let versions = self.parameters.entry(name.to_owned()).or_default();
        if !versions.is_empty() && body["Overwrite"] != true {
            return Err("ParameterAlreadyExists");
        }
        versions.push(value.to_owned());
        Ok(Reply::json(200, &json!({"Version": versions.len(), "Tier": "Standard"})))
    }
}
