//! Known answers, what is refused, and that whatever is made is read back.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;
use crate::proof::{Key, Running};

const HOME: &str = "gytm4qzbx9t6";
const FULL: &str = "v1;home=gytm4qzbx9t6;at=1764331200;seq=42;boot=0b7e2a6c-9f5d-4c1e-8a37-1f2e3d4c5b6a;up=86400;age=900;\
                    router=up/3600;provider=up/3600;world=down/120;names=unknown/0;last=line/3720/120;\
                    mac=zJByr0-nb-uwLvMbtEi683BWn0SEmVpoSewG3_6_bbs";
const BARE: &str = "v1;home=gytm4qzbx9t6;at=0;seq=1;boot=0;up=0;age=0;\
                    router=unknown/0;provider=unknown/0;world=unknown/0;names=unknown/0;last=none;\
                    mac=xOJPKCnhZ0E7K37NmmUS9osBeroBJOv6aAXYnrtkHzo";

fn key() -> Key {
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8".parse().unwrap()
}

fn full() -> Heartbeat {
    let up = |since| Seen { reach: Reach::Up, since };
    Heartbeat {
        home: HOME.parse().unwrap(),
        at: 1_764_331_200,
        sequence: 42,
        boot: "0b7e2a6c-9f5d-4c1e-8a37-1f2e3d4c5b6a".parse().unwrap(),
        running: Running { up: 86_400, age: 900 },
        view: View {
            router: up(3600),
            provider: up(3600),
            world: Seen { reach: Reach::Down, since: 120 },
            names: Seen::UNKNOWN,
        },
        last: Some(Outage { kind: OutageKind::Line, began: 3720, ended: 120 }),
    }
}

fn bare() -> Heartbeat {
    let running = Running { up: 0, age: 0 };
    Heartbeat { at: 0, sequence: 1, boot: "0".parse().unwrap(), running, view: View::UNKNOWN, last: None, ..full() }
}

fn read(text: &str) -> Result<Heartbeat, Refused> {
    Heartbeat::read(text.as_bytes(), |_| Box::leak(Box::new([key()]))).map(|received| received.heartbeat)
}

/// Any text, signed.
fn signed(text: &str) -> String {
    let key = aws_lc_rs::hmac::Key::new(
        aws_lc_rs::hmac::HMAC_SHA256,
        &BASE64_URL_SAFE_NO_PAD.decode(key().expose()).unwrap(),
    );
    let tag = aws_lc_rs::hmac::sign(&key, format!("porchlight-heartbeat-v1\n{text}").as_bytes());
    format!("{text};mac={}", BASE64_URL_SAFE_NO_PAD.encode(tag))
}

/// Made with Python's `hmac` and `base64` modules.
#[test]
fn known_heartbeats_are_made_and_taken() {
    for (heartbeat, written) in [(full(), FULL), (bare(), BARE)] {
        assert_eq!(heartbeat.sign(&key()).as_str(), written);
        assert_eq!(read(written), Ok(heartbeat));
    }
}

/// As the first one.
#[test]
fn a_known_answer_is_made_and_taken_for_its_heartbeat_only() {
    let answer = Answer { outcome: Outcome::Stored, newest: 42, at: 1_764_331_201, hosts: Hosts::One };
    let written = "v1;outcome=stored;newest=42;at=1764331201;hosts=one;mac=kIPjLASqroDmRJFBFi_yMTUMz6u6KWa-dYkDdZcdEW0";
    let keys = [key()];
    let received = Heartbeat::read(FULL.as_bytes(), |_| &keys).unwrap();
    assert_eq!(received.answer(answer), written);
    assert_eq!(full().sign(&key()).answer(&key(), written.as_bytes()), Ok(answer));
    let other = Heartbeat { sequence: 43, ..full() }.sign(&key());
    assert_eq!(other.answer(&key(), written.as_bytes()), Err(WrongAnswer), "to another heartbeat");
    assert_eq!(full().sign(&key()).answer(&Key::new([9; 32]), written.as_bytes()), Err(WrongAnswer));
    for (part, instead) in [("stored", "stale"), ("42", "43"), ("201", "202"), ("one", "several"), (";mac=", " ;mac=")]
    {
        let forged = written.replace(part, instead);
        assert_eq!(full().sign(&key()).answer(&key(), forged.as_bytes()), Err(WrongAnswer), "{forged}");
    }
    assert_eq!(full().sign(&key()).answer(&key(), "v1;".repeat(1 << 20).as_bytes()), Err(WrongAnswer));
}

#[test]
fn no_answer_tells_a_sequence_after_which_there_is_none() {
    let keys = [key()];
    let received = Heartbeat::read(FULL.as_bytes(), |_| &keys).unwrap();
    let written =
        received.answer(Answer { outcome: Outcome::NotLater, newest: u64::MAX, at: 0, hosts: Hosts::Several });
    let answered = full().sign(&key()).answer(&key(), written.as_bytes()).unwrap();
    assert!(answered.newest < MAX_SEQUENCE - 1_000_000_000, "{answered:?}");
}

