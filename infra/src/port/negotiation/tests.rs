use super::{
    super::mapping::{self, Protocol::*},
    *,
};

/// The most that one talk can take: for each protocol and port a look, an opening, one without a lease, one anew, and a check.
const MOST: usize = 3 * PORTS as usize * 6;

pub(super) fn wanted() -> Wanted {
    Wanted {
        internal: "192.168.1.7:8080".parse().unwrap(),
        is_own: true,
        external: 30008,
        lease: 7200,
        nonce: Nonce([1, 2, 3]),
        known: None,
        ours: Vec::new(),
    }
}

pub(super) fn grant(external: u16, lease: u32) -> Answer {
    let lease = Some(lease).filter(|lease| *lease > 0);
    Answer::Opened(Grant { external, lease, epoch: None, pinhole: None, outside: None })
}

pub(super) fn held(client: &str, port: u16) -> Answer {
    Answer::Held(Holder { client: client.into(), port, description: "x".into(), lease: 7200 })
}

/// Talks to a router that answers so; what was asked, and how it ended.
pub(super) fn talk(
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
            None => Answer::NoMapping,
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
    let (asked, end, _) = talk(wanted(), &[Upnp, NatPmp, Pcp], |request| match request {
        Request::Open(_) => grant(30008, 3600),
        _ => Answer::NoMapping,
    });
    assert_eq!(opened(&end), (Pcp, 30008, Some(3600)));
    assert!(matches!(
        asked[..],
        [Request::Look(30008), Request::Open(Opening { protocol: Pcp, external: 30008, lease: 7200, .. })]
    ));
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
        _ => Answer::Undetermined,
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
        _ => Answer::Undetermined,
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
    let known = Wanted { ours: vec![known.clone()], known: Some(known), ..wanted() };
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
fn what_a_person_has_made_for_the_same_place_is_used_and_left_alone_by_every_protocol() {
    let table = vec![(30008, "192.168.1.7", 8080)];
    for speaks in [&[Upnp][..], &[Pcp, NatPmp, Upnp]] {
        let (asked, end, _) = talk(wanted(), speaks, upnp(table.clone(), false, false));
        assert!(matches!(end, Step::Found(Holder { ref client, .. }) if client == "192.168.1.7"), "{end:?}");
        assert_eq!(asked, [Request::Look(30008)]);
    }
    // A router whose list is ours to see only by UPnP does what is asked by the others.
    let (_, end, _) = talk(wanted(), &[Pcp], |_| grant(30008, 7200));
    assert_eq!(opened(&end).0, Pcp);
}

#[test]
fn what_leads_to_this_machines_former_address_is_closed_and_opened_anew_at_the_same_port() {
    let former = Mapping { internal: "192.168.1.6:8080".parse().unwrap(), ..mapping::sample() };
    let moved = Wanted { ours: vec![former], ..wanted() };
    for (speaks, protocol) in [(&[Upnp][..], Upnp), (&[NatPmp, Upnp], NatPmp)] {
        let table = vec![(30008, "192.168.1.6", 8080)];
        let (asked, end, _) = talk(moved.clone(), speaks, upnp(table, false, false));
        assert_eq!((opened(&end).0, opened(&end).1), (protocol, 30008));
        assert_eq!(asked[..2], [Request::Look(30008), Request::Free(30008)]);
    }
    // A router that closes nothing for another address: the next port, and it is said who has that one.
    let (_, _, talk) = talk(moved.clone(), &[Upnp], |request| match request {
        Request::Look(30008) => held("192.168.1.6", 8080),
        Request::Look(_) => Answer::NoMapping,
        Request::Open(Opening { external: 30008, .. }) => Answer::Refused(Refusal::Taken),
        Request::Open(Opening { external, .. }) => grant(external, 7200),
        Request::Free(_) => Answer::Refused(Refusal::Forbidden),
    });
    assert_eq!(talk.taken()[0].by.as_ref().unwrap().client, "192.168.1.6");
    // Somebody else's there is left alone.
    let (asked, end, _) = self::talk(moved, &[Upnp], upnp(vec![(30008, "192.168.1.9", 8080)], false, false));
    assert_eq!((opened(&end).1, asked.contains(&Request::Free(30008))), (30009, false));
}

#[test]
fn a_router_that_opens_nothing_twice_has_ours_closed_first() {
    let known = Mapping { protocol: Upnp, nonce: None, ..mapping::sample() };
    let mut is_open = true;
    let known = Wanted { ours: vec![known.clone()], known: Some(known), ..wanted() };
    let (asked, end, _) = talk(known, &[Upnp], |request| match request {
        Request::Look(_) if is_open => held("192.168.1.7", 8080),
        Request::Look(_) => Answer::NoMapping,
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
        _ => Answer::NoMapping,
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
