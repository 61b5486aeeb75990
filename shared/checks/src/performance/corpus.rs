//! What plugins printed, and what is to be read of it.

use super::{Figure, Range, parse};

/// As `label value unit warning critical min max`, for short.
fn read(text: &str) -> Vec<String> {
    let parsed = parse(text);
    assert_eq!(parsed.unreadable, 0, "{text}");
    let number = |number: Option<f64>| number.map_or("-".to_owned(), |number| number.to_string());
    let range = |range: Option<String>| range.unwrap_or("-".to_owned());
    let row = |f: Figure| {
        let unit = if f.unit.is_empty() { "-".to_owned() } else { f.unit };
        let fields =
            [f.label, number(f.value), unit, range(f.warning), range(f.critical), number(f.min), number(f.max)];
        fields.join(" ")
    };
    parsed.figures.into_iter().map(row).collect()
}

#[test]
fn plugins_of_debian_are_read_as_they_print() {
    for (line, rows) in [
        // check_http: with a blank at the end, an empty field before it.
        (
            "time=0.001033s;;;0.000000;10.000000 size=123B;;;0; ",
            &["time 0.001033 s - - 0 10", "size 123 B - - 0 -"][..],
        ),
        // check_ping, of a host that answers and of one that does not.
        (
            " rta=0.129000ms;100.000000;500.000000;0.000000 pl=0%;20;60;0",
            &["rta 0.129 ms 100.000000 500.000000 0 -", "pl 0 % 20 60 0 -"],
        ),
        ("rta=U;100;500;0 pl=100%;20;60;0", &["rta - - 100 500 0 -", "pl 100 % 20 60 0 -"]),
        // check_icmp: empty fields throughout.
        (
            "rta=0.017ms;200.000;500.000;0; pl=0%;40;80;; rtmax=0.047ms;;;; rtmin=0.009ms;;;; ",
            &[
                "rta 0.017 ms 200.000 500.000 0 -",
                "pl 0 % 40 80 - -",
                "rtmax 0.047 ms - - - -",
                "rtmin 0.009 ms - - - -",
            ],
        ),
        (
            "load1=9.930;100.000;200.000;0; load5=5.370;100.000;200.000;0; load15=4.850;100.000;200.000;0; ",
            &[
                "load1 9.93 - 100.000 200.000 0 -",
                "load5 5.37 - 100.000 200.000 0 -",
                "load15 4.85 - 100.000 200.000 0 -",
            ],
        ),
        (
            " /=42703257600B;267847005634;267847005634;0;270552530944",
            &["/ 42703257600 B 267847005634 267847005634 0 270552530944"],
        ),
        // The same of older versions, which count in MB.
        ("/=2643MB;5948;5958;0;5968 /boot=68MB;88;93;0;98", &["/ 2643 MB 5948 5958 0 5968", "/boot 68 MB 88 93 0 98"]),
        ("procs=112;;;0;", &["procs 112 - - - 0 -"]),
        ("users=0;100;200;0", &["users 0 - 100 200 0 -"]),
        ("swap=0B;0;0;0;0", &["swap 0 B 0 0 0 0"]),
        ("time=0.011362s;;;0.000000", &["time 0.011362 s - - 0 -"]),
    ] {
        assert_eq!(read(line), rows, "{line}");
    }
}

#[test]
fn so_are_those_of_others() {
    for (line, rows) in [
        // Of Windows, with blanks and colons in quoted labels.
        (
            "'C:\\ %'=55%;80;90;0;100 'C:\\'=27.5GB;40;45;0;50",
            &["C:\\ % 55 % 80 90 0 100", "C:\\ 27.5 GB 40 45 0 50"][..],
        ),
        // In a language with decimal commas; two blanks in between.
        ("load1=0,52;5,0;10,0;0;  load5=0,40;4,0;6,0;0;", &["load1 0.52 - 5,0 10,0 0 -", "load5 0.4 - 4,0 6,0 0 -"]),
        // A quote that is doubled, and one that is not.
        ("'it''s'=1 'that's it'=2", &["it's 1 - - - - -", "that's it 2 - - - - -"]),
        // Behind a quoted label with an equals sign in it.
        ("'a=b c'=3s;10:;@1:2", &["a=b c 3 s 10: @1:2 - -"]),
        ("a=b=3", &["a=b 3 - - - - -"]),
        ("temp=-3.5;~:10;~:20", &["temp -3.5 - ~:10 ~:20 - -"]),
        ("in=123456789c out=0c", &["in 123456789 c - - - -", "out 0 c - - - -"]),
        ("x=1.5e3B y=2E-3s", &["x 1500 B - - - -", "y 0.002 s - - - -"]),
        ("a=1, b=2,", &["a 1 - - - - -", "b 2 - - - - -"]),
        ("a=1 | b=2", &["a 1 - - - - -", "b 2 - - - - -"]),
        ("a=1;;\nb=2\r\n", &["a 1 - - - - -", "b 2 - - - - -"]),
        ("a=1MB;;;0MB;10MB;more", &["a 1 MB - - 0 10"]),
        ("", &[]),
        (" ", &[]),
    ] {
        assert_eq!(read(line), rows, "{line}");
    }
}

#[test]
fn ranges_of_plugins_are_ranges() {
    for line in ["a=1;100.000;@10:20", "a=1;5,0;~:10", "a=1;10:;267847005634"] {
        let figure = parse(line).figures.remove(0);
        for range in [figure.warning, figure.critical] {
            assert!(range.unwrap().parse::<Range>().is_ok(), "{line}");
        }
    }
}
