use proptest::prelude::*;

use super::{
    super::mapping::{self, Protocol::*},
    *,
};

/// The most that one talk can take: for each protocol and port a look, an opening, one without a lease, one anew, and a check.
const MOST: usize = 3 * PORTS as usize * 6;

fn wanted() -> Wanted {
    Wanted {
        internal: "192.168.1.7:8080".parse().unwrap(),
        is_own: true,
        external: 30008,
        lease: 7200,
        nonce: [1, 2, 3],
        known: None,
    }
}

fn grant(external: u16, lease: u32) -> Answer {
    let lease = Some(lease).filter(|lease| *lease > 0);
    Answer::Opened(Grant { external, lease, epoch: None, pinhole: None, outside: None })
}

fn held(client: &str, port: u16) -> Answer {
    Answer::Held(Holder { client: client.into(), port, description: "x".into(), lease: 7200 })
}

/// Talks to a router that answers so; what was asked, and how it ended.
fn talk(
    wanted: Wanted,
    speaks: &[Protocol],
    mut router: impl FnMut(Request) -> Answer,
) -> (Vec<Request>, Step, Negotiation) {
    let mut talk = Negotiation::new(wanted, speaks);
    let mut asked = Vec::new();
    loop {
        match talk.step() {
            Step::Ask(request) => {
                asked.push(request);
                assert!(asked.len() <= MOST, "it does not end: {asked:?}");
                talk.answered(router(request));
            }
            end => return (asked, end, talk),
        }
    }
}

