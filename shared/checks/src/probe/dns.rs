//! A question to a name server, and whether the records are those that were expected.

use std::{
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
};

use shared::names::{self, Records, ResponseCode, ask_for_records};
use tokio::time::Instant;

use super::{
    Prober,
    connect::broken,
    run::{Finding, Run},
};
use crate::{
    cause::Cause,
    check::{DnsCheck, RecordType},
    outcome::Outcome,
};

/// How many records a sentence names.
const MAX_NAMED: usize = 5;

pub(super) async fn run(prober: &Prober, check: &DnsCheck, until: Instant) -> Outcome {
    let mut run = Run::new(until);
    let result = probe(prober, check, &mut run).await;
    run.end(result)
}

async fn probe(prober: &Prober, check: &DnsCheck, run: &mut Run) -> Result<String, Finding> {
    let servers = check.server.map_or_else(|| prober.names().servers().to_vec(), |server| vec![server]);
    let mut last =
        Finding::new(Cause::Local, "no name server can be asked: /etc/resolv.conf is missing, or names none");
    let start = Instant::now();
    for (index, server) in servers.iter().enumerate() {
        let left = u32::try_from(servers.len() - index).unwrap_or(1);
        // The last one has all the time that is left.
        let until = Instant::now() + run.until.saturating_duration_since(Instant::now()) / left;
        let said = ask(check, *server, until, run).await;
        match said {
            Ok(records) => {
                run.note(|phases| &mut phases.answer, start.elapsed());
                return judge(check, &records.data, run);
            }
            // A name that is denied is an answer; another server is asked only where there was none.
            Err(finding) if finding.cause == Cause::Name => {
                last = finding;
                break;
            }
            Err(finding) => last = finding,
        }
    }
    if !servers.is_empty() {
        run.note(|phases| &mut phases.answer, start.elapsed());
    }
    Err(last)
}

async fn ask(check: &DnsCheck, server: SocketAddr, until: Instant, run: &Run) -> Result<Records, Finding> {
    let name = run.cleaned(&check.name);
    let records = ask_for_records(server, &check.name, kind(check.record), until).await;
    let records = records.map_err(|error| match error.kind() {
        ErrorKind::TimedOut => run.too_late(&format!("no answer from the name server {server}")),
        ErrorKind::InvalidInput => Finding::new(Cause::Local, format!("{name} is no name that can be asked about")),
        ErrorKind::InvalidData => {
            Finding::new(Cause::Protocol, format!("what answers at {server} over TCP is no name server"))
        }
        _ => {
            let finding = broken(&error, "by the name server");
            Finding { text: format!("no answer from the name server {server}: {}", finding.text), ..finding }
        }
    })?;
    match records.code {
        ResponseCode::NoError => Ok(records),
        ResponseCode::NXDomain => {
            Err(Finding::new(Cause::Name, format!("{name} does not exist (NXDOMAIN), says {server}")))
        }
        code => Err(Finding::new(Cause::Status, format!("the name server {server} answered: {code}"))),
    }
}

/// Whether the records are those that were expected.
fn judge(check: &DnsCheck, data: &[String], run: &Run) -> Result<String, Finding> {
    let label = label(check.record);
    let got: Vec<String> = data.iter().map(|record| normalised(record)).collect();
    let expected: Vec<String> = check.expect.iter().map(|record| normalised(record)).collect();
    let wrong = |text: String| Err(Finding::new(Cause::Records, text));
    if got.is_empty() && (!expected.is_empty() || !check.exactly) {
        return wrong(format!("there are no {label} records"));
    }
    let listed = |records: Vec<&str>| {
        let more = records.len().saturating_sub(MAX_NAMED);
        let named: Vec<_> = records.iter().take(MAX_NAMED).map(|record| run.cleaned(record)).collect();
        format!("{}{}", named.join(", "), if more > 0 { format!(" and {more} more") } else { String::new() })
    };
    let missing: Vec<&str> = expected.iter().filter(|it| !got.contains(it)).map(String::as_str).collect();
    if !missing.is_empty() {
        let all = listed(got.iter().map(String::as_str).collect());
        return wrong(format!("missing: {label} {}; there is {all}", listed(missing)));
    }
    let others: Vec<&str> = got.iter().filter(|it| !expected.contains(it)).map(String::as_str).collect();
    if check.exactly && !others.is_empty() {
        return wrong(format!("not expected: {label} {}", listed(others)));
    }
    Ok(format!("{label} {}", listed(data.iter().map(String::as_str).collect())))
}

/// A record's data as it is compared: without regard to capitals, the dot at the end of a name, how much white space there is, and
/// the quotation marks around all of it.
fn normalised(record: &str) -> String {
    let record = record.trim();
    let inner = record.strip_prefix('"').and_then(|record| record.strip_suffix('"'));
    let record = inner.filter(|inner| !inner.contains('"')).unwrap_or(record);
    let word = |word: &str| {
        let word = word.strip_suffix('.').filter(|word| !word.is_empty()).unwrap_or(word);
        word.parse::<IpAddr>().map_or_else(|_| word.to_lowercase(), |address| address.to_string())
    };
    record.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

const fn kind(record: RecordType) -> names::RecordType {
    match record {
        RecordType::A => names::RecordType::A,
        RecordType::Aaaa => names::RecordType::AAAA,
        RecordType::Cname => names::RecordType::CNAME,
        RecordType::Mx => names::RecordType::MX,
        RecordType::Ns => names::RecordType::NS,
        RecordType::Ptr => names::RecordType::PTR,
        RecordType::Soa => names::RecordType::SOA,
        RecordType::Srv => names::RecordType::SRV,
        RecordType::Txt => names::RecordType::TXT,
        RecordType::Caa => names::RecordType::CAA,
    }
}

const fn label(record: RecordType) -> &'static str {
    match record {
        RecordType::A => "A",
        RecordType::Aaaa => "AAAA",
        RecordType::Cname => "CNAME",
        RecordType::Mx => "MX",
        RecordType::Ns => "NS",
        RecordType::Ptr => "PTR",
        RecordType::Soa => "SOA",
        RecordType::Srv => "SRV",
        RecordType::Txt => "TXT",
        RecordType::Caa => "CAA",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_compared_as_people_write_them() {
        for (one, other) in [
            ("10 Mail.Example.com.", "10 mail.example.com"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("\"v=spf1  -all\"", "v=spf1 -all"),
            ("0 issue \"letsencrypt.org\"", "0 issue \"LetsEncrypt.org\""),
            (".", "."),
        ] {
            assert_eq!(normalised(one), normalised(other));
        }
        assert_ne!(normalised("10 mail.example.com"), normalised("20 mail.example.com"));
    }
}
