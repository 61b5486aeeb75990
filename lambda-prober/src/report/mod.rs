//! The report of a run: one JSON line with stable names, which users' queries and alarms may rely on; and the same in
//! words.
//!
//! - [`outcome`](Report): the report, and what became of each target
//! - `json`: its parts as JSON
//! - [`explain`]: the report in words
//! - [`probed`](Probed): a home that was probed without a page
//!
//! | field | what it is |
//! |---|---|
//! | `event` | always `run` |
//! | `at` | when the run began, RFC 3339 |
//! | `duration_ms` | how long the run took |
//! | `published` | `false` when a page could not be read, a needed change could not be written, the page is not shown to readers, or a key could not be read |
//! | `dry_run` | whether nothing was to be written |
//! | `calls[]` | the calls that changed a page, or would in a dry run: `page_id`, `call` (`set`, `open_incident`, `change_incident`, `delete_incident`), `incident_id`, `status` of the incident, `components` (what they were set to, by id), `body` |
//! | `targets[]` | one for each home: |
//! | `.name`, `.url`, `.page_id`, `.component_id` | which home, and where it is published; the first address where it has several |
//! | `.depends_on` | the component of what it depends on, or `null` |
//! | `.verdict` | `up`, `degraded`, `down` or `unknown` |
//! | `.cause` | `null` when up; `slow`, `certificate_ends`, `certificate`, `only_name_service`, `late`; `inbound`, `impostor`, `unproven`, `unexpected`, `refused`, `reset`, `tls`, `unreachable`, `name`, `silent`; `key`, `name_service`, `no_route`, `blind`, `dependency`, `other_location`, `heartbeats` |
//! | `.differs[]` | of a home with several addresses that answers: those that do not lead to it, each with `url`, `cause` (as above) and `text` |
//! | `.advice` | what to do about an answer that is not the home's, not in HTTP, with a certificate that is not valid, or not as expected, with the headers that say where it comes from; or `null` |
//! | `.status_before` | the component's status as read; `null` when it was not read or is not known |
//! | `.status` | what the page should say; `null` when that is unknown |
//! | `.outcome` | `agrees`, `changed`, `already_changed`, `would_change` (dry run), `maintenance`, `unknown`, `left_to_next_run`, `failed` |
//! | `.error` | why it failed, or `null` |
//! | `.warning` | what a keeper says of it besides: that page or component is not shown to readers (then the run has failed), or that no seed names it any more; else `null` |
//! | `.state` | what is remembered of the home: `down_since`, `up_since`, `seen_down`, `seen_up`, `outage_key`, `cause`, `last_proven_address`, `booted`, `started`; `null` where that was not needed, and without state |
//! | `.state_error` | why it could not be read or written, or `null` |
//! | `.heartbeat` | of a home that sends heartbeats: `age_s`, `sequence`, `host_up_s`, `router`, `provider`, `world` and `names` (`up`, `down` or `unknown`, and for how many seconds), `last_outage` (its kind, how many seconds ago it began and ended); else `null` |
//! | `.attempts[]` | one for each of the home's addresses, each time that it was tried: `url`, `started_ms`, `resolve_ms`, `resolution` (`literal`, `resolved`, `only_ipv4` and `only_ipv6` where the query for the other family failed, `no_such_name`, `timeout`, `error`, `empty`) and |
//! | `.attempts[].exchanges[]` | `address`, `origin` (`target`, or `last_proven` where the name failed), `connect_ms`, `tls_ms`, `answer_ms`, `body_ms` (where it is read), `proof_ms`, `http_status`, `identity` (`not_asked`, `proven`, `proven_with_old_key`, `foreign`, `absent`, `unchecked`), `host_up_s` and `beacon_up_s` of a proof, `http_location`, `http_server`, `http_via` and `http_cache` (headers of caches) of an answer, `certificate` (why it is not valid), `unmet` (what is not as expected: `status`, `header`, `body`, `too_large`, `certificate_ends`; `timeout`, `reset` and `protocol` of the body) and `unmet_text`, `failure` (`refused`, `reset`, `not_http`, `tls`, `timeout`, `unreachable`, `local`), `detail` |
//! | `.attempts[].witnesses[]` | the witnesses that were queried when the home did not answer: `witness`, `address`, `reached_ms`, `failure`, `detail` |
//!
//! Durations are milliseconds with fractions; those of phases that were not entered are `null`.

pub mod explain;
mod json;
mod outcome;
mod probed;

pub(crate) use self::json::ms as milliseconds;
pub use self::{
    outcome::{PublishOutcome, Report, TargetReport},
    probed::Probed,
};
