//! Merge patches: of a status, against its definition, and of what is no status.

use serde_json::json;
use tokio::{
    io::{self, BufReader},
    net::TcpStream,
    time::{Duration, sleep},
};

use super::{
    Kubernetes,
    answers::{found, refuse},
    http::{Place, Request},
};

impl Kubernetes {
    pub(super) async fn patch(
        &self,
        stream: &mut BufReader<TcpStream>,
        place: &Place,
        name: &str,
        request: &Request,
    ) -> io::Result<()> {
        if request.headers.get("content-type").map(String::as_str) != Some("application/merge-patch+json") {
            return refuse(stream, 415, "the body of the request was in an unknown format").await;
        }
        match place.subresource.as_deref() {
            Some("status") => self.patch_status(stream, place, name, request).await,
            None => self.patch_object(stream, place, name, request).await,
            Some(_) => refuse(stream, 404, "the server could not find the requested resource").await,
        }
    }

    async fn patch_status(
        &self,
        stream: &mut BufReader<TcpStream>,
        place: &Place,
        name: &str,
        request: &Request,
    ) -> io::Result<()> {
        let Place { collection, namespace, .. } = place;
        let stuck = self.shared.faults.lock().expect("nobody panics with it").stuck;
        if stuck == Some(name) {
            sleep(Duration::from_secs(60)).await;
        }
        let Some(after) = self.store().with_status(collection, namespace, name, &request.body) else {
            return refuse(stream, 404, "not found").await;
        };
        let schemas = self.shared.schemas.lock().expect("nobody panics with it").clone();
        if let Some(wrong) = schemas.refuse(collection, &after["status"]) {
            return refuse(stream, 422, &format!("{name} is invalid: {wrong}")).await;
        }
        let patched = self.store().patch_status(collection, namespace, name, &request.body);
        self.changed();
        found(stream, patched).await
    }

    async fn patch_object(
        &self,
        stream: &mut BufReader<TcpStream>,
        place: &Place,
        name: &str,
        request: &Request,
    ) -> io::Result<()> {
        let patched = self.store().patch(place.collection, &place.namespace, name, &request.body);
        self.changed();
        // Who asks for metadata alone gets no Secret's content.
        let is_partial = request.headers.get("accept").is_some_and(|it| it.contains("PartialObjectMetadata"));
        let patched = patched.map(|object| {
            if is_partial {
                let metadata = &object["metadata"];
                json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": metadata})
            } else {
                object
            }
        });
        found(stream, patched).await
    }
}
