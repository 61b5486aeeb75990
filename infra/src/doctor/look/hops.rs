//! One question to the beacon, with a challenge, at some hop.

use std::{io, time::Duration};

use shared::{
    http::{CallError, HeaderName, HeaderValue, client_for},
    proof::{CHALLENGE_HEADER, Challenge, Key, PROOF_HEADER, Proof},
    random,
};
use url::Url;

use super::super::{checks::beacon::Hop, until::Until};

/// A beacon answers within milliseconds; a line may be slow.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What the beacon answers beside its proof.
const BODY: &str = "porchlight";

/// The most that is read of an answer, in bytes.
const MAX_BODY: usize = 64;

/// Asks there.
pub async fn hop(url: &Url, key: Option<&Key>, until: Until) -> Hop {
    let deadlines = until.deadlines(TIMEOUT, TIMEOUT, TIMEOUT);
    let (client, bytes) = match (client_for([url], deadlines), random::bytes()) {
        (Ok(client), Ok(bytes)) => (client, bytes),
        (Err(error), _) => return Hop::Silent(error.to_string()),
        (_, Err(error)) => return Hop::Silent(error.to_string()),
    };
    let challenge = Challenge::new(bytes);
    let Ok(value) = HeaderValue::from_str(challenge.as_str()) else { return Hop::NotAsked };
    let call = client.get(url).header(HeaderName::from_static(CHALLENGE_HEADER), value);
    let mut answer = match call.send().await {
        Ok(answer) => answer,
        Err(error) if is_refused(&error) => return Hop::Refused,
        Err(error) => return Hop::Silent(shared::complaints::describe(&error)),
    };
    let proof: Option<Proof> = answer.headers().get(PROOF_HEADER).and_then(|proof| proof.to_str().ok()?.parse().ok());
    match (proof, key) {
        (Some(proof), Some(key)) if proof.is_made_with(key, &challenge) => Hop::Proven,
        (Some(_), Some(_)) => Hop::OtherKey,
        (Some(_), None) => Hop::KeyUnknown,
        (None, _) => {
            let mut body = Vec::new();
            while let Ok(Some(piece)) = answer.chunk().await {
                body.extend_from_slice(&piece[..piece.len().min(MAX_BODY - body.len())]);
                if body.len() == MAX_BODY {
                    break;
                }
            }
            let is_ours = answer.status().is_success() && String::from_utf8_lossy(&body).trim_end() == BODY;
            if is_ours { Hop::NoKey } else { Hop::Stranger(answer.status().as_u16()) }
        }
    }
}

/// Whether nobody listens there.
pub fn is_refused(error: &CallError) -> bool {
    let root = shared::chain::root_cause(error);
    root.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}
