//! What several name servers say together. They are asked in the file's order, the next one after an error or a short
//! silence, while those before it may still answer.
//!
//! An address counts whoever tells it. That a name does not exist counts only once everybody had the time to say otherwise: a
//! server that knows a home (split horizon) may be slower than one that does not.

use std::{iter, net::SocketAddr, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, timeout_at};

use super::{
    Reply, Trouble,
    server::{Question, Said, ask},
};

/// How long a server may be silent before the next one is asked, too.
const SILENCE: Duration = Duration::from_millis(400);

/// What servers said together.
pub(super) struct Heard {
    pub(super) reply: Reply,
    /// Who said nothing while there was time.
    pub(super) silent: Vec<SocketAddr>,
    /// Who said that the name does not exist, in the order in which they said so.
    pub(super) denying: Vec<SocketAddr>,
}

/// Asks until somebody has an address, or all have spoken. After a first word that there is none, the others have `doubt` to
/// say otherwise.
pub(super) async fn ask_in_order(
    servers: &[SocketAddr],
    question: &Question,
    mut until: Instant,
    doubt: Duration,
) -> Heard {
    let (mut waiting, mut asked) = (servers.iter().copied(), FuturesUnordered::new());
    let (mut heard, mut silent, mut denying) = (Vec::new(), Vec::new(), Vec::new());
    let mut next_at = Instant::now();
    loop {
        if asked.is_empty() || Instant::now() >= next_at {
            match waiting.next() {
                Some(server) => {
                    silent.push(server);
                    asked.push(async move { (server, ask(server, question, until).await) });
                    next_at = Instant::now() + SILENCE;
                    continue;
                }
                None if asked.is_empty() => return Heard { reply: together(&heard), silent, denying },
                None => next_at = until,
            }
        }
        match timeout_at(next_at.min(until), asked.next()).await {
            Ok(Some((server, said))) => {
                if said != Said::Silent && said != Said::Unreachable {
                    silent.retain(|other| *other != server);
                }
                if said == Said::NoSuchName {
                    denying.push(server);
                }
                let denies = matches!(said, Said::NoSuchName | Said::NoAddress);
                // The name is there, says the first one, and nobody before it may still know more.
                let is_certain = said == Said::NoAddress && heard.is_empty() && asked.is_empty();
                if denies {
                    until = Instant::now().checked_add(doubt).map_or(until, |end| until.min(end));
                }
                if let Said::Addresses(addresses) = said {
                    return Heard { reply: Reply::Addresses(addresses), silent, denying };
                }
                heard.push(said);
                if is_certain {
                    return Heard { reply: together(&heard), silent, denying };
                }
                next_at = Instant::now();
            }
            Err(_) if Instant::now() >= until => {
                heard.extend(iter::repeat_n(Said::Silent, asked.len()));
                return Heard { reply: together(&heard), silent, denying };
            }
            Ok(None) | Err(_) => (),
        }
    }
}

/// The reply to all that was said, none of which is an address.
fn together(heard: &[Said]) -> Reply {
    let code = heard.iter().find_map(|said| match said {
        Said::Failed(code) => Some(*code),
        _ => None,
    });
    if heard.contains(&Said::NoAddress) {
        // The name is there.
        Reply::NoAddress
    } else if let Some(code) = code {
        // Whoever is in trouble, or refuses for now, may know the name as soon as it is well.
        Reply::Trouble(Trouble::Failed(code))
    } else if heard.contains(&Said::NoSuchName) {
        Reply::NoSuchName
    } else if heard.contains(&Said::Silent) {
        Reply::Trouble(Trouble::Silent)
    } else if heard.is_empty() {
        Reply::Trouble(Trouble::NobodyToAsk)
    } else {
        Reply::Trouble(Trouble::Unreachable)
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::ResponseCode;

    use super::*;

    const SERVFAIL: Said = Said::Failed(ResponseCode::ServFail);
    const REFUSED: Said = Said::Failed(ResponseCode::Refused);

    #[test]
    fn a_name_does_not_exist_only_where_nobody_says_or_may_say_otherwise() {
        for heard in [
            &[Said::NoSuchName][..],
            &[Said::NoSuchName, Said::NoSuchName],
            &[Said::NoSuchName, Said::Silent],
            &[Said::Unreachable, Said::NoSuchName],
        ] {
            assert_eq!(together(heard), Reply::NoSuchName, "{heard:?}");
        }
        for heard in
            [&[Said::NoSuchName, SERVFAIL][..], &[SERVFAIL, Said::NoSuchName], &[Said::Silent, Said::Unreachable]]
        {
            assert!(matches!(together(heard), Reply::Trouble(_)), "{heard:?}");
        }
        assert_eq!(together(&[Said::NoSuchName, Said::NoAddress]), Reply::NoAddress);
    }

    #[test]
    fn trouble_is_told_by_what_says_most() {
        assert_eq!(together(&[Said::Silent, REFUSED]), Reply::Trouble(Trouble::Failed(ResponseCode::Refused)));
        assert_eq!(together(&[Said::Unreachable, Said::Silent]), Reply::Trouble(Trouble::Silent));
        assert_eq!(together(&[Said::Unreachable]), Reply::Trouble(Trouble::Unreachable));
        assert_eq!(together(&[]), Reply::Trouble(Trouble::NobodyToAsk));
    }
}
