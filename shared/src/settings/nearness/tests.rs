//! Slips that are seen, and names that are left alone.

use super::*;

fn of(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const OF_NO_PROGRAM: &str = "
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
    for name in OF_NO_PROGRAM.split_whitespace() {
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
