//! What the units of systemd are told.

use std::path::Path;

use super::Given;

/// Where the units have settings and secrets, and the files of them that name a link.
pub(super) const FOLDER: &str = "/etc/porchlight";
const FILES: [&str; 7] = ["bandwidth.env", "beacon.env", "dns.env", "keeper.env", "ping.env", "port.env", "prober.env"];

/// Where systemd links the services that are enabled.
pub(super) const ENABLED: &str = "/etc/systemd/system/multi-user.target.wants";

/// The secrets that lie beside the settings.
const SECRETS: [(&str, &str); 4] = [
    ("beacon.key", "BEACON_KEY"),
    ("keeper.token", "KEEPER_TOKEN"),
    ("duckdns.token", "DUCKDNS_TOKEN"),
    ("statuspage.token", "STATUSPAGE_TOKEN"),
];

/// Where services of this machine answer, unless their files say otherwise.
const SERVICES: [(&str, &str, &str); 2] =
    [("beacon", "PUBLIC_ADDR", "0.0.0.0:8080"), ("keeper", "KEEPER_URL", "http://127.0.0.1:8030")];

impl Given {
    /// What the units are told: by their files, and by what the packages have them read besides. `enabled` has a link for each
    /// service that is enabled.
    pub(super) fn read_units(&mut self, folder: &Path, enabled: &Path) {
        let is_readable = |name: &str| std::fs::File::open(folder.join(name)).is_ok();
        for name in FILES.iter().filter(|name| is_readable(name)) {
            self.read_file(&folder.join(name));
        }
        let origin = folder.display().to_string();
        for (file, name) in SECRETS {
            let variable = format!("{name}_FILE");
            if is_readable(file) && self.text(name).is_none() && self.text(&variable).is_none() {
                self.set(&variable, &folder.join(file).display().to_string(), &origin);
            }
        }
        for (service, name, usual) in SERVICES {
            // A secret says nothing of where its service is: the machine that looks from outside has the beacon's, too.
            let is_here = folder.join(format!("{service}.env")).exists()
                || enabled.join(format!("porchlight-{service}.service")).symlink_metadata().is_ok();
            if is_here && self.text(name).is_none() {
                self.set(name, usual, &origin);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::folder, *};

    const SECRETS: [(&str, &str); 2] = [("beacon.key", "key\n"), ("keeper.token", "token\n")];

    fn read(files: &[(&str, &str)], units: &[(&str, &str)]) -> Given {
        let (folder, units) = (folder(&[files, &SECRETS[..]].concat()), folder(units));
        let mut given = Given::default();
        given.read_units(folder.path(), units.path());
        assert_eq!(given.secret("KEEPER_TOKEN").unwrap().expose(), "token");
        assert_eq!(given.secret("BEACON_KEY").unwrap().expose(), "key");
        given
    }

    #[test]
    fn what_the_units_are_told_is_found_where_they_find_it() {
        let given = read(&[("dns.env", "DOMAIN=myhome\n"), ("beacon.env", ""), ("keeper.env", "")], &[]);
        assert_eq!((given.text("DOMAIN"), given.text("PUBLIC_ADDR")), (Some("myhome"), Some("0.0.0.0:8080")));
        assert_eq!(given.text("KEEPER_URL"), Some("http://127.0.0.1:8030"));
        let mut none = Given::default();
        none.read_units(Path::new("/nowhere"), Path::new("/nowhere"));
        assert!(none.all().next().is_none() && none.wrong.is_empty());
    }

    #[test]
    fn a_secret_makes_no_machine_the_home_and_an_enabled_unit_does() {
        let outside = read(&[("prober.env", "PAGE_ID=gytm4qzbx9t6\n")], &[]);
        assert_eq!((outside.text("PUBLIC_ADDR"), outside.text("KEEPER_URL")), (None, None));
        let home = read(&[], &[("porchlight-beacon.service", "")]);
        assert_eq!((home.text("PUBLIC_ADDR"), home.text("KEEPER_URL")), (Some("0.0.0.0:8080"), None));
    }
}