/// A router that keeps a table, as UPnP shows it: who has a port, and until it is closed where it knows no leases.
fn upnp(mut table: Vec<(u16, &'static str, u16)>, only_for_ever: bool, secure: bool) -> impl FnMut(Request) -> Answer {
    move |request| match request {
        Request::Look(port) => match table.iter().find(|(of, ..)| *of == port) {
            Some((_, client, internal)) => held(client, *internal),
            None => Answer::Nobody,
        },
        Request::Free(port) => {
            table.retain(|(of, ..)| *of != port);
            Answer::Closed
        }
        Request::Open(Opening { lease, .. }) if only_for_ever && lease > 0 => Answer::Refused(Refusal::OnlyForEver),
        Request::Open(_) if secure => Answer::Refused(Refusal::Taken),
        Request::Open(Opening { external, lease, .. }) => {
            table.push((external, "192.168.1.7", 8080));
            grant(external, lease)
        }
    }
}

fn opened(step: &Step) -> (Protocol, u16, Option<u32>) {
    let Step::Opened(protocol, grant) = step else { panic!("it is open: {step:?}") };
    (*protocol, grant.external, grant.lease)
}

#[test]
fn the_protocol_that_says_most_is_asked_first_and_one_answer_is_enough() {
    let (asked, end, _) = talk(wanted(), &[Upnp, NatPmp, Pcp], |_| grant(30008, 3600));
    assert_eq!(opened(&end), (Pcp, 30008, Some(3600)));
    assert!(matches!(asked[..], [Request::Open(Opening { protocol: Pcp, external: 30008, lease: 7200, .. })]));
}

#[test]
fn one_that_refuses_is_followed_by_the_next_and_each_reason_is_kept() {
    let (_, end, talk) = talk(wanted(), &[Pcp, NatPmp, Upnp], |request| match request {
        Request::Open(Opening { protocol: Pcp, .. }) => Answer::Refused(Refusal::Forbidden),
        Request::Open(Opening { protocol: NatPmp, .. }) => Answer::Refused(Refusal::Silent),
        _ => Answer::Refused(Refusal::Garbled),
    });
    assert_eq!(end, Step::Refused);
    let expected = [(Pcp, Refusal::Forbidden), (NatPmp, Refusal::Silent), (Upnp, Refusal::Garbled)];
    assert_eq!(talk.refusals(), expected);
}

#[test]
fn a_router_may_give_another_port_by_itself() {
    let (_, end, talk) = talk(wanted(), &[Pcp], |_| grant(41_234, 7200));
    assert_eq!(opened(&end).1, 41_234);
    assert!(talk.taken().is_empty());
}

#[test]
fn a_port_that_another_machine_has_is_left_alone_and_the_next_one_taken() {
    let table = vec![(30008, "192.168.1.9", 443), (30009, "192.168.1.7", 22)];
    let (asked, end, talk) = talk(wanted(), &[Upnp], upnp(table, false, false));
    assert_eq!(opened(&end), (Upnp, 30010, Some(7200)));
    let ports: Vec<_> = talk.taken().iter().map(|taken| (taken.port, taken.by.is_some())).collect();
    assert_eq!(ports, [(30008, true), (30009, true)], "another program of this machine counts as well");
    let changed = asked.iter().filter(|request| !matches!(request, Request::Look(_)));
    assert!(changed.eq([asked.iter().find(|request| matches!(request, Request::Open(_))).unwrap()]), "{asked:?}");
}

#[test]
fn a_router_that_does_not_list_its_ports_says_by_its_refusal_that_one_is_taken() {
    let (_, end, talk) = talk(wanted(), &[Upnp], |request| match request {
        Request::Open(Opening { external: 30008, .. }) => Answer::Refused(Refusal::Taken),
        Request::Open(Opening { external, .. }) => grant(external, 0),
        _ => Answer::CannotTell,
    });
    assert_eq!(opened(&end), (Upnp, 30009, None));
    assert_eq!(talk.taken(), [Taken { port: 30008, by: None }]);
}

#[test]
fn where_every_port_is_taken_nothing_is_opened() {
    let (asked, end, talk) = talk(wanted(), &[Pcp, Upnp], |request| match request {
        Request::Open(_) => Answer::Refused(Refusal::Taken),
        _ => held("192.168.1.9", 443),
    });
    assert_eq!(end, Step::Refused);
    assert_eq!(talk.refusals(), [(Pcp, Refusal::Taken), (Upnp, Refusal::Taken)]);
    let looked: Vec<_> = asked.iter().filter(|request| matches!(request, Request::Look(_))).collect();
    assert_eq!(looked.len(), usize::from(PORTS));
    // The last port of all has no port behind it.
    let last = Wanted { external: u16::MAX, ..wanted() };
    let (asked, ..) = self::talk(last, &[Pcp], |_| Answer::Refused(Refusal::Taken));
    assert_eq!(asked.len(), 1);
}

#[test]
fn a_router_without_leases_opens_it_until_it_is_closed() {
    let (asked, end, _) = talk(wanted(), &[Upnp], upnp(Vec::new(), true, false));
    assert_eq!(opened(&end), (Upnp, 30008, None));
    let leases: Vec<_> =
        asked.iter().filter_map(|request| if let Request::Open(o) = request { Some(o.lease) } else { None }).collect();
    assert_eq!(leases, [7200, 0]);
}

#[test]
fn a_router_that_takes_one_number_for_both_gets_the_inner_one() {
    let (_, end, _) = talk(wanted(), &[Upnp], |request| match request {
        Request::Open(Opening { external: 8080, .. }) => grant(8080, 7200),
        Request::Open(_) => Answer::Refused(Refusal::OnlySamePort),
        _ => Answer::CannotTell,
    });
    assert_eq!(opened(&end).1, 8080);
}

#[test]
fn what_is_for_another_machine_is_refused_in_words_of_its_own() {
    let other = Wanted { is_own: false, internal: "192.168.1.8:8080".parse().unwrap(), ..wanted() };
    let (asked, end, talk) = talk(other, &[Pcp, NatPmp, Upnp], |request| match request {
        Request::Open(Opening { protocol: Pcp, .. }) => Answer::Refused(Refusal::NotForOthers),
        other => upnp(Vec::new(), false, true)(other),
    });
    assert_eq!(end, Step::Refused);
    assert!(
        !asked.iter().any(|request| matches!(request, Request::Open(Opening { protocol: NatPmp, .. }))),
        "that would be opened for this machine"
    );
    let expected = [(NatPmp, Refusal::CannotName), (Pcp, Refusal::NotForOthers), (Upnp, Refusal::NotForOthers)];
    assert_eq!(talk.refusals(), expected);
    assert!(talk.taken().is_empty());
}

#[test]
fn what_is_open_is_kept_where_it_is_and_by_the_protocol_that_opened_it() {
    let known = Mapping { protocol: Upnp, external: 30010, nonce: None, ..mapping::sample() };
    let known = Wanted { known: Some(known), ..wanted() };
    let table = vec![(30010, "192.168.1.7", 8080)];
    let (asked, end, talk) = talk(known.clone(), &[Pcp, Upnp], upnp(table, false, false));
    assert_eq!((opened(&end), talk.was_ours()), ((Upnp, 30010, Some(7200)), Some(true)));
    assert_eq!(asked[0], Request::Look(30010));
    // A router that was restarted has it no more.
    let (_, end, talk) = self::talk(known.clone(), &[Pcp, Upnp], upnp(Vec::new(), false, false));
    assert_eq!((opened(&end).1, talk.was_ours()), (30010, Some(false)));
    // It went to somebody else meanwhile.
    let (_, end, _) = self::talk(known, &[Upnp], upnp(vec![(30010, "192.168.1.9", 1)], false, false));
    assert_eq!(opened(&end).1, 30008);
}

#[test]
fn a_router_that_opens_nothing_twice_has_ours_closed_first() {
    let known = Mapping { protocol: Upnp, nonce: None, ..mapping::sample() };
    let mut is_open = true;
    let (asked, end, _) = talk(Wanted { known: Some(known), ..wanted() }, &[Upnp], |request| match request {
        Request::Look(_) if is_open => held("192.168.1.7", 8080),
        Request::Look(_) => Answer::Nobody,
        Request::Free(_) => {
            is_open = false;
            Answer::Closed
        }
        Request::Open(_) if is_open => Answer::Refused(Refusal::Taken),
        Request::Open(_) => {
            is_open = true;
            grant(30008, 7200)
        }
    });
    assert_eq!(opened(&end).1, 30008);
    assert!(asked.contains(&Request::Free(30008)));
}

#[test]
fn what_is_not_in_the_list_afterwards_is_not_open() {
    let (_, end, talk) = talk(wanted(), &[Upnp], |request| match request {
        Request::Open(_) => grant(30008, 7200),
        _ => Answer::Nobody,
    });
    assert_eq!(end, Step::Refused);
    assert_eq!(talk.refusals(), [(Upnp, Refusal::NotKept)]);
}

#[test]
fn over_ipv6_the_port_is_the_same_inside_and_outside() {
    let six = Wanted { internal: "[2a02:8109::7]:8080".parse().unwrap(), ..wanted() };
    let (asked, ..) = talk(six, &[Pcp], |_| Answer::Refused(Refusal::Taken));
    assert!(matches!(asked[..], [Request::Open(Opening { external: 8080, .. })]), "{asked:?}");
}

/// Any answer, whether it fits or not.
fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        (1u16.., 0u32..9).prop_map(|(port, lease)| grant(port, lease)),
        Just(Answer::Closed),
        Just(Answer::Nobody),
        Just(Answer::CannotTell),
        Just(held("192.168.1.7", 8080)),
        Just(held("192.168.1.9", 1)),
        prop_oneof![
            Just(Refusal::Silent),
            Just(Refusal::Taken),
            Just(Refusal::OnlyForEver),
            Just(Refusal::OnlySamePort),
            Just(Refusal::NotForOthers),
            Just(Refusal::Garbled),
        ]
        .prop_map(Answer::Refused),
    ]
}

proptest! {
    #[test]
    fn whatever_a_router_answers_the_talk_ends_and_asks_for_nothing_but_what_is_wanted(
        said in prop::collection::vec(answers(), 200),
        is_own: bool,
        is_known: bool,
    ) {
        let known = is_known.then(|| Mapping { protocol: Upnp, ..mapping::sample() });
        let mut said = said.into_iter();
        let mut seen = None;
        let (asked, ..) = talk(Wanted { is_own, known, ..wanted() }, &[Pcp, NatPmp, Upnp], |request| {
            if let (Request::Open(opening), Some(Answer::Held(holder))) = (request, &seen) {
                assert!(opening.protocol != Upnp || holder.leads(opening.internal) == Leads::Here, "it is somebody else's");
            }
            let answer = said.next().unwrap_or(Answer::Refused(Refusal::Silent));
            seen = matches!(request, Request::Look(_)).then(|| answer.clone());
            answer
        });
        for request in asked {
            if let Request::Open(opening) = request {
                assert_eq!(opening.internal, wanted().internal);
                assert!((30008..30013).contains(&opening.external) || opening.external == 8080);
                assert!(is_own || opening.protocol != NatPmp);
            }
        }
    }
}
