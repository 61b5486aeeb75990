//! What was perhaps meant by a name that nobody knows (pure). Two kinds of names: those of a closed list, where something is
//! wrong already and a guess costs nothing; and variables of the environment, most of which are none of our business, so that
//! only what is nearly the same is taken for a slip.

use super::ours::{OF_OTHERS, OURS};

/// How alike a guess must be to be told, from 0 to 1: as the command line parser has it for flags.
const ALIKE: f64 = 0.7;

/// A variable that nobody reads, and the one that was perhaps meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misspelt {
    /// The variable as it is set.
    pub written: String,
    /// The variable of the program that is nearest to it.
    pub meant: String,
}

impl std::fmt::Display for Misspelt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is set, but is no setting: was {} meant?", self.written, self.meant)
    }
}

/// Those of the variables `set` that are nearly one of `own`. Their values are never looked at.
pub fn misspelt(own: &[String], set: &[String]) -> Vec<Misspelt> {
    let known = |name: &str| own.iter().any(|own| own == name) || OURS.contains(&name) || OF_OTHERS.contains(&name);
    let mut found: Vec<_> = set
        .iter()
        .filter(|name| !known(name) && !is_of_a_service(name, set))
        .filter_map(|name| Some(Misspelt { written: name.clone(), meant: meant(name, own)? }))
        .collect();
    found.sort_by(|one, other| one.written.cmp(&other.written));
    found
}

/// Whether Kubernetes set it for a service of the namespace: `KEEPER_PORT`, `KEEPER_SERVICE_HOST`, `KEEPER_PORT_80_TCP_ADDR`.
fn is_of_a_service(name: &str, set: &[String]) -> bool {
    let port = |(_, rest): (&str, &str)| rest.starts_with(|c: char| c.is_ascii_digit());
    name.contains("_SERVICE_")
        || name.split_once("_PORT_").is_some_and(port)
        || name.strip_suffix("_PORT").is_some_and(|service| set.contains(&format!("{service}_SERVICE_HOST")))
}

fn meant(written: &str, own: &[String]) -> Option<String> {
    let near = |written: &str| {
        let near = own.iter().filter_map(|name| Some((slips(written, name)?, name)));
        near.min_by_key(|(slips, _)| *slips).map(|(_, name)| name.clone())
    };
    // With our name before it, or as the file of something that is no secret, it is one of ours to the letter.
    let whole = |name: &str| own.iter().find(|own| *own == name).cloned();
    let file = written.strip_suffix("_FILE").filter(|rest| rest.contains('_'));
    near(written).or_else(|| written.strip_prefix("PORCHLIGHT_").and_then(whole)).or_else(|| file.and_then(whole))
}

/// How many slips there are between a name as written and one of ours, where they are few.
fn slips(written: &str, name: &str) -> Option<usize> {
    let (joined, wanted) = (letters(written), letters(name));
    if joined == wanted {
        return Some(0);
    }
    let (parts, ours) = (parts(written), parts(name));
    let sorted = |parts: &[String]| {
        let mut parts: Vec<_> = parts.iter().map(|part| plain(part).to_owned()).collect();
        parts.sort();
        parts
    };
    if ours.len() > 1 && sorted(&parts) == sorted(&ours) {
        return Some(1);
    }
    if wanted.len() < 5 {
        return None;
    }
    let most = match wanted.len() {
        ..8 => 1,
        8..15 => 2,
        _ => 3,
    };
    if parts.len() != ours.len() {
        let slips = strsim::osa_distance(&joined, &wanted);
        return (begins_alike(&joined, &wanted) && slips < most).then_some(slips);
    }
    let slips = parts.iter().zip(&ours).map(|(part, ours)| slips_of_a_part(part, ours)).sum::<Option<usize>>()?;
    // Short words are many.
    (slips <= most && (wanted.len() >= 8 || begins_alike(&joined, &wanted))).then_some(slips)
}

fn begins_alike(one: &str, other: &str) -> bool {
    one.bytes().next() == other.bytes().next()
}

fn slips_of_a_part(written: &str, ours: &str) -> Option<usize> {
    let plural = |one: &str, other: &str| one.strip_prefix(other).is_some_and(|end| matches!(end, "S" | "ES"));
    let either = |one: &str, other: &str| plural(one, other) || plural(other, one);
    // A doubled letter is often written once; in a short word that makes another one.
    let (once, ours_once) = (single(written), single(ours));
    if either(written, ours) || (once.len() >= 5 && either(&once, &ours_once)) {
        return Some(1);
    }
    let most = match written.len().min(ours.len()) {
        ..3 => 0,
        3..8 => 1,
        _ => 2,
    };
    let slips = strsim::osa_distance(written, ours);
    (slips <= most).then_some(slips)
}

/// With each letter that is there twice in a row once.
fn single(text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    letters.dedup();
    letters.into_iter().collect()
}

fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase()
}

fn parts(name: &str) -> Vec<String> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).map(letters).collect()
}

