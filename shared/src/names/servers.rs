//! What several name servers say together. They are asked in the file's order, the next one after an error or a short
//! silence, while those before it may still answer.
//!
//! An address counts, from whichever server. That a name does not exist counts only once every server had the time to say
//! otherwise: one that knows a home (split horizon) may be slower than one that does not.

use std::{iter, net::SocketAddr, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, timeout_at};

use super::{
    LookupError, Reply,
    server::{Question, ServerAnswer, ask},
};

/// How long a server may be silent before the next one is asked, too.
const STAGGER: Duration = Duration::from_millis(400);

/// What servers said together.
pub(super) struct Findings {
    pub(super) reply: Reply,
    /// Those that did not answer in time.
    pub(super) silent: Vec<SocketAddr>,
    /// Those that said that the name does not exist, in the order of their answers.
    pub(super) denying: Vec<SocketAddr>,
}

/// Asks until a server has an address, or all have answered. After the first one that has none, the others have `grace` to
/// say otherwise.
pub(super) async fn ask_in_order(
    servers: &[SocketAddr],
    question: &Question,
    mut until: Instant,
    grace: Duration,
) -> Findings {
    let (mut waiting, mut asked) = (servers.iter().copied(), FuturesUnordered::new());
    let (mut answers, mut silent, mut denying) = (Vec::new(), Vec::new(), Vec::new());
    let mut next_at = Instant::now();
    loop {
        if asked.is_empty() || Instant::now() >= next_at {
            match waiting.next() {
                Some(server) => {
                    silent.push(server);
                    asked.push(async move { (server, ask(server, question, until).await) });
                    next_at = Instant::now() + STAGGER;
                    continue;
                }
                None if asked.is_empty() => return Findings { reply: together(&answers), silent, denying },
                None => next_at = until,
            }
        }
        match timeout_at(next_at.min(until), asked.next()).await {
            Ok(Some((server, answer))) => {
                if answer != ServerAnswer::Silent && answer != ServerAnswer::Unreachable {
                    silent.retain(|other| *other != server);
                }
                if answer == ServerAnswer::NoSuchName {
                    denying.push(server);
                }
                let denies = matches!(answer, ServerAnswer::NoSuchName | ServerAnswer::NoAddress);
                // The name is there, says the first one, and no server before it may still know more.
                let is_certain = answer == ServerAnswer::NoAddress && answers.is_empty() && asked.is_empty();
                if denies {
                    until = Instant::now().checked_add(grace).map_or(until, |end| until.min(end));
                }
                if let ServerAnswer::Addresses(addresses) = answer {
                    return Findings { reply: Reply::Addresses(addresses), silent, denying };
                }
                answers.push(answer);
                if is_certain {
                    return Findings { reply: together(&answers), silent, denying };
                }
                next_at = Instant::now();
            }
            Err(_) if Instant::now() >= until => {
                answers.extend(iter::repeat_n(ServerAnswer::Silent, asked.len()));
                return Findings { reply: together(&answers), silent, denying };
            }
            Ok(None) | Err(_) => (),
        }
    }
}

/// The reply to all that was said, none of which is an address.
fn together(answers: &[ServerAnswer]) -> Reply {
    let code = answers.iter().find_map(|answer| match answer {
        ServerAnswer::Failed(code) => Some(*code),
        _ => None,
    });
    if answers.contains(&ServerAnswer::NoAddress) {
        // The name is there.
        Reply::NoAddress
    } else if let Some(code) = code {
        // A server that fails, or refuses for now, may know the name later.
        Reply::Failed(LookupError::Code(code))
    } else if answers.contains(&ServerAnswer::NoSuchName) {
        Reply::NoSuchName
    } else if answers.contains(&ServerAnswer::Silent) {
        Reply::Failed(LookupError::Silent)
    } else if answers.is_empty() {
        Reply::Failed(LookupError::NoServers)
    } else {
        Reply::Failed(LookupError::Unreachable)
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::ResponseCode;

    use super::*;

    const SERVFAIL: ServerAnswer = ServerAnswer::Failed(ResponseCode::ServFail);
    const REFUSED: ServerAnswer = ServerAnswer::Failed(ResponseCode::Refused);

    #[test]
    fn a_name_does_not_exist_only_where_no_server_says_or_may_say_otherwise() {
        for answers in [
            &[ServerAnswer::NoSuchName][..],
            &[ServerAnswer::NoSuchName, ServerAnswer::NoSuchName],
            &[ServerAnswer::NoSuchName, ServerAnswer::Silent],
            &[ServerAnswer::Unreachable, ServerAnswer::NoSuchName],
        ] {
            assert_eq!(together(answers), Reply::NoSuchName, "{answers:?}");
        }
        for answers in [
            &[ServerAnswer::NoSuchName, SERVFAIL][..],
            &[SERVFAIL, ServerAnswer::NoSuchName],
            &[ServerAnswer::Silent, ServerAnswer::Unreachable],
        ] {
            assert!(matches!(together(answers), Reply::Failed(_)), "{answers:?}");
        }
        assert_eq!(together(&[ServerAnswer::NoSuchName, ServerAnswer::NoAddress]), Reply::NoAddress);
    }

    #[test]
    fn of_several_failures_the_one_that_says_most_counts() {
        assert_eq!(together(&[ServerAnswer::Silent, REFUSED]), Reply::Failed(LookupError::Code(ResponseCode::Refused)));
        assert_eq!(together(&[ServerAnswer::Unreachable, ServerAnswer::Silent]), Reply::Failed(LookupError::Silent));
        assert_eq!(together(&[ServerAnswer::Unreachable]), Reply::Failed(LookupError::Unreachable));
        assert_eq!(together(&[]), Reply::Failed(LookupError::NoServers));
    }
}
