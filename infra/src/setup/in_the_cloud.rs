//! The steps in the cloud: what is there is looked at before anything is made, and a home beside another one is made as such.

use serde_json::Value;
use shared::secret::Secret;

use super::{
    Outcome,
    ask::Asker,
    beside::Beside,
    cloud::{self, Stored},
    first_look,
    function::{self, From},
    home::KEY_FILE,
    record::Record,
    say,
    settings::SetupSettings,
    stack,
    tool::Tool,
};

/// What is there.
#[derive(Debug, Default)]
pub(super) struct There {
    pub(super) stored: Stored,
    function: Option<Value>,
    beside: Option<Beside>,
}

impl There {
    /// Looks for the function, and for the secrets of the home.
    ///
    /// # Errors
    /// When AWS cannot be asked, or the home cannot be beside the one that is there.
    pub(super) async fn look(aws: &Tool, settings: &SetupSettings, record: &mut Record) -> anyhow::Result<Self> {
        let function = function::configuration(aws).await?;
        let beside = match Beside::of(function.as_ref(), record)? {
            Some(beside) => Some(beside.where_allowed(aws).await?),
            None => None,
        };
        let there = Self { function, beside, stored: Stored::default() };
        let is_taken = settings.take_stored_key || !record.path(KEY_FILE).exists();
        Ok(Self { stored: Stored::ask(aws, there.key_parameter(), is_taken).await?, ..there })
    }

    /// Where the beacon's key is stored.
    pub(super) fn key_parameter(&self) -> &str {
        self.beside.as_ref().map_or(cloud::KEY, |beside| &beside.key)
    }

    /// Has the function look at the home every minute, once it has seen it.
    ///
    /// # Errors
    /// When something of it cannot be made, or the home is not seen.
    #[expect(clippy::too_many_arguments, reason = "each is another step's, and none belongs to another")]
    pub(super) async fn looked_at(
        &self,
        asker: Asker,
        aws: &Tool,
        from: From<'_>,
        key: &Secret,
        token: &Secret,
        record: &mut Record,
        settings: &SetupSettings,
        step: &mut &'static str,
    ) -> anyhow::Result<()> {
        *step = "the secrets";
        let home = record.chosen().home.clone();
        for (name, secret, home) in [(self.key_parameter(), key, home.as_ref()), (cloud::TOKEN, token, None)] {
            cloud::store(aws, name, secret, home, &self.stored, record).await?.say(step);
        }
        *step = "the role";
        if let Some(beside) = &self.beside {
            beside.allow(aws, record).await?.say(step);
            Outcome::Already(format!("{} looks at another home, and at this one beside it", function::FUNCTION))
                .say("the function");
        } else {
            self.function(aws, from, record, settings, step).await?;
        }
        if settings.dry_run {
            Outcome::Skipped("in a dry run: the function runs once, and every minute once it has seen the home".into())
                .say("the schedule");
            return Ok(());
        }
        *step = "the first look";
        let input = self.beside.as_ref().map(|beside| beside.input(record.chosen())).transpose()?;
        first_look::until_seen(asker, aws, input).await?.say(step);
        *step = "the schedule";
        let outcome = match &self.beside {
            Some(beside) => beside.schedule(aws, record).await?,
            None => stack::schedule(aws, record).await?,
        };
        outcome.say(step);
        let home = record.chosen().home.as_ref().map(ToString::to_string).unwrap_or_default();
        say(&format!(
            "\nFrom now on the function looks at {home} every minute. `porchlight teardown` undoes all of it."
        ));
        Ok(())
    }

    /// The function of a first home, with its role.
    async fn function(
        &self,
        aws: &Tool,
        from: From<'_>,
        record: &mut Record,
        settings: &SetupSettings,
        step: &mut &'static str,
    ) -> anyhow::Result<()> {
        let is_dry = settings.dry_run;
        let chosen = record.chosen().clone();
        let (Some(home), Some(port), Some(page)) = (&chosen.home, chosen.port, &chosen.page) else {
            anyhow::bail!("the home, its port or the page is not known: run this again");
        };
        let component = match &chosen.component {
            Some(component) => component.to_string(),
            None if is_dry => "the one that would be made".into(),
            None => anyhow::bail!("the component is not known: run this again"),
        };
        let canary = format!("http://{home}:{port}");
        let variables = function::variables(&canary, page.as_str(), &component, &settings.statuspage_url);
        if let Some(before) = &self.function {
            function::refuse_another(before, &variables, record)?;
        }
        let (outcome, role) = stack::base(aws, settings.alarm_email.is_some(), record).await?;
        outcome.say(step);
        *step = "the function";
        let role = match role {
            Some(role) => role,
            None if is_dry => "the one that would be made".into(),
            None => anyhow::bail!("the stack {} names no role: delete it, and run this again", stack::BASE),
        };
        function::deploy(aws, from, &role, &variables, self.function.clone(), record).await?.say(step);
        Beside::no_more(aws, record).await
    }
}