/// One word for those that people use for the same.
fn plain(part: &str) -> &str {
    match part {
        "ADDRESS" => "ADDR",
        "OVER" => "ABOVE",
        "PUB" => "PUBLIC",
        "DIRECTORY" | "FOLDER" => "DIR",
        "FILENAME" | "PATH" => "FILE",
        "HOSTNAME" => "HOST",
        "PARAM" => "PARAMETER",
        "URI" => "URL",
        other => other,
    }
}

/// The nearest of a closed list, two where it has two.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let small = letters(written);
    let alike = |name: &'a str| {
        let plain = letters(name);
        // The beginning of a name is often all that somebody remembers.
        let begins = plain.len() > small.len() && small.len() >= 3 && plain.starts_with(&small);
        let slip = strsim::osa_distance(&small, &plain) <= 1 && plain.len() > 2;
        let alike = if begins { 0.95 } else { strsim::jaro(&small, &plain) };
        (if slip { alike.max(0.9) } else { alike }, name)
    };
    let mut found: Vec<_> = known.into_iter().map(alike).filter(|(alike, _)| *alike > ALIKE).collect();
    found.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let best = found.first().map_or(1.0, |(alike, _)| *alike);
    found.into_iter().filter(|(alike, _)| best - alike < 0.05).take(2).map(|(_, name)| name).collect()
}

/// `: was … meant?`, or nothing.
pub fn question<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(written, known).as_slice() {
        [] => String::new(),
        near => format!(": was {} meant?", near.join(" or ")),
    }
}

