//! After `porchlight setup`: what was chosen there is what is looked at, in the folder that it was run in.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use tests::{
    keeper::{COMPONENT, PAGE},
    process::run,
};

use crate::{variant::LIMIT, world::World};

/// The record, as a setup writes it.
fn record(api: &str) -> String {
    format!(
        "making = []\n\n[chosen]\nhome = \"home\"\nport = 30008\npage = \"{PAGE}\"\ncomponent = \"{COMPONENT}\"\n\
         runs_on = \"systemd\"\nalarm_email = \"\"\nstatuspage_url = \"{api}\"\nrouter_port = false\nmetrics = false\n\n\
         [chosen.account]\nid = \"{}\"\nregion = \"{}\"\n\n[chosen.written]\n\n[[made]]\nstack = \"porchlight-base\"\n\n\
         [[made]]\nfunction = \"lambda-prober\"\n",
        tests::aws::ACCOUNT,
        tests::aws::REGION
    )
}

/// Notes the region that it is asked in, and then answers as the other one does.
fn noting(aws: &Path) {
    let script = fs::read_to_string(aws).expect("the stand-in");
    let noting = script.replacen("#!/bin/sh\n", "#!/bin/sh\necho \"$AWS_REGION\" >\"${0%/*}/region\"\n", 1);
    fs::write(aws, noting).expect("it is written");
    fs::set_permissions(aws, fs::Permissions::from_mode(0o755)).expect("it can be run");
}

#[tokio::test]
async fn a_plain_doctor_in_the_folder_of_a_setup_looks_at_what_was_set_up() {
    let Some(world) = World::new("after-setup").await else { return };
    let variant = world.variant("after");
    let folder = world.folder.path().join("project");
    let setup = folder.join("porchlight-setup");
    fs::create_dir_all(&setup).expect("a folder");
    fs::write(setup.join("setup.toml"), record(&world.keeper.api())).expect("it is written");
    fs::write(setup.join("beacon.key"), &world.key).expect("it is written");
    noting(&variant.folder.join("aws"));
    // What the network of this test needs, and nothing of the home.
    let of_world = ["ADDRESS_SOURCES", "DUCKDNS_URL", "PUBLIC_ADDR", "PUBLIC_DNS"];
    let doctor = variant.plain(&world.namespace, &folder, &of_world, &["--no-router", "--no-kubectl", "--json"]);
    let ended = run(doctor, LIMIT).await;
    let all: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let links = all["links"].as_array().expect("links");
    let of = |link: &str| links.iter().find(|it| it["link"] == link).unwrap_or_else(|| panic!("{link}: {all:#}"));
    assert_eq!(ended.code, Some(0), "{all:#}");
    assert_eq!(of("settings"), &links[0], "the first line says where it was taken from");
    assert!(of("settings")["saw"].as_str().is_some_and(|saw| saw.contains("porchlight-setup/setup.toml")), "{all:#}");
    for link in ["settings", "public_dns", "public_name", "proof", "keys", "function", "schedule", "page", "component"]
    {
        assert_eq!(of(link)["outcome"], "ok", "{link}: {all:#}");
    }
    let region = fs::read_to_string(variant.folder.join("region")).expect("it was asked");
    assert_eq!(region.trim(), tests::aws::REGION);

    // A folder by another name, and one that is none.
    fs::rename(&setup, folder.join("cabin")).expect("it is renamed");
    let doctor =
        variant.plain(&world.namespace, &folder, &of_world, &["--no-router", "--no-kubectl", "--folder", "cabin"]);
    let ended = run(doctor, LIMIT).await;
    assert!(ended.stdout.lines().next().is_some_and(|line| line.contains("cabin/setup.toml")), "{}", ended.stdout);
    let doctor =
        variant.plain(&world.namespace, &folder, &of_world, &["--no-router", "--no-kubectl", "--folder", "gone"]);
    let ended = run(doctor, LIMIT).await;
    let said = "gone is no folder of porchlight setup\n                        → name the folder that a setup has made";
    assert!(ended.stdout.contains(said), "{}", ended.stdout);
    let doctor =
        variant.plain(&world.namespace, &folder, &of_world, &["--no-router", "--no-kubectl", "--env", "missing"]);
    let ended = run(doctor, LIMIT).await;
    let said =
        "missing cannot be read (No such file or directory (os error 2))\n                        → name the file that";
    assert!(ended.stdout.contains(said), "{}", ended.stdout);
}
