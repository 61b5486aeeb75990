//! The name at DuckDNS: its token is proven by an update that sets what is there already, the address that DuckDNS sees.

use std::time::Duration;

use anyhow::anyhow;
use home_beacon::dns::{DUCKDNS_TOKEN, SubName, check_token, prove};
use shared::secret::Secret;
use tokio::time::Instant;

use super::{
    Outcome,
    ask::{Asker, Question},
    record::Record,
    settings::SetupSettings,
};

/// How long DuckDNS may take, tries included.
const WITHIN: Duration = Duration::from_secs(20);

/// The name and its token, once DuckDNS takes them.
///
/// # Errors
/// When there is none, or it is refused.
pub(super) async fn name(
    asker: Asker,
    settings: &SetupSettings,
    record: &mut Record,
) -> anyhow::Result<(Outcome, Secret)> {
    let chosen = settings.home.clone().or_else(|| record.chosen().home.clone());
    let name = if let Some(name) = chosen {
        name
    } else {
        let text = "The home's name at DuckDNS, like myhome.duckdns.org";
        asker.ask::<SubName>(Question { text, flag: "--home", default: None }).await?
    };
    let token = asker.secret(&DUCKDNS_TOKEN, "Token of DuckDNS (www.duckdns.org shows it)").await?;
    check_token(DUCKDNS_TOKEN.name, &token)?;
    record.choose(|chosen| chosen.home = Some(name.clone()))?;
    if settings.dry_run {
        return Ok((Outcome::Skipped(format!("would prove the token by an update of {name}")), token));
    }
    let proven = prove(&settings.duckdns_url, &name, &token, Instant::now() + WITHIN).await;
    let addresses = proven.map_err(|why| anyhow!("{name}: {why}"))?;
    let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    Ok((Outcome::Already(format!("the token is right; {name} is {}", addresses.join(" and "))), token))
}
