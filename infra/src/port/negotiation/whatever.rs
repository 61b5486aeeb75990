//! Whatever a router answers, the talk ends, and nothing is asked for but what is wanted.

use proptest::prelude::*;

use super::{
    super::mapping::{self, Protocol::*},
    tests::{grant, held, talk, wanted},
    *,
};

/// Any answer, whether it fits or not.
fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        (1u16.., 0u32..9).prop_map(|(port, lease)| grant(port, lease)),
        Just(Answer::Closed),
        Just(Answer::NoMapping),
        Just(Answer::Undetermined),
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
        let ours: Vec<_> = known.iter().cloned().collect();
        let mut said = said.into_iter();
        let mut seen = None;
        let (asked, ..) = talk(Wanted { is_own, known, ours, ..wanted() }, &[Pcp, NatPmp, Upnp], |request| {
            if let (Request::Open(opening), Some(Answer::Held(holder))) = (request, &seen) {
                assert!(holder.leads(opening.internal) == Leads::Here && is_known, "it is somebody else's");
            }
            if let Request::Free(port) = request {
                assert!(is_known && port == 30008, "it is not ours");
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
