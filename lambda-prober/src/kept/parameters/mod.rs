//! Parameter Store: where a function's secrets and state are. Nothing is cached here.
//!
//! - `store`: reading and writing parameters, each with one call
//! - `error`: what can go wrong, with what to do
//! - `ssm`: the calls, by AWS's SDK
//! - `resolver`: the SDK's name queries, by our resolver
//! - `without_aws`: in the place of both, where the feature `aws` is off

mod error;
#[cfg(feature = "aws")]
mod resolver;
#[cfg(feature = "aws")]
mod ssm;
mod store;
#[cfg(not(feature = "aws"))]
mod without_aws;

#[cfg(feature = "aws")]
pub(crate) use self::resolver::Resolver;
pub(crate) use self::{
    error::ParameterError,
    store::{ParameterResults, ParameterStore},
};