#[test]
fn what_was_changed_or_signed_with_another_key_is_unsigned() {
    for (part, instead) in [
        ("home=gytm4qzbx9t6", "home=gytm4qzbx9t7"),
        ("at=1764331200", "at=1764331260"),
        ("seq=42", "seq=43"),
        ("boot=0b7e", "boot=0b7f"),
        ("up=86400", "up=86401"),
        ("age=900", "age=901"),
        ("world=down/120", "world=up/120"),
        ("names=unknown/0", "names=unknown/0;more=1"),
        ("last=line/3720/120", "last=none"),
    ] {
        let forged = FULL.replace(part, instead);
        assert_ne!(forged, FULL);
        assert_eq!(read(&forged), Err(Refused::Unsigned), "{forged}");
    }
    let other = [Key::new([9; 32])];
    assert_eq!(Heartbeat::read(FULL.as_bytes(), |_| &other).unwrap_err(), Refused::Unsigned);
    assert_eq!(Heartbeat::read(FULL.as_bytes(), |_| &[]).unwrap_err(), Refused::Unsigned, "a home that is not known");
    let both = [Key::new([9; 32]), key()];
    assert!(Heartbeat::read(FULL.as_bytes(), |_| &both).is_ok(), "a key that is going out of use");
}

#[test]
fn what_is_signed_and_not_exactly_a_heartbeat_is_malformed() {
    let good = full().to_string();
    assert!(read(&signed(&good)).is_ok());
    for (part, instead) in [
        ("v1;", "v2;"),
        ("at=1764331200", "at=01764331200"),
        ("at=1764331200", "at=-1"),
        ("seq=42", "seq=0"),
        ("seq=42", "seq=9007199254740993"),
        ("boot=0b7e", "boot="),
        ("boot=0b7e2a6c-9f5d-4c1e-8a37-1f2e3d4c5b6a", "boot="),
        ("boot=0b7e", "boot=0B7E"),
        ("boot=0b7e", "boot=00b7e"),
        ("up=86400", "up=86400.5"),
        ("world=down/120", "world=dark/120"),
        ("world=down/120", "world=down"),
        ("world=down/120;", ""),
        ("last=line/3720/120", "last=line/120/3720"),
        ("last=line/3720/120", "last=Line/3720/120"),
        ("last=line/3720/120", "last=line/3720/120;more=1"),
        ("last=line/3720/120", "last="),
    ] {
        let wrong = good.replace(part, instead);
        let wrong = if instead == "boot=" && part == "boot=0b7e" { wrong.replace("boot=", "boot=g") } else { wrong };
        assert_eq!(read(&signed(&wrong)), Err(Refused::Malformed), "{wrong}");
    }
    for wrong in ["", "v1;", "v1;home=;mac=", &format!("{FULL} "), &format!(" {FULL}"), &FULL[..FULL.len() - 1]] {
        assert_eq!(read(wrong), Err(Refused::Malformed), "{wrong}");
    }
    assert_eq!(Heartbeat::read(&[0xff; 100], |_| &[]).unwrap_err(), Refused::Malformed);
}

#[test]
fn a_long_text_is_refused_before_anything_of_it_is_read() {
    let long = FULL.to_owned() + &" ".repeat(MAX_LENGTH + 1 - FULL.len());
    assert_eq!(read(&long), Err(Refused::TooLong));
    assert_eq!(read(&long[..MAX_LENGTH]), Err(Refused::Malformed));
}

#[test]
fn a_kind_of_a_later_version_is_another_one() {
    let later = full().to_string().replace("last=line", "last=flooded");
    let last = read(&signed(&later)).unwrap().last.unwrap();
    assert_eq!(last, Outage { kind: OutageKind::Other, began: 3720, ended: 120 });
}

fn any_seen() -> impl Strategy<Value = Seen> {
    (proptest::sample::select(vec![Reach::Up, Reach::Down, Reach::Unknown]), any::<u64>())
        .prop_map(|(reach, since)| Seen { reach, since })
}

proptest! {
    #[test]
    fn whatever_is_made_is_read_back_and_short(
        at: u64, sequence in 1..=MAX_SEQUENCE, boot in "[0-9a-f-]{1,36}", (up, age) in any::<(u64, u64)>(),
        router in any_seen(), provider in any_seen(), world in any_seen(), names in any_seen(),
        last in proptest::option::of((proptest::sample::select(OutageKind::ALL.to_vec()), any::<u64>(), any::<u64>())),
    ) {
        let last = last.map(|(kind, a, b)| Outage { kind, began: a.max(b), ended: a.min(b) });
        let (boot, view) = (boot.parse().unwrap(), View { router, provider, world, names });
        let heartbeat = Heartbeat { at, sequence, boot, running: Running { up, age }, view, last, ..full() };
        let signed = heartbeat.sign(&key());
        prop_assert!(signed.as_str().len() <= MAX_LENGTH / 4);
        prop_assert_eq!(read(signed.as_str()), Ok(heartbeat));
    }

    #[test]
    fn no_text_is_a_panic(text in ".*", bytes: Vec<u8>) {
        let _ = (read(&text), Heartbeat::read(&bytes, |_| &[]).is_ok());
        let _ = read(&signed(&format!("v1;home={HOME};{text}")));
        let _ = full().sign(&key()).answer(&key(), &bytes);
    }
}
