//! Certificates that are recorded and not refused, so that who shows one that is not valid is not taken for one that is down; and
//! what stands in a certificate.
//!
//! - `recording`: connections that take any certificate, and say what is wrong with it
//! - `crypto`: key exchange and signatures beyond those of our other clients
//! - `facts`: names and dates of a certificate

mod crypto;
mod facts;
mod recording;

pub use self::{
    facts::{CertificateFacts, is_for_name, valid_until},
    recording::{Certificates, RecordedError},
};
