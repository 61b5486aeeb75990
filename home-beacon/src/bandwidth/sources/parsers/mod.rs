//! Readers of what services write: pages, scripts, answers and header fields of the services that are measured against.
//!
//! Each is a function of text that neither panics nor takes long, whatever the text is; all of them are public so that
//! fuzz targets can reach them:
//!
//! | what | reader | written by |
//! |---|---|---|
//! | the page of fast.com | [`script_of_page`] | fast.com |
//! | its script | [`keys_of_script`] | fast.com |
//! | the answer of its API, v1 and v2 | [`targets`] | fast.com |
//! | `Server-Timing` | [`server_timing`] | Cloudflare |
//! | `cf-meta-city` and the like | [`place`] | Cloudflare |
//! | `Content-Range` | [`whole_length`] | any server |
//! | the first bytes of a body | [`is_html`] | any server |

mod fast_com;
mod fields;

pub use fast_com::{Keys, NoKeys, NoTargets, Targets, keys_of_script, script_of_page, targets};
pub use fields::{is_html, place, server_timing, whole_length};