/// A message of serde's, with what was perhaps meant where it tells what it knows: ``unknown field `uri`, expected one of …``.
pub fn with_nearest(message: &str) -> String {
    let unknown = ["unknown field", "unknown variant"].iter().any(|start| message.contains(start));
    let quoted: Vec<_> = message.split('`').skip(1).step_by(2).collect();
    match quoted.as_slice() {
        [written, known @ ..] if unknown => format!("{message}{}", question(written, known.iter().copied())),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    const OF_NOBODY: &str = "
        PATH HOME LOG PAGER LESS LANG LC_ALL TERM TZ USER LOGNAME SHELL PWD OLDPWD MAIL HOSTNAME HOSTTYPE EDITOR DISPLAY COLUMNS
        LINES SHLVL _ PORT HOST URL ADDR SECRET KEY VERSION STATE STATUS_CODE COUNTRY ACCOUNT MOUNT METHODS_URL HOLE
        KEEPER_PORT KEEPER_HOST KEEPER_NAME BEACON_PORT BEACON_URL PING_PORT DNS_PORT HTTP_PORT UDP_PORT SSH_PORT
        KEEPER_SERVICE_HOST KEEPER_SERVICE_PORT KEEPER_PORT_8030_TCP_ADDR PORCHLIGHT_KEEPER_PORT PORCHLIGHT_KEEPER_PORT_8030_TCP
        PORCHLIGHT_KEEPER_PORT_8030_TCP_PORT PORCHLIGHT_KEEPER_SERVICE_PORT_HTTP PORCHLIGHT_BEACON_PORT
        PORCHLIGHT_KEEPER_SERVICE_HOST KUBERNETES_SERVICE_HOST KUBERNETES_PORT AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_RUNTIME_API
        AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_FORMAT AWS_LAMBDA_LOG_LEVEL AWS_SESSION_TOKEN AWS_REGION AWS_DEFAULT_REGION
        _X_AMZN_TRACE_ID LAMBDA_TASK_ROOT LD_LIBRARY_PATH STATE_DIRECTORY RUNTIME_DIRECTORY LOGS_DIRECTORY CREDENTIALS_DIRECTORY
        INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET WATCHDOG_USEC SYSTEMD_EXEC_PID MAINPID STATIC_DIR DATABASE_USER DATABASE_NAME
        GITHUB_TOKEN NPM_TOKEN GITLAB_TOKEN PYTHON_PIP_VERSION PIP_VERSION APP_VERSION IMAGE_ID MESSAGE_ID SESSION_ID SERVER_URL
        BASE_URL PUBLIC_URL PUBLIC_KEY PUBLIC_IP RUST_LOG RUST_BACKTRACE SSL_CERT_FILE SSL_CERT_DIR http_proxy HTTPS_PROXY
        NO_PROXY XDG_RUNTIME_DIR XDG_STATE_HOME CARGO_HOME SOURCE_DATE_EPOCH TARGET_ARCH TARGET_PORT DEBIAN_FRONTEND MAX_CONNS
        MAX_MEMORY container STATUS SOURCES DATABASE_URLS PUB_KEY GAME_OVER CARRY_OVER
    ";

    /// What `written` is taken for by a program that reads all our variables.
    fn taken_for(written: &str) -> Option<String> {
        misspelt(&of(OURS), &of(&[written])).pop().map(|misspelt| misspelt.meant)
    }

    #[test]
    fn a_slip_in_a_variable_is_seen() {
        for (written, meant) in [
            ("TARGET_HOSTS", "TARGET_HOST"),
            ("CANNARY_URL", "CANARY_URL"),
            ("STATUS_PAGE_URL", "STATUSPAGE_URL"),
            ("KEEPER_TOKN", "KEEPER_TOKEN"),
            ("KEEPER_TOKEN_FIEL", "KEEPER_TOKEN_FILE"),
            ("KEEPER_TOKENFILE", "KEEPER_TOKEN_FILE"),
            ("TOKEN_FILE_FILE", "TOKEN_FILE"),
            ("TOKENS", "TOKEN"),
            ("TOKNE", "TOKEN"),
            ("TOKEN_PATH", "TOKEN_FILE"),
            ("PAGEID", "PAGE_ID"),
            ("page_id", "PAGE_ID"),
            ("PAGE-ID", "PAGE_ID"),
            ("PAGE_IDS", "PAGE_ID"),
            ("PAGE_ID_FILE", "PAGE_ID"),
            ("COMPONENTID", "COMPONENT_ID"),
            ("COMPONANT_ID", "COMPONENT_ID"),
            ("ID_COMPONENT", "COMPONENT_ID"),
            ("CANARY_URI", "CANARY_URL"),
            ("CANARY_ULR", "CANARY_URL"),
            ("CANARYURLS", "CANARY_URL"),
            ("KEEPER_ADDRESS", "KEEPER_ADDR"),
            ("DATABASE_URI", "DATABASE_URL"),
            ("UPSTREAM_TOKE", "UPSTREAM_TOKEN"),
            ("WITNESS", "WITNESSES"),
            ("TARGET", "TARGETS"),
            ("BECON_KEY", "BEACON_KEY"),
            ("BEACON_KEYS", "BEACON_KEY"),
            ("BEACON_KEY_PARAM", "BEACON_KEY_PARAMETER"),
            ("STATUSPAGE_TOKEN_PARAMTER", "STATUSPAGE_TOKEN_PARAMETER"),
            ("PORCHLIGHT_CANARY_URL", "CANARY_URL"),
            ("LOGLEVEL", "LOG_LEVEL"),
            ("INTERVALL", "INTERVAL"),
            ("DOMAINS", "DOMAIN"),
            ("hold", "HOLD"),
            ("TPC_PORT", "TCP_PORT"),
            ("WITNES", "WITNESSES"),
            ("WITNESES", "WITNESSES"),
            ("DEGRADED_OVER", "DEGRADED_ABOVE"),
            ("PUB_ADDR", "PUBLIC_ADDR"),
            ("PUB_ADDRESS", "PUBLIC_ADDR"),
            ("DATABASE_URLL", "DATABASE_URL"),
            ("SOURCE_", "SOURCE"),
            ("STATUSE", "STATUSES"),
        ] {
            assert_eq!(taken_for(written).as_deref(), Some(meant), "{written}");
        }
    }

    #[test]
    fn what_is_none_of_our_business_is_left_alone() {
        for name in OF_NOBODY.split_whitespace() {
            assert_eq!(taken_for(name), None, "{name}");
        }
    }

    #[test]
    fn the_port_of_a_service_is_not_taken_for_ours() {
        let set = of(&["TPC_PORT", "TPC_SERVICE_HOST"]);
        assert_eq!(misspelt(&of(&["TCP_PORT"]), &set), []);
    }

    #[test]
    fn only_what_a_program_reads_is_guessed() {
        assert_eq!(misspelt(&of(&["PUBLIC_ADDR"]), &of(&["CANNARY_URL", "KEEPER_URL"])), []);
    }

    #[test]
    fn the_nearest_of_a_list_is_asked_for() {
        let readings = ["ping", "resolve", "bandwidth", "upload", "latency_idle", "latency_loaded", "dns"];
        for (written, question_) in [
            ("pingg", ": was ping meant?"),
            ("PING", ": was ping meant?"),
            ("latncy", ": was latency_idle or latency_loaded meant?"),
            ("latency", ": was latency_idle or latency_loaded meant?"),
            ("bandwith", ": was bandwidth meant?"),
            ("dsn", ": was dns meant?"),
            ("temperature", ""),
        ] {
            assert_eq!(question(written, readings), question_, "{written}");
        }
    }

    #[test]
    fn a_message_of_serde_s_is_completed() {
        for (message, end) in [
            ("unknown field `uri`, expected one of `name`, `url`, `page_id`", "`page_id`: was url meant?"),
            ("unknown field `pageId`, expected one of `name`, `page_id`", "`page_id`: was page_id meant?"),
            ("unknown variant `lost`, expected `loss` or `jitter`", "`jitter`: was loss meant?"),
            ("unknown field `colour`, expected `id`", "expected `id`"),
            ("missing field `url`", "missing field `url`"),
        ] {
            assert!(with_nearest(message).ends_with(end), "{}", with_nearest(message));
        }
    }
}
