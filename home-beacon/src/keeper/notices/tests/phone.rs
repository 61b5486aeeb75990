//! A service that takes notices as JSON, and can be out of reach.

use std::{
    future::pending,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle, time::sleep};

use crate::{keeper::LIMITS, serve::serve};

/// What it took: id, stage and title of each.
type Taken = Arc<Mutex<Vec<[String; 3]>>>;

#[derive(Debug)]
pub(super) struct Phone {
    address: SocketAddr,
    taken: Taken,
    /// How long it takes to answer, in milliseconds at most.
    slow: u64,
    /// How long it takes at least to answer once it has taken something.
    late: Duration,
    task: Option<JoinHandle<()>>,
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Phone {
    pub(super) async fn new(slow: u64) -> Self {
        Self::late(slow, Duration::ZERO).await
    }

    /// One that answers only so long after it has taken something.
    pub(super) async fn late(slow: u64, late: Duration) -> Self {
        let mut phone =
            Self { address: (Ipv4Addr::LOCALHOST, 0).into(), taken: Taken::default(), slow, late, task: None };
        phone.repair().await;
        phone
    }

    /// Its line in `NOTIFY_URLS`, to be given each notice.
    pub(super) fn url(&self) -> String {
        format!("json+http://{}/in", self.address)
    }

    /// The same, to be given summaries.
    pub(super) fn url_for_people(&self) -> String {
        format!("ntfy+http://{}/topic", self.address)
    }

    /// Nothing listens any more.
    pub(super) fn cut(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }

    pub(super) async fn repair(&mut self) {
        let mut listener = TcpListener::bind(self.address).await;
        while listener.is_err() {
            sleep(Duration::from_millis(5)).await;
            listener = TcpListener::bind(self.address).await;
        }
        let listener = listener.unwrap();
        self.address = listener.local_addr().unwrap();
        let (taken, slow, late) = (Arc::clone(&self.taken), self.slow, self.late);
        let take = move |State(taken): State<Taken>, Json(body): Json<Value>| async move {
            sleep(Duration::from_micros(fastrand::u64(0..=slow * 1000))).await;
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let data = &body["data"];
            taken.lock().unwrap().push([text(&data["id"]), text(&data["stage"]), text(&data["title"])]);
            sleep(late + Duration::from_micros(fastrand::u64(0..=slow * 1000))).await;
            StatusCode::NO_CONTENT
        };
        // ntfy takes JSON at its root.
        let receive = |State(taken): State<Taken>, Json(body): Json<Value>| async move {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            taken.lock().unwrap().push([String::new(), text(&body["message"]), text(&body["title"])]);
            Json(serde_json::json!({"id": "x", "event": "message", "topic": "topic"}))
        };
        let router = Router::new().route("/in", post(take)).route("/", post(receive)).with_state(taken);
        let serving = serve(listener, router, LIMITS, Arc::default(), pending());
        self.task = Some(tokio::spawn(serving));
    }

    pub(super) fn taken(&self) -> Vec<[String; 3]> {
        self.taken.lock().unwrap().clone()
    }

    pub(super) fn stages(&self) -> Vec<String> {
        self.taken().into_iter().map(|[_, stage, _]| stage).collect()
    }

    pub(super) fn titles(&self) -> Vec<String> {
        self.taken().into_iter().map(|[.., title]| title).collect()
    }
}
