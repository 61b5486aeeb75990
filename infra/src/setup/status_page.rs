//! The status page: the token, the page, and the component that shows whether the home is up.

use anyhow::anyhow;
use home_beacon::job::settings::STATUSPAGE_TOKEN;
use shared::{
    api::{ApiError, ApiSettings},
    http::{Deadlines, client_for},
    id::PageId,
    secret::Secret,
    statuspage::{COMPONENTS_PER_CALL, Client, NamedComponent, NamedPage},
};
use url::Url;

use super::{
    Outcome,
    ask::{Asker, Question},
    made::{Intent, Made},
    mend::{made_by, mend},
    record::Record,
    settings::SetupSettings,
    yes_or_no,
};

const API: ApiSettings<'_> =
    ApiSettings { address: "--statuspage-url", token: "STATUSPAGE_TOKEN", ids: Some("--page, --component") };

/// What the component is called where nobody says otherwise.
const USUAL_NAME: &str = "Home internet";

/// What readers of the page are told of it.
pub(super) const DESCRIPTION: &str = "Whether the home's internet connection is up, as seen from outside";

/// More components than a page has, so that a list that repeats itself ends.
const LISTINGS: usize = 50;

/// # Errors
/// When this machine can make no client.
pub(super) fn client(address: &Url, token: Secret) -> anyhow::Result<Client> {
    Ok(Client::new(client_for([address], Deadlines::default())?, address, token))
}

pub(super) fn in_words(error: &ApiError) -> anyhow::Error {
    anyhow!("{}", error.hint(&API))
}

/// The token, once the page's server takes it, with the pages that it opens.
///
/// # Errors
/// When there is none, or it is refused.
pub(super) async fn token(asker: Asker, settings: &SetupSettings) -> anyhow::Result<(Secret, Client, Vec<NamedPage>)> {
    let file = settings.tokens.statuspage.as_deref();
    let token = asker.secret(&STATUSPAGE_TOKEN, file, "API key of statuspage.io (User menu, API info)").await?;
    let client = client(&settings.statuspage_url, token.clone())?;
    let pages = client.pages().await.map_err(|error| in_words(&error))?;
    Ok((token, client, pages))
}

/// Finds the page and its component, and makes the latter where there is none.
///
/// # Errors
/// When there is no such page or component, or it cannot be made.
pub(super) async fn component(
    asker: Asker,
    settings: &SetupSettings,
    client: &Client,
    pages: &[NamedPage],
    record: &mut Record,
) -> anyhow::Result<Outcome> {
    mend(client, record).await?;
    let page = page(asker, settings, pages, record).await?;
    let known = all(client, &page).await.map_err(|error| in_words(&error))?;
    // One that was chosen before, and is on this page still.
    let before = record.chosen().component.clone().filter(|_| record.chosen().page.as_ref() == Some(&page));
    let before = before.filter(|id| settings.component_name.is_none() && known.iter().any(|known| known.id == *id));
    record.choose(|chosen| chosen.statuspage_url = Some(settings.statuspage_url.clone()))?;
    if let Some(id) = settings.component.clone().or(before) {
        let Some(NamedComponent { id, name, .. }) = known.iter().find(|known| known.id == id) else {
            let is_page = pages.iter().any(|page| page.id.as_str() == id.as_str());
            let hint = if is_page { "that is the id of a page" } else { "look at its address in the editor" };
            anyhow::bail!("the page {page} has no component {id}: {hint}");
        };
        record.choose(|chosen| (chosen.page, chosen.component) = (Some(page.clone()), Some(id.clone())))?;
        return Ok(Outcome::Already(format!("{name} ({id}) of the page {page}")));
    }
    let name = if let Some(name) = &settings.component_name {
        name.clone()
    } else {
        let listed: Vec<_> = known.iter().map(|known| known.name.as_str()).collect();
        let text = format!("The component for the home; the page has {}", in_a_row(&listed));
        let default = Some(USUAL_NAME);
        asker.ask(Question { text: &text, flag: "--component-name", default }).await?
    };
    let same: Vec<_> = known.iter().filter(|known| known.name == name).collect();
    match same.as_slice() {
        [NamedComponent { id, .. }] => {
            record.choose(|chosen| (chosen.page, chosen.component) = (Some(page.clone()), Some(id.clone())))?;
            Ok(Outcome::Already(format!("{name} ({id}) of the page {page}")))
        }
        [] => {
            let text = format!("The page has none of that name; make {name}: yes or no");
            let question = Question { text: &text, flag: "--component-name", default: Some("yes") };
            if !asker.choose(question, yes_or_no).await? {
                anyhow::bail!("no component was chosen: run it again, and name one that is there");
            }
            make(client, &page, &name, record, settings.dry_run).await
        }
        _ => anyhow::bail!("the page {page} has several components called {name}: name one by --component and its id"),
    }
}

async fn make(
    client: &Client,
    page: &PageId,
    name: &str,
    record: &mut Record,
    is_dry: bool,
) -> anyhow::Result<Outcome> {
    if is_dry {
        record.choose(|chosen| chosen.page = Some(page.clone()))?;
        return Ok(Outcome::Skipped(format!("the component {name} would be made on the page {page}")));
    }
    let intent = Intent::Component { page: page.clone(), name: name.to_owned() };
    let adding = client.add_component(page, name, DESCRIPTION);
    let made = made_by(record, intent, adding, |it| Made::Component { page: page.clone(), id: it.id.clone() }).await?;
    record.choose(|chosen| (chosen.page, chosen.component) = (Some(page.clone()), Some(made.id.clone())))?;
    Ok(Outcome::Done(format!("made {name} ({}) on the page {page}", made.id)))
}

async fn page(asker: Asker, settings: &SetupSettings, pages: &[NamedPage], record: &Record) -> anyhow::Result<PageId> {
    let known = |text: &str| {
        let id = text.parse::<PageId>().map_err(|error| error.to_string())?;
        let is_known = pages.iter().any(|page| page.id == id);
        let listed: Vec<_> = pages.iter().map(|page| page.id.as_str()).collect();
        let why = || format!("the API key opens no page {id}; it opens {}", in_a_row(&listed));
        is_known.then_some(id.clone()).ok_or_else(why)
    };
    if let Some(page) = settings.page.clone().or_else(|| record.chosen().page.clone()) {
        return known(page.as_str()).map_err(|why| anyhow!("--page: {why}"));
    }
    match pages {
        [] => anyhow::bail!("the API key opens no page: make one at statuspage.io first"),
        [only] => Ok(only.id.clone()),
        several => {
            for page in several {
                eprintln!("  {}  {}", page.id, page.name);
            }
            asker.choose(Question { text: "The id of the page", flag: "--page", default: None }, known).await
        }
    }
}

/// The components of a page.
///
/// # Errors
/// When it cannot be asked.
pub(super) async fn all(client: &Client, page: &PageId) -> Result<Vec<NamedComponent>, ApiError> {
    let mut all = Vec::new();
    for listing in 1..=LISTINGS {
        let components = client.components(page, listing).await?;
        all.extend(components.named());
        if components.len() < COMPONENTS_PER_CALL {
            break;
        }
    }
    Ok(all)
}

fn in_a_row(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
